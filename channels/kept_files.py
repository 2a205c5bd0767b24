"""Files of conversations in the store: kept for a day, and from then on once a message has them."""

from datetime import datetime, timedelta
from typing import Any

from channels.webchat_kinds import PICTURES, Kind
from profiles.store import Store
from profiles.timeline import Attachment

KEPT_UNSAID_FOR = timedelta(hours=24)
"""A file that never became part of a stored message goes away."""


def file_of(id: str, name: str, kind: Kind, content: bytes, *, conversation: str, now: datetime) -> dict[str, Any]:
    """Return the row of a file that nobody has said yet."""
    return {
        "_id": id, "name": name, "mime": kind.mime, "size": len(content), "bytes": content,
        "conversation": conversation, "at": now, "expires_at": now + KEPT_UNSAID_FOR,
    }  # fmt: skip


async def claim(store: Store, id: str, conversation: str) -> Attachment | None:
    """Return the attachment of a file of this conversation and keep the file from now on; None when there is no such file."""
    found = await store.change("files", {"_id": id, "conversation": conversation}, {"$unset": {"expires_at": ""}})
    if not found:
        return None
    known = {"name": found["name"], "mime": found["mime"], "size": found["size"], "file": id}
    return Attachment("image" if found["mime"] in PICTURES else "file", **known)
