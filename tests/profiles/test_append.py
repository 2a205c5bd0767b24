"""Appending: what a message changes in its conversation, and what it must not move."""

from datetime import UTC, datetime, timedelta
from typing import Any

from profiles.append import LISTS_LAG, begin, heard, said
from profiles.conversation import Conversation, take
from profiles.indexes import INDEXES
from profiles.profile import Identity, Profile
from profiles.record import difference, replace
from profiles.timeline import Button, Content

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PERSON = Profile("P1", NOON, (Identity("telegram", "42", NOON, NOON),))


def conversation() -> Conversation:
    return begin("telegram:42", PERSON, channel="telegram", address="42", identity="telegram:42", now=NOON)


def hear(thread: Conversation, at: datetime) -> Conversation:
    return heard(thread, Content("hello"), id=f"telegram:{at.timestamp()}", now=at)[0]


def test_a_lively_exchange_keeps_its_place_in_the_lists_for_a_minute() -> None:
    thread = hear(conversation(), NOON)
    thread = hear(thread, NOON + LISTS_LAG - SECOND)
    assert (thread.active_at, thread.last_at) == (NOON, NOON + LISTS_LAG - SECOND)
    thread = hear(thread, NOON + LISTS_LAG)
    assert thread.active_at == thread.last_at == NOON + LISTS_LAG


def test_a_message_of_a_lively_exchange_moves_no_index() -> None:
    """An indexed field that changes makes the update twice as dear for the database (profiles/indexes.py)."""
    for owned in (conversation(), take(conversation(), "A1")):
        before = hear(owned, NOON)
        after = hear(before, NOON + SECOND)
        put, drop = difference(before, after)
        assert put
        assert not {*put, *drop} & _indexed("conversations")
    was, now = (replace(PERSON, last_channel="telegram", last_inbound_at=at) for at in (NOON, NOON + SECOND))
    assert not difference(was, now)[0].keys() & _indexed("profiles")


def test_what_we_say_offers_its_buttons_and_takes_the_next_seq() -> None:
    thread = hear(take(conversation(), "A1"), NOON)
    assert (thread.unread, thread.waiting_since) == (1, NOON)
    content = Content("Which?", buttons=(Button("Red"),))
    thread, message = said(thread, content, id="m1", author="agent:A1", now=NOON + SECOND, to="telegram:42")
    assert (message.seq, thread.seq, thread.offered) == (2, 2, content.buttons)
    assert (thread.unread, thread.waiting_since) == (0, None)
    assert message.delivery is not None and message.delivery.to == "telegram:42"


def _indexed(collection: str) -> set[str]:
    fields: set[str] = set()
    for index in INDEXES[collection]:
        document: dict[str, Any] = index.document
        fields |= {name.split(".")[0] for name in document["key"]} - {"_id", "_fts", "_ftsx"}
        fields |= {name.split(".")[0] for name in document.get("weights", {})}
    return fields
