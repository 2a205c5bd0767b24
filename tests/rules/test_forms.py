"""The short texts of rule files mean what they say, and what is no such text is refused."""

from collections.abc import Callable
from datetime import date, datetime, time
from time import process_time
from typing import Any

import pytest

from profiles.duration import Duration
from rules import forms
from rules.forms import Count
from rules.recurring import recurring
from rules.rule_terms import Window
from rules.rule_trigger import OnDate, OnSegment, OnThreshold

EVERY = frozenset(range(7))
WEEK = frozenset(range(5))
DATES, MONTHS = frozenset(range(1, 32)), frozenset(range(1, 13))


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        (forms.length, "90m", Duration(90, "m")),
        (forms.length, "0d", None),
        (forms.length, "often", None),
        (forms.count, "3 per 7d", Count(3, Duration(7, "d"))),
        (forms.count, "1  per day", Count(1, "day")),
        (forms.count, "2 per week below priority 80", Count(2, "week", 80)),
        (forms.count, "2 per week below priority 101", None),
        (forms.count, "many per week", None),
        (forms.clock, "9:05", time(9, 5)),
        (forms.clock, "24:00", None),
        (forms.day, "2026-02-28", date(2026, 2, 28)),
        (forms.day, "2026-02-29", None),
        (forms.day, "20260228", None),
        (forms.moment, "2026-12-24 18:00", datetime(2026, 12, 24, 18)),  # noqa: DTZ001 (local on purpose)
        (forms.moment, "2026-12-24", None),
        (forms.share, "5%", 0.05),
        (forms.share, "101%", None),
        (forms.share, "5", None),
        (forms.weekdays, "mon-fri", WEEK),
        (forms.weekdays, "fri-mon", frozenset({4, 5, 6, 0})),
        (forms.weekdays, "mon, wed and sun", frozenset({0, 2, 6})),
        (forms.weekdays, "every day", EVERY),
        (forms.weekdays, "monday", None),
        (forms.window, "mon-fri 09:00-20:00", Window(WEEK, time(9), time(20))),
        (forms.window, "22:00-07:00", Window(EVERY, time(22), time(7))),
        (forms.window, "09:00-09:00", None),
        (forms.window, "mon-fri", None),
        (forms.anniversary, "contact.born_on at 10:00", OnDate("born_on", time(10))),
        (forms.anniversary, "contact.ends_on - 30d at 9:00", OnDate("ends_on", time(9), Duration(30, "d"), is_before=True)),
        (forms.anniversary, "contact.ends_on plus 1mo at 9:00", OnDate("ends_on", time(9), Duration(1, "mo"))),
        (forms.anniversary, "contact.ends_on - 3h at 9:00", None),
        (forms.anniversary, "born_on at 10:00", None),
        (forms.threshold, "contact.points crosses 1000", OnThreshold("points", 1000.0, "up")),
        (forms.threshold, "contact.points falls below -1.5", OnThreshold("points", -1.5, "down")),
        (forms.threshold, "contact.points crosses 10 either way", OnThreshold("points", 10.0, "both")),
        (forms.threshold, "contact.points falls below 10 either way", None),
        (forms.crossing, "entered vip", OnSegment("vip", "entered")),
        (forms.crossing, "left vip", OnSegment("vip", "left")),
        (forms.crossing, "joined vip", None),
    ],
)  # fmt: skip
def test_a_text_means_what_it_says(form: Callable[[str], Any], text: str, meant: Any) -> None:
    assert form(text) == meant


@pytest.mark.parametrize(
    ("text", "minutes", "hours", "dates", "months", "weekdays"),
    [
        ("09:00", {0}, {9}, DATES, MONTHS, EVERY),
        ("mon-fri 09:30, 18:30", {30}, {9, 18}, DATES, MONTHS, WEEK),
        ("mon, thu 09:00 and 12:00", {0}, {9, 12}, DATES, MONTHS, {0, 3}),
        ("day 1 08:00", {0}, {8}, {1}, MONTHS, EVERY),
        ("last day 08:00", {0}, {8}, {-1}, MONTHS, EVERY),
        ("0 9 * * 1-5", {0}, {9}, DATES, MONTHS, WEEK),
        ("*/15 8-10 * * *", {0, 15, 30, 45}, {8, 9, 10}, DATES, MONTHS, EVERY),
        ("5 4 13 jan,mar fri", {5}, {4}, {13}, {1, 3}, {4}),
        ("0 0 L * 0,7", {0}, {0}, {-1}, MONTHS, {6}),
        ("0 0 1-31/10 2-12/5 *", {0}, {0}, {1, 11, 21, 31}, {2, 7, 12}, EVERY),
    ],
)
def test_both_spellings_of_a_schedule(
    text: str, minutes: set[int], hours: set[int], dates: set[int], months: set[int], weekdays: set[int]
) -> None:
    found = recurring(text)
    assert found is not None
    fields = (found.minutes, found.hours, found.days, found.months, found.weekdays)
    assert [set(field) for field in fields] == [set(field) for field in (minutes, hours, dates, months, weekdays)]
    assert (found.zone, found.text) == ("contact", text)


@pytest.mark.parametrize(
    "text",
    ["", "9", "09:00 and 18:30",
     "day 32 09:00", "day 0 09:00", "someday 09:00", "60 9 * * *", "0 24 * * *", "0 9 0 * *", "0 9 * 13 *",
     "0 9 * * 8", "0 9 * *", "0 9 * * * *", "5-1 9 * * *", "*/0 9 * * *", "*-5 9 * * *", "@daily", "0 9 * * mon-", "x" * 200],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    assert recurring(text) is None


def test_a_long_blank_between_two_days_takes_no_time() -> None:
    began = process_time()
    assert forms.weekdays("mon" + " " * 60_000 + "x") is None
    assert forms.weekdays("mon \t, wed  and\nsun") == frozenset({0, 2, 6})
    assert process_time() - began < 0.5  # 9 s, when each blank was tried as the first
