"""How a test of variants ends: by the measure, after enough sends, once among all processes, and nobody changes theirs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from profiles.indexes import INDEXES
from profiles.record import to_document
from profiles.store import Store
from rules.chance import variant
from rules.reading import Reads
from rules.rule import tests_of as parts_of
from rules.rule_step import Send
from rules.run import Run, Sent
from rules.variants import Tally, variants_of
from rules.winner import WINNERS, Winners, decide
from rules.winner import test_id as id_of
from tests.cast import NOON
from tests.rules.play import Play, rule

RULE = """
rule: cart
state: live
class: transactional
when: {event: cart.updated, key: event.cart_id, again: parallel}
goal: {event: order.paid, within: 3d}
steps:
  - if: contact.first_name == "Anna"
    then:
      - send: {channel: telegram, template: t, variants: {a: 50, b: 50}, winner: {by: clicked, after: 10}}
"""
TEST = rule(RULE)
(STEP,) = parts_of(TEST)


@pytest.mark.parametrize(
    ("tallies", "measure", "winner"),
    [
        ({"a": Tally(50, clicked=5), "b": Tally(49, clicked=9)}, "clicked", None),  # 99 sends of 100
        ({"a": Tally(50, clicked=5), "b": Tally(50, clicked=9)}, "clicked", "b"),
        ({"a": Tally(50, clicked=5, goal=3), "b": Tally(50, clicked=9, goal=2)}, "goal", "a"),
        ({"a": Tally(50, opened=5), "b": Tally(50)}, "opened", "a"),
        ({"a": Tally(50), "b": Tally(60)}, "clicked", None),  # nothing came back yet
        ({"a": Tally(50, clicked=5), "b": Tally(100, clicked=10)}, "clicked", None),  # a tie
        ({"a": Tally(90, clicked=9), "b": Tally(10, clicked=2)}, "clicked", "b"),  # by rate, not by number
        ({"a": Tally(100, clicked=9), "b": Tally()}, "clicked", "a"),
        ({"a": Tally(40, clicked=4), "b": Tally(40, clicked=2), "c": Tally(40, clicked=6)}, "clicked", "c"),
    ],
)
def test_the_best_rate_wins_once_enough_was_sent(
    tallies: Mapping[str, Tally], measure: Any, winner: str | None
) -> None:
    won = decide(tallies, measure, 100)
    assert (won.variant if won else None) == winner


def test_how_sure_a_victory_is_stands_beside_it() -> None:
    close = decide({"a": Tally(50, clicked=5), "b": Tally(50, clicked=6)}, "clicked", 100)
    clear = decide({"a": Tally(500, clicked=50), "b": Tally(500, clicked=120)}, "clicked", 100)
    assert close and close.ahead and not close.ahead.is_certain
    assert clear and clear.ahead and clear.ahead.is_certain and clear.ahead.difference == pytest.approx(0.14)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    yield opened
    await opened.close()


async def sent(store: Store, number: int, variant: str, *reactions: str, **how: Any) -> None:
    """Keep a run that was sent this variant."""
    back = dict.fromkeys(reactions, NOON)
    run = Run(
        f"r{number}", "cart", "v1", f"p{number}", NOON, sends={STEP.id: Sent(NOON, ("m",), ("telegram",), variant, back)}, **how
    )  # fmt: skip
    await store.insert("runs", to_document(run))


async def test_variants_are_counted_from_runs_whatever_the_steps_name(store: Store) -> None:
    assert STEP.id == "0.then.0", "its dots are no path"
    await sent(store, 1, "a", "opened", "clicked")
    await sent(store, 2, "a", goal_at=NOON)
    await sent(store, 3, "b", "delivered")
    await sent(store, 4, "b", "clicked", is_ghost=True)
    await sent(store, 5, "gone", "clicked")
    other = Run("r9", "other", "v1", "p1", NOON, sends={STEP.id: Sent(NOON, variant="a")})
    await store.insert("runs", to_document(other))
    second = {
        STEP.id: Sent(NOON, variant="a"),
        f"{STEP.id}/fallback": Sent(NOON, variant="a", reactions={"clicked": NOON}),
    }
    await store.insert("runs", to_document(Run("r10", "cart", "v1", "p10", NOON, sends=second)))
    assert await variants_of(store, "cart", STEP.id, ["a", "b", "c"]) == {
        "a": Tally(sent=3, opened=1, clicked=2, goal=1), "b": Tally(sent=1), "c": Tally(),
    }  # fmt: skip


async def ten_sends(store: Store, *, best: str) -> None:
    """Have ten sends made, and the clicks go to one variant."""
    for number in range(10):
        name = "ab"[number % 2]
        await sent(store, number, name, *(["clicked"] if name == best and number < 6 else []))


async def test_a_test_ends_once_among_all_processes(store: Store) -> None:
    now = [NOON]
    several = [Winners(store, clock=lambda: now[0]) for _ in range(5)]
    for one in several:
        one.use([TEST])
        assert one.winner(TEST, STEP) == ""
    assert sum(await asyncio.gather(*(one.look() for one in several))) == 0, "nothing was sent yet"
    await ten_sends(store, best="b")
    assert sum(await asyncio.gather(*(one.look() for one in several))) == 0, "it was counted a moment ago"
    now[0] += timedelta(minutes=1)
    assert sum(await asyncio.gather(*(one.look() for one in several))) == 1
    (row,) = await store.find(WINNERS, {})
    assert (row["rule"], row["step"], row["variant"], row["sent"]) == ("cart", STEP.id, "b", 10)
    assert row["counts"]["b"] == {"sent": 5, "opened": 0, "clicked": 3, "goal": 0}
    assert [one.winner(TEST, STEP) for one in several] == ["b"] * 5


async def test_the_first_process_to_decide_is_right_also_for_one_that_counted_otherwise(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ten_sends(store, best="b")
    late = Winners(store, clock=lambda: NOON)
    late.use([TEST])

    async def counts_later(*asked: Any) -> Mapping[str, Tally]:
        await store.insert(WINNERS, {"_id": id_of(TEST, STEP), "variant": "b"})  # by another process, meanwhile
        return {"a": Tally(20, clicked=9), "b": Tally(20, clicked=3)}

    monkeypatch.setattr("rules.winner.variants_of", counts_later)
    assert await late.look() == 0
    assert late.winner(TEST, STEP) == "b"


async def test_a_tie_is_counted_more_rarely_the_longer_it_lasts(store: Store) -> None:
    now = [NOON]
    winners = Winners(store, clock=lambda: now[0])
    winners.use([TEST])
    for number in range(100):
        await sent(store, number, "ab"[number % 2])  # ten times what the test asks for, and nobody clicked
    assert await winners.look() == 0
    await sent(store, 200, "b", "clicked")
    now[0] += timedelta(minutes=2)
    assert await winners.look() == 0 and winners.winner(TEST, STEP) == ""
    now[0] += timedelta(minutes=3)
    assert await winners.look() == 1 and winners.winner(TEST, STEP) == "b"


async def test_a_test_that_ended_stays_as_it_ended(store: Store) -> None:
    first = Winners(store, clock=lambda: NOON)
    first.use([TEST])
    await ten_sends(store, best="b")
    assert await first.look() == 1
    for number in range(20, 40):
        await sent(store, number, "a", "clicked")
    second = Winners(store, clock=lambda: NOON)
    second.use([TEST])
    assert await second.look() == 0
    assert second.winner(TEST, STEP) == "b"


async def test_other_variants_make_another_test(store: Store) -> None:
    winners = Winners(store, clock=lambda: NOON)
    winners.use([TEST])
    await ten_sends(store, best="b")
    await winners.look()
    edited = rule(RULE.replace("{a: 50, b: 50}", "{a: 50, c: 50}"))
    (step,) = parts_of(edited)
    assert id_of(edited, step) != id_of(TEST, STEP)
    assert winners.winner(edited, step) == ""


async def test_a_paused_rule_ends_no_test(store: Store) -> None:
    paused = rule(RULE.replace("state: live", "state: paused"))
    winners = Winners(store, clock=lambda: NOON)
    winners.use([paused])
    await ten_sends(store, best="b")
    assert await winners.look() == 0


class Crowned:
    """A test that a variant has won."""

    def __init__(self, variant: str = "") -> None:
        self.variant = variant

    def winner(self, rule: Any, step: Send) -> str:
        return self.variant


async def test_who_had_a_variant_keeps_it_and_the_next_get_the_winner() -> None:
    plain = RULE.replace('"Anna"', '"Anna" or contact.first_name == "Clara"')
    play = Play(plain)
    (step,) = parts_of(rule(plain))
    crowned = Crowned()
    play._simulation._turn._gatekeeper._winners = crowned
    mine = variant("cart", step.id, "anna", step.variants)
    await play.happens("cart.updated", cart_id="c1")
    assert play.got() == [f"telegram: t {mine}"]
    crowned.variant = "b" if mine == "a" else "a"
    await play.happens("cart.updated", cart_id="c2")
    assert play.got() == [f"telegram: t {mine}"] * 2, "they stay with theirs"
    others = variant("cart", step.id, "clara", step.variants)
    for chosen in ("a", "b"):
        play = Play(plain)
        play._simulation._turn._gatekeeper._winners = Crowned(chosen)
        await play.happens("cart.updated", "clara", cart_id="c3")
        assert play.got("clara") == [f"telegram: t {chosen}"], others
        assert [row["variant"] for row in play.rows("clara") if row.get("variant")] == [chosen]


def test_a_rule_that_tests_variants_reads_who_had_which() -> None:
    assert Reads.of([TEST]).entries == {"cart": None}
    assert Reads.of([rule(RULE.replace(", winner: {by: clicked, after: 10}", ""))]).entries == {}
