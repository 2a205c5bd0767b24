"""Where a list goes on: after a key of the last row seen, never after a number of rows, so that page 1000 costs as page 1."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """The place of one row in a list ordered by time, latest first, then by id."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(milliseconds=1)}~{self.id}"


def key_of(text: str | None) -> Key | None:
    """Return the key that a page's address carries, or None if it carries none that we made."""
    stamp, tilde, id = (text or "").partition("~")
    if not tilde or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 14:
        return None
    return Key(EPOCH + timedelta(milliseconds=int(stamp)), id[:400])


def after_key(where: dict[str, Any], field: str, key: Key | None) -> dict[str, Any]:
    """Return the filter narrowed to what comes after the key in the order (field descending, _id ascending)."""
    if key is None:
        return where
    # the first condition is implied by the second; it gives the index its bound
    return {"$and": [where, {field: {"$lte": key.at}}, {"$or": [{field: {"$lt": key.at}}, {"_id": {"$gt": key.id}}]}]}
