"""Finding messages by what they say: one entry for all that a commit stored, and never a message that does not say it."""

from datetime import timedelta
from typing import Any

import pytest

from profiles import words
from profiles.calendar import utc_now
from profiles.snapshot import Amend, Changes
from profiles.store import Store
from profiles.timeline import Content, Message
from profiles.words import Entries, Place, holding, words_of
from profiles.writer import Writer
from tests.profiles.works import gives, hears

NOON = utc_now().replace(hour=12, minute=0, second=0, microsecond=0)


def said(id: str, text: str, minutes: int = 0) -> Message:
    at = NOON + timedelta(minutes=minutes)
    return Message(id, "sms:1", "P1", "sms", "inbound", "customer", Content(text), abs(hash(id)), at)


async def find(store: Store, *asked: str, **options: Any) -> list[str]:
    found, _ = await holding(store, asked, **{"limit": 10, **options})
    return [message["_id"] for message in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("La Veste bleue, la VESTE !", {"la", "veste", "bleue"}),
        ("déjà été où ça", {"deja", "ete", "ou", "ca"}),
        ("order 48213.", {"order", "48213"}),
        ("Straße İzmir", {"strasse", "izmir"}),
        ("🎉 …", set()),
        ("نعم 是的", {"نعم", "是的"}),
        ("x" * 100, {"x" * words.LONGEST_WORD}),
    ],
)
def test_words_are_small_without_accents_and_each_once(text: str, expected: set[str]) -> None:
    assert words_of(text) == expected


def test_a_commit_has_one_entry_for_each_instant_and_none_for_silence() -> None:
    entries = Entries()
    for id, minutes, text in (("a", 0, "red"), ("b", 0, "red blue"), ("c", 1, "red"), ("d", 0, "")):
        entries.add(id, NOON + timedelta(minutes=minutes), text)
    found = {tuple(one["ids"]): set(one["words"]) for one in entries.documents()}
    assert found == {("a", "b"): {"red", "blue"}, ("c",): {"red"}}


def test_an_entry_is_bounded_and_one_message_never_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_WORDS", 3)
    entries = Entries()
    for id, text in (("a", "one two"), ("b", "two three"), ("c", "four"), ("d", "1 2 3 4 5")):
        entries.add(id, NOON, text)
    assert [one["ids"] for one in entries.documents()] == [["a", "b"], ["c"], ["d"]]
    assert all(len(one["words"]) <= 3 for one in entries.documents())


async def test_only_who_says_every_word_is_found_the_latest_first(store: Store, writer: Writer) -> None:
    texts = ("the red jacket", "a blue jacket", "RED, and a Jacket!", "redder jackets")
    for number, text in enumerate(texts):
        await writer.commit(gives(Changes(messages=(said(f"m{number}", text, number),))))
    assert await find(store, "red", "jacket") == ["m2", "m0"]
    assert await find(store, "jacket") == ["m2", "m1", "m0"]
    assert await find(store, "green") == []


async def test_neighbours_in_one_entry_are_told_apart(store: Store, writer: Writer) -> None:
    both = said("m1", "red"), said("m2", "jacket"), said("m3", "red jacket")
    await writer.commit(gives(Changes(messages=both)))
    assert await store.count(words.COLLECTION, {}) == 1
    assert await find(store, "red", "jacket") == ["m3"]


async def test_what_an_edit_says_is_found_and_what_it_took_back_is_not(store: Store, writer: Writer) -> None:
    await writer.commit(gives(Changes(messages=(said("m1", "red jacket"),))))
    edit = Amend("m1", {"content": {"text": "blue jacket"}})
    await writer.commit(gives(Changes(amends=(edit,)), messages=("m1",)))
    assert await find(store, "blue") == ["m1"]
    assert await find(store, "jacket") == ["m1"]
    assert await find(store, "red") == []


@pytest.mark.parametrize("at_once", [1, 2, 7, 100])
async def test_pages_give_each_message_once_and_in_order(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However the entries fall: several of one instant, several messages in an entry, more entries than are read at once."""
    monkeypatch.setattr(words, "AT_ONCE", at_once)
    for group in range(12):
        messages = tuple(said(f"m{group:02}{one}", "red", group // 3) for one in range(3))
        await writer.commit(gives(Changes(messages=messages)))
    expected = sorted(
        (f"m{group:02}{one}" for group in range(12) for one in range(3)), key=lambda id: (-(int(id[1:3]) // 3), id)
    )
    seen: list[str] = []
    place: Place | None = None
    while True:
        found, place = await holding(store, ["red"], limit=5, after=place)
        seen += [message["_id"] for message in found]
        if place is None:
            break
        assert len(found) == 5
    assert seen == expected


async def test_a_long_search_stops_and_says_where_it_goes_on(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "AT_ONCE", 2)
    monkeypatch.setattr(words, "MOST_ENTRIES", 4)
    for number in range(12):  # both words in every entry, but only the oldest message says both
        texts = ("red jacket", "") if number == 0 else ("red", "jacket")
        messages = tuple(said(f"m{number}{one}", text, number) for one, text in enumerate(texts))
        await writer.commit(gives(Changes(messages=messages)))
    found, place = await holding(store, ["red", "jacket"], limit=5)
    assert not found and place is not None
    rounds = 0
    while place is not None:
        found, place = await holding(store, ["red", "jacket"], limit=5, after=place)
        rounds += 1
    assert [message["_id"] for message in found] == ["m00"]
    assert rounds > 1


async def test_an_entry_is_in_the_commit_of_its_messages(store: Store, writer: Writer) -> None:
    await writer.commit(hears(1, text="bonjour"))
    await writer.commit(hears(1, text="bonjour"))  # a provider's repetition
    assert await store.count(words.COLLECTION, {}) == 1
    assert await find(store, "bonjour") == ["telegram:42/1"]
