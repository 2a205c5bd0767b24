"""A schedule fires once per existing local date, in order of time, whatever the clocks of a place do."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from profiles.duration import Duration
from rules.rule_trigger import Once, OnDate, OnSchedule
from rules.schedule import falls_on, firings, instant_of

PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)
EVERY_DAY = frozenset(range(7))


def daily(
    *times: time, weekdays: frozenset[int] = EVERY_DAY, days: frozenset[int] = frozenset(range(1, 32))
) -> OnSchedule:
    return OnSchedule(
        minutes=frozenset(moment.minute for moment in times),
        hours=frozenset(moment.hour for moment in times),
        days=days,
        months=frozenset(range(1, 13)),
        weekdays=weekdays,
        zone="contact",
    )


def at_local(zone: ZoneInfo, day: int, moment: time) -> datetime:
    return datetime.combine(date(2026, 11, day), moment, zone).astimezone(UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_nine_in_the_morning_is_nine_in_the_morning_in_summer_and_winter() -> None:
    fired = list(firings(daily(time(9)), PARIS, utc(2026, 10, 23), utc(2026, 10, 27)))
    assert [one.at for one in fired] == [
        utc(2026, 10, 23, 7), utc(2026, 10, 24, 7), utc(2026, 10, 25, 8), utc(2026, 10, 26, 8),
    ]  # fmt: skip


def test_an_hour_that_is_skipped_fires_as_much_later() -> None:
    (fired,) = firings(daily(time(2, 30)), PARIS, utc(2026, 3, 28, 12), utc(2026, 3, 29, 12))
    assert fired.name == "2026-03-29T02:30"
    assert fired.at.astimezone(PARIS).time() == time(3, 30)


def test_an_hour_that_comes_twice_fires_the_first_time() -> None:
    (fired,) = firings(daily(time(2, 30)), PARIS, utc(2026, 10, 24, 12), utc(2026, 10, 25, 12))
    assert fired.at == utc(2026, 10, 25, 0, 30)


def test_a_skipped_hour_does_not_fire_beside_the_one_it_falls_upon() -> None:
    fired = list(firings(daily(time(2), time(3)), PARIS, utc(2026, 3, 28, 22), utc(2026, 3, 29, 12)))
    assert [one.at for one in fired] == [utc(2026, 3, 29, 1)]


def test_a_date_that_a_place_skipped_does_not_fire() -> None:
    apia = ZoneInfo("Pacific/Apia")
    fired = list(firings(daily(time(9)), apia, utc(2011, 12, 29), utc(2011, 12, 31)))
    assert [one.local.date() for one in fired] == [date(2011, 12, 29), date(2011, 12, 31)]
    assert instant_of(datetime.combine(date(2011, 12, 30), time(9)), apia) is None


def test_the_last_day_of_a_month_and_weekdays() -> None:
    trigger = daily(time(8), days=frozenset({-1}))
    fired = [one.local.date() for one in firings(trigger, PARIS, utc(2027, 12, 31), utc(2028, 4, 1))]
    assert fired == [date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]
    monday_to_friday = daily(time(8), weekdays=frozenset(range(5)))
    fired = [one.local.date() for one in firings(monday_to_friday, PARIS, utc(2026, 11, 20, 12), utc(2026, 11, 24, 12))]
    assert fired == [date(2026, 11, 23), date(2026, 11, 24)]


def test_a_month_that_a_schedule_does_not_name_and_a_day_that_a_month_lacks_do_not_fire() -> None:
    in_spring = replace(daily(time(8), days=frozenset({31})), months=frozenset({3, 4, 5}))
    fired = [one.local.date() for one in firings(in_spring, PARIS, utc(2026, 12, 31), utc(2027, 12, 31))]
    assert fired == [date(2027, 3, 31), date(2027, 5, 31)]


def test_the_last_day_of_a_month_is_not_meant_by_its_first() -> None:
    fired = [
        one.local.date()
        for one in firings(daily(time(8), days=frozenset({1})), PARIS, utc(2027, 1, 15), utc(2027, 3, 15))
    ]
    assert fired == [date(2027, 2, 1), date(2027, 3, 1)]


def test_what_falls_upon_an_hour_of_its_own_is_named_by_that_hour_and_the_rest_stays_in_order() -> None:
    fired = list(
        firings(daily(time(2, 30), time(3, 0), time(3, 30)), PARIS, utc(2026, 3, 28, 22), utc(2026, 3, 29, 12))
    )
    assert [one.name for one in fired] == ["2026-03-29T03:00", "2026-03-29T03:30"]
    assert [one.at for one in fired] == [utc(2026, 3, 29, 1), utc(2026, 3, 29, 1, 30)]


def test_an_hour_skipped_over_midnight_fires_on_the_day_after() -> None:
    godthab = ZoneInfo("America/Nuuk")  # on the evening of 28 March 2026 the clocks go from 23:00 to midnight
    (fired,) = firings(daily(time(23, 30)), godthab, utc(2026, 3, 29, 1), utc(2026, 3, 29, 12))
    assert (fired.name, fired.at.astimezone(godthab)) == (
        "2026-03-28T23:30", datetime(2026, 3, 29, 0, 30, tzinfo=godthab),
    )  # fmt: skip


def test_the_last_instant_of_a_look_belongs_to_it_on_its_own_local_day() -> None:
    auckland = ZoneInfo("Pacific/Auckland")
    for zone, moment in ((PARIS, time(0)), (auckland, time(0)), (auckland, time(23, 59))):
        (fired,) = firings(daily(moment), zone, *[at_local(zone, 24, moment) + late for late in (-MINUTE, timedelta())])
        assert fired.at == at_local(zone, 24, moment)


def test_once_is_once_in_each_zone() -> None:
    trigger = Once(datetime.combine(date(2026, 12, 24), time(18)), "contact")
    for zone, expected in (("Europe/Paris", utc(2026, 12, 24, 17)), ("America/Montreal", utc(2026, 12, 24, 23))):
        fired = list(firings(trigger, ZoneInfo(zone), utc(2026, 1, 1), utc(2027, 12, 31)))
        assert [one.at for one in fired] == [expected]


def test_what_fired_before_is_not_named_again_after_a_restart() -> None:
    everything = list(firings(daily(time(9)), PARIS, utc(2026, 3, 1), utc(2026, 4, 30)))
    at = utc(2026, 3, 29, 7)  # the very instant of a firing
    first = list(firings(daily(time(9)), PARIS, utc(2026, 3, 1), at))
    second = list(firings(daily(time(9)), PARIS, at, utc(2026, 4, 30)))
    assert first + second == everything


@pytest.mark.parametrize(
    ("day", "falls"),
    [
        (date(2027, 2, 28), True),
        (date(2028, 2, 28), False),
        (date(2028, 2, 29), True),
        (date(2000, 2, 28), False),  # a leap year of the fourth century
        (date(2100, 2, 28), True),
    ],
)
def test_who_is_born_on_29_february_has_a_birthday_every_year(day: date, falls: bool) -> None:
    assert falls_on(date(1992, 2, 29), day, yearly=True) is falls


@pytest.mark.parametrize(("day", "falls"), [(27, False), (28, True), (29, False)])
def test_a_date_that_does_not_come_back_falls_on_its_own_day_alone(day: int, falls: bool) -> None:
    assert falls_on(date(2026, 11, 28), date(2026, 11, day), yearly=False) is falls
    assert not falls_on(date(2025, 11, day), date(2026, 11, day), yearly=False)


def test_a_date_trigger_names_the_day_it_looks_at() -> None:
    trigger = OnDate("born_on", time(10), Duration(14, "d"), is_before=True)
    fired = list(firings(trigger, PARIS, utc(2026, 11, 21), utc(2026, 11, 23)))
    assert [one.name for one in fired] == ["2026-11-21T10:00", "2026-11-22T10:00"]


def test_every_zone_for_two_years_fires_once_per_existing_local_date() -> None:
    """In CI every seventh zone; all 599 take a minute: `CAUSERIE_ALL_ZONES=1`."""
    zones = sorted(available_timezones())
    zones = zones if os.environ.get("CAUSERIE_ALL_ZONES") else zones[::7]
    after, until = utc(2025, 12, 31), utc(2028, 1, 2)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(730)]
    for name in zones:
        zone = ZoneInfo(name)
        for moment in (time(0), time(2, 30), time(23, 59)):
            fired = [one for one in firings(daily(moment), zone, after, until) if one.local.date().year in (2026, 2027)]
            assert [one.local.date() for one in fired] == days, (name, moment)
            instants = [one.at for one in fired]
            assert all(earlier < later for earlier, later in zip(instants, instants[1:], strict=False)), (name, moment)
