"""Retry-After is seconds or a date, and a stranger's word: it is read within bounds."""

from datetime import UTC, datetime

import pytest

from channels.retry_after import asked_wait

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(("said", "seconds"), [
    ("7", 7.0), ("0", 1.0), ("999999", 3_600.0), ("Sun, 22 Nov 2026 12:01:30 GMT", 90.0),
    ("Sunday, 22-Nov-26 12:01:30 GMT", 90.0), ("", None), ("soon", None), ("-5", None), ("9" * 400, None), ("²", None),
    ("Sun, 22 Nov 2026 12:01:30", None), ("Sun, 22 Nov 99999 12:00:00 GMT", None),
])  # fmt: skip
def test_a_wait_is_read_in_both_forms(said: str, seconds: float | None) -> None:
    assert asked_wait(said, NOON) == seconds
