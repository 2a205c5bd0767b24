"""Each answer of a push service has one meaning, and its wish to be left alone is obeyed within reason."""

from datetime import UTC, datetime

import pytest

from channels.channel import Failed, Later, Sent
from channels.webpush_codes import outcome, wait_of
from channels.webpush_line import Answer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken_is_sent_under_the_message_s_own_id(status: int) -> None:
    assert outcome(said(status), "rule:1", NOON) == Sent("rule:1")


@pytest.mark.parametrize(("status", "reason"), [
    (404, "dead"), (410, "dead"), (401, "config"), (403, "config"), (400, "content"), (413, "content"), (301, "content"),
    (418, "content"),
])  # fmt: skip
def test_refused_says_whose_fault_it_is(status: int, reason: str) -> None:
    found = outcome(said(status, b"<b>why</b>\r\n\x00 x"), "1", NOON)
    assert isinstance(found, Failed) and found.reason == reason


def test_the_service_s_own_words_are_kept_short_and_on_one_line() -> None:
    found = outcome(said(403, b"UnauthorizedRegistration:\n" + b"x" * 500), "1", NOON)
    assert isinstance(found, Failed)
    assert found.detail.startswith("push 403 UnauthorizedRegistration: xxx") and len(found.detail) < 140


@pytest.mark.parametrize("status", [406, 429, 500, 502, 503, 504, 599])
def test_trouble_is_for_later(status: int) -> None:
    found = outcome(said(status, retry_after="17"), "1", NOON)
    assert found == Later(17.0, f"push {status}")


@pytest.mark.parametrize(("words", "seconds"), [
    ("120", 120), ("0", 1), ("Sun, 22 Nov 2026 12:00:30 GMT", 30), ("Sun, 22 Nov 2026 11:00:00 GMT", 1), ("", 60),
    ("soon", 60), ("-5", 60), ("999999", 3600), ("9" * 40, 60), ("Sun, 22 Nov 2036 12:00:30 GMT", 3600), ("²", 60),
    ("Sun, 22 Nov 2026 12:00:30", 60), ("Sun, 99 Nov 2026 12:00:30 GMT", 60),
])  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(words: str, seconds: float) -> None:
    assert wait_of(said(429, retry_after=words), NOON, 60) == seconds
