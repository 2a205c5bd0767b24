"""Who is called so, at a cost that stays bounded when everybody is: the latest people of a name or an address, by key.

The index of names answers without an order, so asking it for the latest thirty Annas reads every Anna there is (1.4 s of 300,000).
Each word is first asked for with a limit. A word that few have gives all of them, and the rest is looked at here. A name that
more have is found among the latest contacts, read by key from the newest on until the page is full.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from profiles.store import Document, Store
from profiles.words import LONGEST_WORD, words_of

FEW = 2_000
"""So many of a word or a beginning are read whole; more are a crowd."""
AT_ONCE = 500
MOST_READ = 20_000
"""Contacts read by key for one page: a crowd of 2,000 among 1,000,000 fills a page of 30 after some 15,000."""
_NAMED = ("name", "first_name", "last_name")
_SEEN = (*(f"attributes.{name}.value" for name in _NAMED), "identities.address", "merged_into")


@dataclass(frozen=True, slots=True)
class Sought:
    """What was typed: every word of a name, or the beginning of an address."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, document: Document) -> bool:
        """Whether this contact is meant; one that was merged into another never is."""
        if document.get("merged_into") is not None:
            return False
        if any(address.startswith(self.beginnings) for address in _addresses(document)):
            return True
        return bool(self.words) and words_of(" ".join(_names(document))).issuperset(self.words)


async def of_many(store: Store, sought: Sought, *, after: str | None, limit: int) -> list[str] | None:
    """Return the ids of the latest contacts who are meant, before `after`; None where only the whole index can tell."""
    if any(len(word) >= LONGEST_WORD for word in sought.words):
        return None  # known by its beginning here, whole in the index
    named, addressed = await asyncio.gather(_named(store, sought.words), _addressed(store, sought.beginnings))
    if named is not None and addressed is not None:
        ids = {str(one["_id"]) for one in (*named, *addressed) if sought.fits(one)}
        return sorted((id for id in ids if not after or id < after), reverse=True)[:limit]
    return await _latest(store, sought, after=after, limit=limit)


async def _named(store: Store, words: Iterable[str]) -> Sequence[Document] | None:
    """Return all who have one of these words, the rarest; None when a crowd has each of them."""
    crowded = False
    for word in sorted(words, key=len, reverse=True):  # a long word is seldom a common one
        found = await store.find("profiles", {"$text": {"$search": word}}, limit=FEW + 1, only=_SEEN)
        if len(found) <= FEW:
            return found
        crowded = True
    return None if crowded else ()


async def _addressed(store: Store, beginnings: Iterable[str]) -> Sequence[Document] | None:
    # anchored and case-sensitive, so that the index answers; addresses are kept in small letters
    found: list[Document] = []
    for beginning in beginnings:
        where = {"identities.address": {"$regex": f"^{re.escape(beginning)}"}}
        some = await store.find("profiles", where, limit=FEW + 1, only=_SEEN)
        if len(some) > FEW:
            return None
        found += some
    return found


async def _latest(store: Store, sought: Sought, *, after: str | None, limit: int) -> list[str] | None:
    """Return who is meant among the latest contacts; None when the page is not full after so many."""
    found: list[str] = []
    for _ in range(MOST_READ // AT_ONCE):
        where = {"_id": {"$lt": after}} if after else {}
        some = await store.find("profiles", where, sort=[("_id", -1)], limit=AT_ONCE, only=_SEEN)
        found += [str(one["_id"]) for one in some if sought.fits(one)]
        if len(found) >= limit or len(some) < AT_ONCE:
            return found[:limit]
        after = str(some[-1]["_id"])
    return None


def _names(document: Document) -> Iterator[str]:
    attributes = document.get("attributes") or {}
    for name in _NAMED:
        known = attributes.get(name)
        if isinstance(known, dict):
            yield str(known.get("value", ""))


def _addresses(document: Document) -> Iterator[str]:
    for identity in document.get("identities") or ():
        yield str(identity.get("address", ""))
