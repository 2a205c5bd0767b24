"""Figures of a rule from what the engine stored: who is inside, how far they got, what limits stood against."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from profiles.caps import Cap, grace
from profiles.indexes import INDEXES
from profiles.record import to_document
from profiles.store import Store
from rules.funnel import Standing, funnel, standing
from rules.run import FOR_EVER, Run, Sent, Token
from rules.spent import spent
from rules.tallies import tallies
from tests.cast import NOON

WEEK = timedelta(days=7)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


async def ran(store: Store, id: str, **more: Any) -> None:
    await store.insert("runs", to_document(Run(id, "cart", "v1", id, NOON, **more)))


def sent(variant: str = "", *reactions: str) -> dict[str, Sent]:
    return {"2.otherwise.0": Sent(NOON, ("m",), ("sms",), variant, {name: NOON for name in reactions})}


async def test_the_funnel_tells_variants_and_those_held_out_apart(store: Store) -> None:
    await ran(store, "a1", sends=sent("a", "delivered", "opened", "clicked"), goal_at=NOON, goal_value=60.0)
    await ran(store, "a2", sends=sent("a", "delivered"))
    await ran(store, "b1", sends=sent("b"), goal_at=NOON, goal_value=40.0)
    await ran(store, "waits")
    await ran(store, "ghost", sends=sent("a"), is_ghost=True)
    await store.insert("runs", to_document(Run("other", "else", "v1", "x", NOON, sends=sent("a"))))
    found = await funnel(store, "cart", NOON - WEEK)
    whole = found.whole
    assert (whole.entered, whole.sent, whole.delivered, whole.opened, whole.clicked) == (4, 3, 2, 1, 1)
    assert (whole.goals, whole.value) == (2, 100.0)
    assert [(arm.variant, arm.sent, arm.goals) for arm in found.arms] == [("a", 2, 1), ("b", 1, 1)]
    assert found.held_out and (found.held_out.sent, found.held_out.goals) == (1, 0)
    assert found.lift and round(found.lift.difference, 3) == 0.667
    assert (await funnel(store, "cart", NOON + WEEK)).whole.entered == 0


async def test_inside_are_those_who_have_steps_before_them(store: Store) -> None:
    await ran(store, "one", tokens=(Token("first", NOON, NOON),), watch_until=FOR_EVER, due_at=NOON)
    await ran(store, "two", tokens=(Token("first", NOON, held="quiet->09:00"),), watch_until=FOR_EVER)
    await ran(store, "both", tokens=(Token("x", NOON), Token("y", NOON)), watch_until=FOR_EVER)
    await ran(store, "over", tokens=(Token("first", NOON),), watch_until=NOON + WEEK, ended_at=NOON)
    assert await standing(store, "cart") == (
        Standing("first", 2, 1), Standing("x", 1), Standing("y", 1)
    )  # fmt: skip


async def test_decisions_are_counted_by_what_they_came_to(store: Store) -> None:
    reasons = (
        ["sent"] * 3
        + ["capped:label:promo"] * 2
        + ["quiet->09:00", "quiet->09:01", "best_hour->14:00", "complaints", "grace:all", "holdout", "exit:goal"]
    )
    for number, reason in enumerate(reasons):
        await store.insert("decisions", {"_id": str(number), "rule": "cart", "reason": reason, "at": NOON})
    await store.insert("decisions", {"_id": "old", "rule": "cart", "reason": "sent", "at": NOON - 2 * WEEK})
    found = await tallies(store, ["cart", "none"], NOON - WEEK)
    tally = found["cart"]
    assert (tally.sent, tally.held, tally.skipped, tally.ghosts) == (3, 4, 3, 1)
    assert tally.waited == (("quiet", 2), ("best_hour", 1), ("complaints", 1)) and tally.ended == (("exit:goal", 1),)
    assert tally.refused == (("capped:label:promo", 2), ("grace:all", 1))
    assert (tally.full, tally.starved) == (3, 0.5)
    assert found["none"].sent == 0 and found["none"].starved == 0


async def test_pressure_counts_each_contact_and_each_limit(store: Store) -> None:
    def entry(number: int, days: float, label: str = "") -> dict[str, Any]:
        return {
            "t": NOON - timedelta(days=days),
            "r": str(number),
            "c": "sms",
            "k": "offers",
            **({"g": [label]} if label else {}),
        }

    await store.insert("ledgers", {"_id": "much", "h": [entry(1, 0.5, "promo"), entry(2, 1, "promo"), entry(3, 2)]})
    await store.insert("ledgers", {"_id": "some", "h": [entry(4, 0.5), entry(5, 2), entry(6, 30)]})
    await store.insert("ledgers", {"_id": "little", "h": [entry(7, 3)]})
    await store.insert("ledgers", {"_id": "long ago", "h": [entry(8, 20)]})
    caps = (Cap(3, WEEK), Cap(2, WEEK, "label", "promo"), Cap(1, "day"), grace(timedelta(hours=4)))
    found = await spent(store, caps, NOON - WEEK, NOON)
    assert found.histogram == ((1, 1), (2, 1), (3, 1)) and found.contacts == 3 and found.is_whole
    assert found.top[0] == ("much", 3)
    assert [(one.cap, one.full, one.one_left) for one in found.caps] == [(caps[0], 1, 1), (caps[1], 1, 0)]


async def test_an_empty_database_has_no_pressure(store: Store) -> None:
    found = await spent(store, (Cap(3, WEEK),), NOON - WEEK, NOON)
    assert found.histogram == () and found.contacts == 0 and found.caps[0].full == 0
