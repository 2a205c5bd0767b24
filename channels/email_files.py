"""Files that came with a mail: looked at by their first bytes and kept, as those of the web chat; anything else is named alone."""

from collections.abc import Sequence

from channels.email_reading import Part
from channels.kept_files import file_of
from channels.webchat_kinds import kind_of, safe_name
from profiles.calendar import Clock
from profiles.store import Store
from profiles.text import clean
from profiles.timeline import Attachment

MOST = 10
LARGEST = 10_000_000  # octets; a document of the database has 16 MB


class Files:
    """Keeps the files of mails. The same mail again keeps the same ones."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def keep(
        self, parts: Sequence[Part], *, mail: str, conversation: str
    ) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
        """Return what is kept, for a day until `confirm`, and the names of what is not let in. Raises Unavailable."""
        kept, left_out = list[Attachment](), list[str]()
        for number, part in enumerate(parts):
            kind = kind_of(part.content) if part.content and len(part.content) <= LARGEST and len(kept) < MOST else None
            if kind is None:
                left_out.append(clean(part.name, longest=100))
                continue
            id, name, now = f"{mail}-{number}", clean(safe_name(part.name, kind), longest=110), self._clock()
            document = file_of(id, name, kind, part.content, conversation=conversation, now=now)
            await self._store.insert_missing("files", [document])
            kept.append(Attachment(kind.shows, name, kind.mime, len(part.content), file=id))
        return tuple(kept), tuple(left_out[: MOST * 2])

    async def confirm(self, files: Sequence[Attachment]) -> None:
        """Keep these from now on: their mail is stored. Raises Unavailable."""
        if files:
            ids = [file.file for file in files]
            await self._store.change_many("files", {"_id": {"$in": ids}}, {"$unset": {"expires_at": ""}})
