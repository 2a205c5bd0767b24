"""Caps of one ledger: what is refused as a cap, which local day it is, what a cap kept for higher priorities counts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from profiles.caps import Cap, Slot, first_free, full, grace, is_calendar, mistakes, starts
from profiles.ledger import Entry, Ledger

NOW = datetime(2026, 3, 29, 10, tzinfo=UTC)  # a Sunday; the clocks of Paris moved at 01:00
PARIS = ZoneInfo("Europe/Paris")
WEEK = timedelta(days=7)
MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("cap", "problem"),
    [
        (Cap(-1, WEEK), "at most: expected 0 or more, got -1"),
        (Cap(1, timedelta(0)), "within: expected more than nothing and at most 90d, got 0:00:00"),
        (Cap(1, timedelta(days=91)), "within: expected more than nothing and at most 90d, got 91 days, 0:00:00"),
        (Cap(1, WEEK, "label"), "label: expected a name, got ''"),
        (Cap(1, WEEK, "all", "promo"), "all: expected no name, got 'promo'"),
    ],
)
def test_what_is_no_cap_is_told_in_a_sentence(cap: Cap, problem: str) -> None:
    assert mistakes(cap) == (problem,)


def test_a_day_is_as_long_as_it_is_in_the_contacts_zone() -> None:
    yesterday, today, tomorrow = starts("day", PARIS, NOW)
    assert (today - yesterday, tomorrow - today) == (timedelta(hours=24), timedelta(hours=23))


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    assert [start.astimezone(PARIS).day for start in starts("week", PARIS, NOW)] == [16, 23, 30]
    assert [start.astimezone(PARIS).month for start in starts("month", PARIS, NOW)] == [2, 3, 4]
    assert is_calendar([Cap(1, WEEK), Cap(1, "day")]) and not is_calendar([grace(WEEK)])


def test_what_was_sent_as_the_day_began_is_of_that_day() -> None:
    _, today, tomorrow = starts("day", PARIS, NOW)
    slot, cap = Slot("x", "email", "offers"), Cap(1, "day")
    at, before = (Ledger("p", entries=(Entry(moment, "r", "email", "offers"),)) for moment in (today, today - MOMENT))
    assert [spent.until for spent in full(at, slot, [cap], zone=PARIS, now=NOW)] == [tomorrow]
    assert full(before, slot, [cap], zone=PARIS, now=NOW) == ()


def test_a_cap_below_a_priority_counts_only_what_is_below() -> None:
    entries = tuple(Entry(NOW - timedelta(hours=n), f"r{n}", "email", "offers", priority=n * 40) for n in (1, 2))
    cap, low, high = Cap(2, WEEK, below=80), Slot("x", "email", "offers"), Slot("x", "email", "offers", priority=80)
    assert full(Ledger("p", entries=entries), low, [cap], zone=PARIS, now=NOW) == ()
    assert not cap.holds_for(high) and not cap.counts(entries[1])


def test_of_several_full_caps_the_last_to_be_free_says_when() -> None:
    entries = (Entry(NOW - timedelta(hours=1), "r", "email", "offers"),)
    caps = [Cap(1, timedelta(hours=2)), Cap(1, WEEK, "channel", "email"), Cap(1, "day")]
    found = full(Ledger("p", entries=entries), Slot("x", "email", "offers"), caps, zone=PARIS, now=NOW)
    assert first_free(found) == entries[0].at + WEEK
    never = full(Ledger("p"), Slot("x", "email", "offers"), [Cap(0, WEEK), *caps], zone=PARIS, now=NOW)
    assert never and first_free(never) is None
