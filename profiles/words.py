"""Which messages may hold a word: one entry for all that one commit stored, so that search costs a message little.

A full-text index over messages took 75 of the database's 150 us per message: an index key for each of its words. An entry
holds the distinct words of a whole group, so a word that many say is written once (docs/decisions/0011-search-entries.md).
Looking for a word finds the entries that hold it, the latest first, and then reads their messages.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from profiles.ids import new_id
from profiles.store import Document, Store
from profiles.text import unaccented

COLLECTION = "words"
LONGEST_WORD = 40  # characters; of a longer one this much is known
MOST_WORDS = 2_000  # in one entry: of one message the first so many, of a group several entries
AT_ONCE = 20  # entries whose messages are read together
MOST_ENTRIES = 1_000  # looked through for one page of results; the next page goes on from there

_WORD = re.compile(r"\w+")


def words_of(text: str) -> set[str]:
    """Return the words of a text as they are looked for: small letters without accents, each once."""
    return {word[:LONGEST_WORD] for word in set(_WORD.findall(unaccented(text.casefold()))[:MOST_WORDS])}


@dataclass(slots=True)
class Entries:
    """What one commit will be found by: messages of one instant share an entry."""

    _open: dict[datetime, tuple[list[str], set[str]]] = field(default_factory=dict)
    _full: list[Document] = field(default_factory=list)

    def add(self, id: str, at: datetime, text: str) -> None:
        """Let this message be found by its words; a message that says nothing is not looked for."""
        words = words_of(text)
        if not words:
            return
        ids, known = self._open.setdefault(at, ([], set()))
        if ids and len(known | words) > MOST_WORDS:
            self._full.append(_entry(at, ids, known))
            ids, known = self._open[at] = ([], set())
        ids.append(id)
        known |= words

    def documents(self) -> Iterator[Document]:
        """Yield the entries as they are stored."""
        yield from self._full
        for at, (ids, words) in self._open.items():
            yield _entry(at, ids, words)


def _entry(at: datetime, ids: list[str], words: set[str]) -> Document:
    return {"_id": new_id(at), "at": at, "ids": ids, "words": list(words)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: after this message in the order of the results (latest first, then by id)."""

    at: datetime
    id: str


async def holding(
    store: Store, words: Collection[str], *, limit: int, after: Place | None = None
) -> tuple[list[Document], Place | None]:
    """Return up to `limit` messages that hold all these words, the latest first, and after which place there may be more."""
    found: list[Document] = []
    last: Document | None = None
    for _ in range(MOST_ENTRIES // AT_ONCE):
        entries = await store.find(
            COLLECTION, _beyond(words, after, last), sort=[("at", -1), ("_id", 1)], limit=AT_ONCE, only=["at", "ids"]
        )
        ids = {id for entry in entries for id in entry["ids"]}
        messages = await store.get_many("messages", ids) if ids else []
        found += [message for message in messages if _is_meant(message, words, after)]
        if len(entries) < AT_ONCE:
            return _page(found, limit, more=None)
        last = entries[-1]
        settled = [
            message for message in found if message["at"] > last["at"]
        ]  # others may share the last one's instant
        if len(settled) > limit:
            return _page(settled, limit, more=None)
    assert last
    return _page(settled, limit, more=Place(last["at"], ""))


def _beyond(words: Collection[str], after: Place | None, last: Document | None) -> dict[str, Any]:
    """Return the filter of the entries still to be looked through."""
    where: dict[str, Any] = {"words": {"$all": sorted(words)}}
    if last:
        where["at"] = {"$lte": last["at"]}
        where["$or"] = [{"at": {"$lt": last["at"]}}, {"_id": {"$gt": last["_id"]}}]
    elif after:
        where["at"] = {"$lte": after.at}
    return where


def _is_meant(message: Document, words: Collection[str], after: Place | None) -> bool:
    """Return whether it is this message: its neighbours in the entry, or its own text before an edit, had the words."""
    at, id = message["at"], message["_id"]
    if after and (at > after.at or (at == after.at and id <= after.id)):
        return False
    return words_of(str(message.get("content", {}).get("text", ""))).issuperset(words)


def _page(found: list[Document], limit: int, *, more: Place | None) -> tuple[list[Document], Place | None]:
    each = {message["_id"]: message for message in found}
    ordered = sorted(sorted(each.values(), key=lambda one: str(one["_id"])), key=lambda one: one["at"], reverse=True)
    if len(ordered) <= limit:
        return ordered, more
    return ordered[:limit], Place(ordered[limit - 1]["at"], str(ordered[limit - 1]["_id"]))
