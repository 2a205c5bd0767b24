"""Four processes race for slots: a checker outside finds no over-send in ours, and finds them where people count first."""

import pytest

from bench.gate import QUICK, TWO, race
from bench.gate_worker import Design
from bench.overs import Grant, Limit, doubles, overs

SECONDS = 2.5


@pytest.mark.parametrize(
    ("design", "contacts", "tasks"),
    [("ledger", 15, 8), ("each", 15, 8), ("ledger", 2_000, 16)],
    ids=["hot", "each", "spread"],
)
async def test_no_cap_is_exceeded_whatever_races(
    mongo_url: str, database_name: str, design: Design, contacts: int, tasks: int
) -> None:
    raced = await race(mongo_url, database_name, design, QUICK, contacts=contacts, tasks=tasks, seconds=SECONDS)
    assert raced.grants > 50
    assert (raced.overs, raced.doubles) == (0, 0)


async def test_campaigns_that_race_for_the_same_contacts_fill_each_cap_exactly(
    mongo_url: str, database_name: str
) -> None:
    raced = await race(mongo_url, database_name, "bulk", TWO, contacts=500, tasks=4, seconds=SECONDS)
    assert (raced.grants, raced.overs, raced.doubles) == (1_000, 0, 0)


@pytest.mark.parametrize("design", ["count", "transaction"])
async def test_the_checker_sees_the_over_sends_of_those_who_count_first(
    mongo_url: str, database_name: str, design: Design
) -> None:
    """The control: were it silent here, its silence above would say nothing."""
    raced = await race(mongo_url, database_name, design, QUICK, contacts=8, tasks=8, seconds=SECONDS)
    assert raced.overs > 0


def test_the_checker_counts_what_is_too_many() -> None:
    grants = [Grant("c", f"r{at}", at, "email", "news") for at in (0.0, 10.0, 20.0, 100.0)]
    assert overs(grants, [Limit(2, 50.0)]) == 1
    assert overs(grants, [Limit(2, 50.0, "channel", "sms")]) == 0
    assert overs([*grants, *grants], [Limit(3, 50.0)]) == 0
    assert overs([Grant("c", "a", 0.0, "x", "y"), Grant("c", "b", 50.0, "x", "y")], [Limit(1, 50.0)]) == 0
    assert doubles([Grant("c", "a", 0.0, "x", "y"), Grant("c", "a", 1.0, "x", "y")]) == 1
