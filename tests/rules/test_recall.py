"""Contacts brought from the database into memory as they were, and what happened since."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from profiles.indexes import INDEXES
from profiles.record import to_document
from profiles.store import Store
from profiles.timeline import Event
from rules.recall import Recalled, recall
from rules.run import Run
from tests.cast import NOON, anna, clara, dmitri
from tests.rules.play import editions

CART = "rule: cart\nstate: live\nclass: transactional\nwhen: {event: cart.updated}\nsteps: [{wait: 1h}]\n"
POINTS = (
    "rule: p\nstate: live\nclass: transactional\nwhen: {threshold: contact.points crosses 10}\nsteps: [{wait: 1h}]\n"
)
DAY = timedelta(days=1)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    people = [anna().learn("points", 12, source="inferred", at=NOON), clara(), dmitri()]
    await store.insert_missing("profiles", [to_document(person) for person in people])
    yield store
    await store.close()


async def happened(store: Store, id: str, name: str, at: datetime, *, by: str = "system", **properties: Any) -> None:
    await store.insert("events", to_document(Event(id, "anna", name, at, by=by, properties=properties)))


async def recalled(store: Store, *, days: int, only: tuple[str, ...] = ()) -> Recalled:
    return await recall(store, editions(CART, POINTS), since=NOON - days * DAY, until=NOON, only=only)


async def test_the_past_is_history_and_what_came_since_is_to_happen(store: Store) -> None:
    await happened(store, "e1", "cart.updated", NOON - 9 * DAY)
    await happened(store, "e2", "cart.updated", NOON - 2 * DAY)
    await happened(store, "e3", "page.viewed", NOON - 2 * DAY)
    got = await recalled(store, days=7)
    assert [event.id for event in got.contacts.events["anna"]] == ["e1"]
    assert [event.id for event in got.events] == ["e2"], "what no rule looks at is left where it is"


async def test_what_rules_did_is_not_played_a_second_time(store: Store) -> None:
    await happened(store, "e1", "cart.updated", NOON - DAY, by="rule:other#0")
    await happened(store, "e2", "segment.entered", NOON - DAY, segment="vip")
    assert (await recalled(store, days=7)).events == ()


async def test_a_watched_attribute_is_what_it_was(store: Store) -> None:
    await happened(store, "e1", "profile.changed", NOON - 3 * DAY, attribute="points", before=5, after=8)
    await happened(store, "e2", "profile.changed", NOON - 2 * DAY, attribute="points", before=8, after=12)
    assert (await recalled(store, days=7)).contacts.profiles["anna"].value("points") == 5
    assert (await recalled(store, days=1)).contacts.profiles["anna"].value("points") == 12


async def test_slots_spent_since_are_free_again_and_older_ones_stay(store: Store) -> None:
    spent = [{"t": NOON - days * DAY, "r": f"r{days}", "c": "sms", "k": "offers"} for days in (1, 9)]
    await store.insert("ledgers", {"_id": "anna", "on": {"sms:offers": True}, "h": spent})
    ledger = (await recalled(store, days=7)).contacts.ledgers["anna"]
    assert [entry.rid for entry in ledger.entries] == ["r9"] and ledger.on == {"sms:offers": True}


async def test_runs_under_way_go_on_only_from_now(store: Store) -> None:
    ended = Run("r1", "cart", "v", "anna", NOON - 20 * DAY, ended_at=NOON - 19 * DAY, ended="done")
    alive = Run("r2", "cart", "v", "anna", NOON - 10 * DAY, due_at=NOON + DAY)
    await store.insert_missing("runs", [to_document(run) for run in (ended, alive)])
    assert [run.id for run in (await recalled(store, days=7)).contacts.runs()] == ["r1"]
    assert {run.id for run in (await recalled(store, days=0)).contacts.runs()} == {"r1", "r2"}


async def test_one_contact_may_be_asked_for(store: Store) -> None:
    got = await recalled(store, days=7, only=("clara",))
    assert set(got.contacts.profiles) == {"clara"}
    assert set((await recalled(store, days=7)).contacts.profiles) == {"anna", "clara", "dmitri"}
