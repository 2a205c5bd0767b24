"""Everything of one kind, read page by page for people to take away, however much it is: each page by key, none twice.

It is no snapshot: what is written meanwhile is in it or not. Merged and just erased people are left out; what was said to or by
somebody who was merged is theirs who they are now.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from admin import export_rows
from admin.export_rows import Kind, Row
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Document, Store

PAGE = 1_000
MANY = 2_000_000
"""No bound on how many people were merged, but on how many of them are read at once."""


@dataclass(frozen=True, slots=True)
class Period:
    """From this instant on, and before that one; what is open has no end there."""

    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Return whether this instant is within."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


async def columns(store: Store, kind: Kind) -> tuple[str, ...]:
    """Return the columns of a kind; those of people end with every attribute that somebody has, in order of their letters."""
    if kind != "profiles":
        return {
            "messages": export_rows.MESSAGES,
            "deliveries": export_rows.DELIVERIES,
            "events": export_rows.EVENTS,
        }[kind]
    names: set[str] = set()
    async for page in _pages(store, "profiles", only=("attributes", "merged_into", "erasing")):
        for document in page:
            names.update(document.get("attributes") or {} if _is_there(document) else {})
    return export_rows.PROFILES + tuple(map(export_rows.called, sorted(names)))


async def rows(store: Store, kind: Kind, period: Period) -> AsyncIterator[list[Row]]:
    """Yield the rows of a kind, a page at a time, in the order in which they were made. The period is not asked of people."""
    if kind == "profiles":
        async for page in _pages(store, "profiles"):
            yield await _people(store, page)
        return
    whose = await _absorbed(store)
    collection, when, read = _KINDS[kind]
    async for page in _pages(store, collection):
        found = [read(document, whose) for document in page if period.has(document[when])]
        yield [row for row in found if row is not None]


_KINDS: Mapping[str, tuple[str, str, Callable[[Document, Mapping[str, str]], Row | None]]] = {
    "messages": ("messages", "at", export_rows.of_message),
    "deliveries": ("messages", "at", export_rows.of_delivery),
    "events": ("events", "happened_at", export_rows.of_event),
}


async def _people(store: Store, page: list[Document]) -> list[Row]:
    people = [from_document(Profile, document) for document in page if _is_there(document)]
    ledgers = await Ledgers(store).read([one.id for one in people])
    return [export_rows.of_profile(one, ledgers[one.id]) for one in people]


def _is_there(document: Document) -> bool:
    return not document.get("merged_into") and not document.get("erasing")


async def _absorbed(store: Store) -> Mapping[str, str]:
    """Return who was merged into whom."""
    merged = await store.find("profiles", {"merged_into": {"$type": "string"}}, only=("merged_into",), limit=MANY)
    return {document["_id"]: document["merged_into"] for document in merged}


async def _pages(store: Store, collection: str, *, only: tuple[str, ...] = ()) -> AsyncIterator[list[Document]]:
    after: str | None = None
    while True:
        where = {"_id": {"$gt": after}} if after else {}
        page = await store.find(collection, where, sort=[("_id", 1)], limit=PAGE, only=only)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1]["_id"]
