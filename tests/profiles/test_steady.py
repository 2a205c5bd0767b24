"""The guard against a clock that leaps: what it believes, what it doubts and for how long, and what the gate does with it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.consents import Consents, Said
from profiles.ledger_answer import Denied, Granted, Wanted
from profiles.ledgers import PARKED_FOR, Ledgers
from profiles.permits import Pass, Passage, Permits, Stopped
from profiles.steady import BELIEVED_AFTER_SECONDS, LEAP_SECONDS, Steady
from profiles.store import Store

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Watch:
    """A machine that has been running for so long, and a database whose clock is off by so much."""

    def __init__(self) -> None:
        self.running, self.off = 1_000.0, 0.0
        self.steady = Steady(lambda: self.running)
        self.look()

    @property
    def shown(self) -> datetime:
        return START + timedelta(seconds=self.running + self.off)

    def look(self, after: float = 0.0, *, slow: float = 0.0) -> None:
        self.running += after
        shown = self.shown
        self.running += slow
        self.steady.read(shown)

    @property
    def lets_out(self) -> bool:
        latest = self.steady.latest()
        return latest is not None and self.shown <= latest


def test_before_the_first_reading_nothing_is_known() -> None:
    assert Steady(lambda: 5.0).latest() is None


def test_an_even_clock_is_believed_for_ever_slewed_and_asked_slowly_too() -> None:
    watch = Watch()
    for second in range(20_000):
        watch.off += 0.0005 * 2  # as fast as a clock is ever slewed
        watch.look(2, slow=1.5 if second % 7 == 0 else 0.01)
        assert watch.lets_out and not watch.steady.is_doubted


def test_a_clock_that_was_not_looked_at_for_a_day_is_still_believed() -> None:
    watch = Watch()
    watch.look(86_400)
    assert watch.lets_out and not watch.steady.is_doubted


@pytest.mark.parametrize("leap", [LEAP_SECONDS + 0.5, 60, 3_600, 400 * 86_400])
def test_the_first_instant_after_a_leap_is_past_what_is_believed_before_anybody_has_looked(leap: float) -> None:
    watch = Watch()
    watch.look(2)
    watch.off += leap
    assert not watch.lets_out
    watch.look(0.1)
    assert watch.steady.is_doubted and not watch.lets_out
    assert not watch.steady.was_even_for(8)


def test_a_clock_that_comes_back_is_believed_at_once() -> None:
    watch = Watch()
    watch.off += 3_600
    watch.look(2)
    watch.off = 0
    watch.look(2)
    assert watch.lets_out and not watch.steady.is_doubted
    watch.look(9)
    assert watch.steady.was_even_for(8)


def test_a_leap_that_stands_for_an_hour_is_believed_and_one_that_moves_on_is_not() -> None:
    watch = Watch()
    watch.off += 3_600
    for _ in range(int(BELIEVED_AFTER_SECONDS) - 10):
        watch.look(1)
    assert watch.steady.is_doubted
    watch.off += 60
    for _ in range(int(BELIEVED_AFTER_SECONDS) - 10):
        watch.look(1)
    assert watch.steady.is_doubted, "the hour begins again with every leap"
    for _ in range(20):
        watch.look(1)
    assert not watch.steady.is_doubted and watch.lets_out


def test_a_clock_that_goes_back_needs_no_guard_and_has_not_leapt_when_it_is_right_again() -> None:
    watch = Watch()
    watch.off -= 3_600
    watch.look(2)
    assert watch.lets_out and not watch.steady.is_doubted and not watch.steady.was_even_for(8)
    watch.off = 0
    watch.look(2)
    assert watch.lets_out and not watch.steady.is_doubted


# -- the gate, on a real database whose clock looks an hour ahead of what we believe


@pytest.fixture
def leapt(store: Store) -> Store:
    store.steady.read(utc_now() - timedelta(hours=1))
    store.steady.read(utc_now())
    assert store.steady.is_doubted
    return store


async def test_no_slot_is_granted_and_it_is_asked_again_in_minutes(leapt: Store) -> None:
    ledgers, slot, now = Ledgers(leapt), Slot("r", "email", "offers", "not_withdrawn"), utc_now()
    wanted = Wanted("anna", slot, (Cap(2, timedelta(days=7)),), UTC, now)
    parked = Denied("contended", now + PARKED_FOR)
    assert await ledgers.reserve(wanted, now=now) == parked
    assert await ledgers.reserve_each([wanted], now=now) == [parked]
    assert await ledgers.reserve_all(["anna"], slot, wanted.caps, zones={}, now=now) == {"anna": parked}
    leapt.steady = Steady()
    assert isinstance(await ledgers.reserve(wanted, now=now), Granted)


async def test_no_hand_over_begins_but_for_what_must_go_out_anyhow(leapt: Store) -> None:
    permits = Permits(leapt, Ledgers(leapt), clock=utc_now)
    offer = Passage("m/0", "anna", "email:anna", "email", "offers", "marketing", "not_withdrawn")
    assert await permits.ask(offer) == Stopped("contended") and not permits.is_certain
    receipt = Passage("t/0", "anna", "email:anna", "email", "none", "transactional", "none")
    assert isinstance(await permits.ask(receipt), Pass)
    await permits.close()


async def test_a_no_waits_for_the_hand_over_under_way_though_by_the_clock_its_permit_is_over(store: Store) -> None:
    permits = Permits(store, Ledgers(store), clock=utc_now)
    consents = Consents(store, Ledgers(store), permits)
    permit = await permits.ask(Passage("m/0", "anna", "email:anna", "email", "offers", "marketing", "not_withdrawn"))
    assert isinstance(permit, Pass)
    hour = timedelta(hours=1)
    store.steady.read(utc_now() - hour)  # the database's clock is an hour ahead of what we believe
    given_before_the_leap = {"$set": {"p.0.e": utc_now() - hour + timedelta(seconds=13)}}
    await store.change("ledgers", {"_id": "anna"}, given_before_the_leap)
    no = asyncio.create_task(consents.withdraw("anna", "email", "offers", Said("form"), now=utc_now()))
    assert not (await asyncio.wait([no], timeout=0.4))[0]
    permits.settle([permit])
    await permits.close()
    await no


@pytest.mark.parametrize(("leap", "doubted"), [(0.0, False), (1.5, False), (3.0, True)])
def test_an_answer_that_was_slow_to_come_makes_no_leap_of_the_next(leap: float, doubted: bool) -> None:
    """The machine stood still for three seconds as the server began: its first answer seems three seconds late."""
    running, begun = 1_003.0, START.timestamp()
    steady = Steady(lambda: running)
    steady.read(datetime.fromtimestamp(begun, UTC), asked=1_000.0)
    running += 2
    steady.read(datetime.fromtimestamp(begun + 5 + leap, UTC), asked=running)
    assert steady.is_doubted == doubted
