"""The interval of a lift: the published example, small groups, and what it keeps its promise by."""

import random

import pytest

from rules.lift import Lift, Share, lift


def test_the_interval_is_newcombes() -> None:
    # Newcombe 1998, table II, method 10: 56/70 against 48/80 gives 0.2000 (0.0524 to 0.3339)
    found = lift(Share(56, 70), Share(48, 80))
    assert found is not None
    assert (round(found.difference, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert found.is_certain


@pytest.mark.parametrize(("written", "held"), [(Share(0, 0), Share(1, 10)), (Share(1, 10), Share(0, 0))])
def test_without_one_of_the_groups_there_is_no_lift(written: Share, held: Share) -> None:
    assert lift(written, held) is None


def test_a_handful_of_contacts_proves_nothing() -> None:
    found = lift(Share(2, 5), Share(0, 3))
    assert found is not None and found.low < 0 < found.high and not found.is_certain


def test_nobody_in_either_group_is_no_certainty() -> None:
    found = lift(Share(0, 10), Share(0, 10))
    assert found == Lift(0.0, found.low, found.high) if found else False
    assert found and -1 <= found.low < 0 < found.high <= 1


def test_the_truth_lies_inside_about_95_times_in_100() -> None:
    chance = random.Random(20261122)  # noqa: S311 (a simulation)
    inside, rounds, first, second = 0, 2_000, 0.06, 0.03
    for _ in range(rounds):
        some = Share(sum(chance.random() < first for _ in range(180)), 180)
        others = Share(sum(chance.random() < second for _ in range(60)), 60)
        found = lift(some, others)
        inside += found is not None and found.low <= first - second <= found.high
    assert 0.93 <= inside / rounds <= 0.985
