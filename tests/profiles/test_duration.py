"""How long is "90d", and when is that from now."""

from datetime import UTC, date, datetime, timedelta

import pytest

from profiles.duration import Duration, parse_duration

NOON = datetime(2024, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90d", Duration(90, "d")), ("4h", Duration(4, "h")), ("15m", Duration(15, "m")), ("2w", Duration(2, "w")),
     ("6mo", Duration(6, "mo")), ("1y", Duration(1, "y")), (" 3 d ", Duration(3, "d"))],
)  # fmt: skip
def test_a_number_and_a_unit_are_a_length(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "d", "90", "90 days", "-1d", "1.5h", "1D", "1s", "9999999999d", "101y", "36601d", "1d2h", "٣d", "1d\n2"],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "later"),
    [("1d", datetime(2024, 2, 1, 12, tzinfo=UTC)), ("1mo", datetime(2024, 2, 29, 12, tzinfo=UTC)),
     ("13mo", datetime(2025, 2, 28, 12, tzinfo=UTC)), ("1y", datetime(2025, 1, 31, 12, tzinfo=UTC)),
     ("90m", datetime(2024, 1, 31, 13, 30, tzinfo=UTC))],
)  # fmt: skip
def test_months_go_by_the_calendar_and_end_on_the_last_day_there_is(text: str, later: datetime) -> None:
    duration = parse_duration(text)
    assert duration and duration.after(NOON) == later


def test_before_is_the_other_way() -> None:
    assert Duration(2, "mo").before(datetime(2024, 4, 30, tzinfo=UTC)) == datetime(2024, 2, 29, tzinfo=UTC)
    assert Duration(14, "d").days_before(date(2026, 1, 10)) == date(2025, 12, 27)
    assert Duration(-14, "d").days_after(date(2026, 1, 10)) == date(2025, 12, 27)


def test_a_day_of_days_after_counts_no_hours() -> None:
    assert Duration(47, "h").days_after(date(2026, 1, 1)) == date(2026, 1, 2)


def test_the_longest_it_can_be_is_known() -> None:
    assert Duration(2, "mo").at_most == timedelta(days=62)
    assert not Duration(1, "y").is_fixed
    assert Duration(1, "w").is_fixed
    assert str(Duration(90, "d")) == "90d"
