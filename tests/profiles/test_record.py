"""A record becomes a document and comes back the same, and only what changed is written."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from profiles.conversation import Conversation, Handover
from profiles.profile import Attribute, Identity, Profile, Suppression
from profiles.record import difference, from_document, matching, to_document
from profiles.store import Store
from profiles.timeline import Attachment, Button, Card, Content, Delivery, Event, Message, Place
from tests.world import NOON

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
moments = st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(milliseconds=seconds))
plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts | st.floats(allow_nan=False)
opaque = st.dictionaries(
    texts, plain | st.lists(plain, max_size=3) | st.dictionaries(texts, plain, max_size=2), max_size=3
)

suppressions = st.builds(Suppression, st.sampled_from(["opted_out", "blocked"]), moments)
identities = st.builds(Identity, texts, texts, moments, st.none() | moments, st.none() | suppressions, st.booleans())
profiles = st.builds(
    Profile, texts, moments, st.lists(identities, max_size=2).map(tuple),
    st.dictionaries(texts, st.builds(Attribute, plain, st.sampled_from(["declared", "tracked"]), moments, texts), max_size=2),
    st.none() | texts, st.none() | texts, st.none() | moments, st.lists(texts, max_size=2).map(tuple), st.none() | texts,
    version=st.integers(0, 9),
)  # fmt: skip
buttons = st.lists(st.builds(Button, texts, st.none() | texts, st.none() | texts), max_size=2).map(tuple)
contents = st.builds(
    Content, texts, buttons,
    st.lists(st.builds(Attachment, st.sampled_from(["image", "file"]), texts, texts, st.integers(0, 9)), max_size=2).map(tuple),
    st.none() | st.builds(Place, st.floats(-90, 90), st.floats(-180, 180)), st.none() | st.builds(Card, texts, texts),
    st.none() | texts,
)  # fmt: skip
messages = st.builds(
    Message, texts, texts, texts, texts, st.sampled_from(["inbound", "outbound", "note"]), texts, contents, st.integers(1, 9),
    moments, delivery=st.none() | st.builds(Delivery, texts, times=st.dictionaries(texts, moments, max_size=2)), metadata=opaque,
)  # fmt: skip
conversations = st.builds(
    Conversation, texts, texts, texts, texts, moments, seq=st.integers(0, 9), last_text=texts, bot=opaque,
    handover=st.none() | st.builds(Handover, st.just("asked"), moments, texts), labels=st.lists(texts, max_size=2).map(tuple),
    waiting_since=st.none() | moments, version=st.integers(0, 9),
)  # fmt: skip
events = st.builds(Event, texts, texts, texts, moments, properties=opaque)
records = profiles | messages | conversations | events


@given(records)
def test_a_record_comes_back_as_it_was(record: Any) -> None:
    assert from_document(type(record), to_document(record)) == record


@given(records, st.data())
def test_the_difference_leads_from_one_to_the_other(before: Any, data: st.DataObject) -> None:
    kinds = {Profile: profiles, Message: messages, Conversation: conversations, Event: events}
    after = data.draw(kinds[type(before)])
    document = to_document(before)
    put, drop = difference(before, after)
    document.update(put)
    for name in drop:
        document.pop(name)  # what is dropped was there
    assert document == to_document(after)


@given(records)
def test_nothing_changed_is_nothing_to_write(record: Any) -> None:
    assert difference(record, replace(record)) == ({}, {})


async def test_the_database_gives_back_the_same_record(store: Store) -> None:
    profile = Profile(
        "P1", NOON, (Identity("sms", "+33612345678", NOON, NOON, Suppression("opted_out", NOON), False),),
        {"seen": Attribute(NOON, "tracked", NOON), "sizes": Attribute(["M", "L"], "declared", NOON, "agent:7")},
        language="fr", absorbed=("P2",),
    )  # fmt: skip
    message = Message(
        "m", "c", "P1", "sms", "outbound", "bot", Content("a", (Button("b"),), (Attachment("image"),), Place(1.5, 2.5)), 1, NOON,
        delivery=Delivery("sms:+33612345678", times={"sent": NOON}), metadata={"$a.b": {"c": [1, None]}},
    )  # fmt: skip
    for record, collection in ((profile, "profiles"), (message, "messages")):
        await store.insert(collection, to_document(record))
        document = await store.get(collection, record.id)
        assert document is not None
        assert from_document(type(record), document) == record


def test_what_is_at_its_default_is_not_stored() -> None:
    assert to_document(Profile("P1", NOON)) == {"_id": "P1", "created_at": NOON}


async def test_a_default_is_found_though_it_is_not_stored(store: Store) -> None:
    for id, status in (("a", "open"), ("b", "resolved")):
        thread = Conversation(id, "P1", "sms", "1", NOON, status=status)  # type: ignore[arg-type]
        await store.insert("conversations", to_document(thread))
        found = await store.find("conversations", matching(Conversation, status=status, channel="sms"))
        assert [document["_id"] for document in found] == [id]


def test_what_a_newer_server_wrote_is_passed_over() -> None:
    assert from_document(Profile, {"_id": "P1", "created_at": NOON, "shoe_size": 42}) == Profile("P1", NOON)


def test_a_field_that_is_new_needs_no_migration() -> None:
    @dataclass(frozen=True, slots=True)
    class Later:
        id: str
        colours: tuple[str, ...] = field(default=("red",))

    assert from_document(Later, {"_id": "x"}) == Later("x")
