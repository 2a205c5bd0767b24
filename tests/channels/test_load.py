"""When a process refuses: what is slow, how many may come in meanwhile, and when it is over. Time is a number here."""

from collections import deque

import pytest

from channels.load import CALM_SECONDS, NEVER_FEWER, NEVER_MORE, SLOW_SECONDS, Load

BOUND = 0.5


def busy(load: Load, *, seconds: int, took: float, each_second: int = 300, begin: float = 100.0) -> float:
    """Let so many end in each second, each after so long; return the time after it."""
    for second in range(seconds):
        for number in range(each_second):
            end = begin + second + number / each_second
            ticket = load.admit(end - took, must=True)
            assert ticket is not None
            load.done(ticket, end)
    load.pass_time(begin + seconds)
    return begin + seconds


def filled(load: Load, now: float, count: int) -> list[int]:
    """Let so many come in and return the tickets of those who did."""
    return [ticket for ticket in (load.admit(now) for _ in range(count)) if ticket is not None]


@pytest.mark.parametrize(
    ("seconds", "took", "sheds"),
    [(SLOW_SECONDS, 0.6, True), (SLOW_SECONDS - 1, 0.6, False), (20, 0.4, False), (20, 0.0, False)],
)
def test_some_slow_seconds_in_a_row_make_it_shed(seconds: int, took: float, sheds: bool) -> None:
    load = Load(BOUND)
    busy(load, seconds=seconds, took=took)
    assert load.is_shedding is sheds


def test_what_takes_just_as_long_as_it_may_is_not_late() -> None:
    load = Load(BOUND)
    busy(load, seconds=20, took=BOUND, each_second=1)
    assert not load.is_shedding


def test_one_that_is_slow_among_many_is_nothing() -> None:
    load = Load(BOUND)
    for second in range(10):
        busy(load, seconds=1, took=0.1, begin=100.0 + second, each_second=300)
        ticket = load.admit(100.0 + second, must=True)
        assert ticket is not None
        load.done(ticket, 100.9 + second)
    assert not load.is_shedding


def test_a_database_that_stands_still_is_slow_although_nothing_ends() -> None:
    load = Load(BOUND)
    assert len(filled(load, 100.0, 1_000)) == 1_000
    assert len(filled(load, 100.0 + BOUND + SLOW_SECONDS + 1, 10)) == 0
    assert (load.is_shedding, load.refused) == (True, 10)


def test_few_at_once_are_never_refused() -> None:
    load = Load(BOUND)
    now = busy(load, seconds=SLOW_SECONDS, took=3.0, each_second=10)
    assert load.is_shedding
    assert len(filled(load, now, NEVER_FEWER + 5)) == NEVER_FEWER
    assert load.admit(now, must=True) is not None, "what is said only once is taken"


def test_as_many_come_in_as_are_done_in_half_the_bound() -> None:
    load = Load(BOUND)
    now = busy(load, seconds=7, took=0.6, each_second=4_000)
    assert len(filled(load, now, 3_000)) == load.most == 4_000 * BOUND / 2


def test_a_burst_is_bounded_before_any_second_is_slow() -> None:
    load = Load(BOUND)
    assert len(filled(load, 100.0, 5_000)) == NEVER_MORE
    assert (load.is_shedding, load.refused) == (False, 5_000 - NEVER_MORE)


def test_it_is_over_when_nothing_is_slow_and_nobody_was_refused_for_some_seconds() -> None:
    load = Load(BOUND)
    now = busy(load, seconds=SLOW_SECONDS, took=0.6)
    now = busy(load, seconds=CALM_SECONDS - 1, took=0.1, begin=now)
    tickets = filled(load, now, NEVER_FEWER + 1)
    for ticket in tickets:
        load.done(ticket, now)
    now = busy(load, seconds=CALM_SECONDS, took=0.1, begin=now)
    assert load.is_shedding, "somebody was refused in the first of these seconds"
    busy(load, seconds=1, took=0.1, begin=now)
    assert not load.is_shedding


def test_after_a_long_rest_nothing_of_before_counts() -> None:
    load = Load(BOUND)
    now = busy(load, seconds=SLOW_SECONDS, took=0.6)
    load.pass_time(now + 3_600)
    assert not load.is_shedding
    assert len(filled(load, now + 3_600, 1_000)) == 1_000


def test_without_a_bound_nobody_is_refused() -> None:
    load = Load(0.0)
    assert len(filled(load, 100.0, 5_000)) == 5_000
    assert len(filled(load, 200.0, 5_000)) == 5_000


@pytest.mark.parametrize(("bound", "longest"), [(BOUND, 1.0), (0.0, 1_000.0)])
def test_with_twice_what_can_be_done_those_who_are_in_still_wait_less_than_a_second(
    bound: float, longest: float
) -> None:
    """A queue that gets 2,000 a second done and is asked for 4,000, for 20 s; the control never refuses, and waits for 10 s."""
    load, waiting, waits = Load(bound), deque[tuple[int, float]](), list[tuple[float, float]]()
    for millisecond in range(20_000):
        now = 100.0 + millisecond / 1_000
        waiting.extend((ticket, now) for ticket in filled(load, now, 4))
        for _ in range(min(2, len(waiting))):
            ticket, since = waiting.popleft()
            load.done(ticket, now)
            waits.append((now, now - since))
    settled = [wait for now, wait in waits if now > 110]
    assert len(waits) == pytest.approx(40_000, rel=0.01), "as much gets done as before"
    assert max(settled) < longest
    assert (max(settled) > 5) is (bound == 0)
