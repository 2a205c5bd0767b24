"""Finding people and what was said: by the words of messages and names, beginnings of addresses, paged by key."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from admin.called import Sought, of_many
from admin.desk import Desk
from admin.inbox import NAMES
from admin.paging import Key
from profiles.identity import normalise
from profiles.profile import Profile
from profiles.record import from_document
from profiles.text import clean
from profiles.timeline import Message
from profiles.words import Place, holding, words_of

PAGE = 30
LONGEST = 200
MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Found:
    """One message found, and whose conversation it is in."""

    message: Message
    profile: Profile


async def messages(desk: Desk, asked: str, *, after: Key | None = None) -> tuple[list[Found], Key | None]:
    """Return messages that hold every word, the latest first, and the key of the next page."""
    words = words_of(asked[:LONGEST])
    if not words:
        return [], None
    place = Place(after.at, after.id) if after else None
    documents, rest = await holding(desk.store, sorted(words)[:MOST_WORDS], limit=PAGE, after=place)
    found = [from_document(Message, document) for document in documents]
    whose = await _profiles(desk, {message.profile for message in found})
    rows = [Found(message, whose[message.profile]) for message in found if message.profile in whose]
    return rows, Key(rest.at, rest.id) if rest else None


async def people(desk: Desk, asked: str, *, after: str | None = None) -> tuple[list[Profile], str | None]:
    """Return people whose name holds every word, or one of whose addresses begins so; without words everybody, the newest first.

    The second value is the id after which the next page goes on.
    """
    where: dict[str, Any] = {"merged_into": None}
    asked = clean(asked.strip()[:LONGEST])
    if asked:
        ids = await of_many(desk.store, _sought(asked, desk.country), after=after, limit=PAGE + 1)
        where |= {"_id": {"$in": ids}} if ids is not None else {"$or": _by_name_or_address(asked, desk.country)}
    if after and "_id" not in where:
        where["_id"] = {"$lt": after}
    documents = await desk.store.find("profiles", where, sort=[("_id", -1)], limit=PAGE + 1)
    found = [from_document(Profile, document) for document in documents[:PAGE]]
    return found, found[-1].id if len(documents) > PAGE else None


def _sought(asked: str, country: str) -> Sought:
    return Sought(frozenset(sorted(words_of(asked))[:MOST_WORDS]), tuple(sorted(_beginnings(asked, country))))


def _beginnings(asked: str, country: str) -> set[str]:
    """Return how an address that was typed so may begin: as written, in small letters, as a phone number."""
    beginnings = {asked, asked.casefold()}
    if any(letter.isdigit() for letter in asked) and (phone := normalise("sms", asked, country=country)):
        beginnings.add(phone)
    return beginnings


def _by_name_or_address(asked: str, country: str) -> list[dict[str, Any]]:
    # anchored and case-sensitive, so that the index answers; addresses are kept in small letters
    ways: list[dict[str, Any]] = [
        {"identities.address": {"$regex": f"^{re.escape(beginning)}"}}
        for beginning in sorted(_beginnings(asked, country))
    ]
    text = _all_words(asked)
    return [{"$text": {"$search": text}}, *ways] if text else ways


def _all_words(asked: str) -> str:
    """Return a $text search for every word: quoted, a word must be there; unquoted, any one would do."""
    words = re.findall(r"\w+", asked[:LONGEST])
    return " ".join(f'"{word}"' for word in words[:MOST_WORDS])


async def _profiles(desk: Desk, ids: Iterable[str]) -> dict[str, Profile]:
    documents = await desk.store.get_many("profiles", ids, only=(*NAMES, "merged_into"))
    return {document["_id"]: from_document(Profile, document) for document in documents}
