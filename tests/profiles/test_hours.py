"""Quiet hours and windows: over midnight, on some weekdays, when the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.hours import Hours, opens_at, quiet_until

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Hours(time(20), time(8))
SUNDAY = Hours(time(0), time(0), frozenset({6}))
NOON = Hours(time(12), time(14))


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (NOON, paris(23, 11, 59), None),
        (NOON, paris(23, 12), paris(23, 14)),
        (NOON, paris(23, 14), None),
        (NIGHT, paris(23, 19, 59), None),
        (NIGHT, paris(23, 20), paris(24, 8)),
        (NIGHT, paris(24, 3), paris(24, 8)),
        (NIGHT, paris(24, 8), None),
        (SUNDAY, paris(22, 0), paris(23, 0)),
        (SUNDAY, paris(22, 23, 59), paris(23, 0)),
        (SUNDAY, paris(23, 0), None),
        (Hours(time(20), time(8), frozenset({4})), paris(28, 7), paris(28, 8)),  # Friday's night reaches into Saturday
        (Hours(time(20), time(8), frozenset({4})), paris(28, 21), None),
        # 25 October 2026: 03:00 becomes 02:00; 29 March: 02:00 becomes 03:00
        (NIGHT, paris(24, 20, month=10), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (NIGHT, paris(28, 20, month=3), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        (Hours(time(0), time(2, 30)), paris(29, 1, month=3), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_quiet_hours_end(hours: Hours, now: datetime, end: datetime | None) -> None:
    assert quiet_until(hours, PARIS, now) == end


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        (NOON, paris(23, 12), paris(23, 12)),
        (NOON, paris(23, 11), paris(23, 12)),
        (NOON, paris(23, 14), paris(24, 12)),
        (NIGHT, paris(24, 7), paris(24, 7)),
        (Hours(time(9), time(18), frozenset({0})), paris(23, 18), paris(30, 9)),
        (Hours(time(9), time(18), frozenset()), paris(23, 18), None),
    ],
)  # fmt: skip
def test_a_window_opens(window: Hours, now: datetime, opens: datetime | None) -> None:
    assert opens_at(window, PARIS, now) == opens


TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
ANY_HOURS = st.builds(Hours, TIMES, TIMES, st.frozensets(st.integers(0, 6)))
ANY_INSTANT = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ANY_ZONE = st.sampled_from(
    ["Europe/Paris", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"]
)


@given(ANY_HOURS, ANY_INSTANT, ANY_ZONE)
def test_whatever_the_hours_quiet_ends_after_now_and_is_over_then(hours: Hours, now: datetime, zone: str) -> None:
    end = quiet_until(hours, ZoneInfo(zone), now)
    if end is not None:
        assert now < end < now + timedelta(days=10)
        always_quiet = hours.since == hours.until and len(hours.days) == 7
        assert always_quiet or quiet_until(hours, ZoneInfo(zone), end) is None


@given(ANY_HOURS, ANY_INSTANT, ANY_ZONE)
def test_a_window_is_open_when_it_opens(hours: Hours, now: datetime, zone: str) -> None:
    opens = opens_at(hours, ZoneInfo(zone), now)
    if hours.days and hours.since != hours.until:
        assert opens is not None and now <= opens
        assert opens_at(hours, ZoneInfo(zone), opens) == opens
