"""validation.yml: what a form accepts."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.validation import Accept, Validation

VALIDATION = Validation(
    zone=ZoneInfo("Europe/Paris"),
    country="FR",
    slots={
        "order": Accept(kind="order_number", pattern=re.compile("[0-9]{5,10}")),
        "day": Accept(kind="date", from_today=True, within_days=30),
        "code": Accept(pattern=re.compile("[A-Z]{3}")),
        "phone": Accept(kind="phone"),
    },
)
NIGHT = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # already the 22nd in Paris


@pytest.mark.parametrize(
    ("slot", "said", "accepted"),
    [
        ("order", "it is #12345, thanks", "12345"),
        ("order", "1234", None),
        ("order", "12345678901", None),
        ("order", "no idea", None),
        ("day", "today", "2026-11-22"),
        ("day", "2026-11-21", None),
        ("day", "2026-12-22", "2026-12-22"),
        ("day", "2026-12-23", None),
        ("day", "some day", None),
        ("code", "ABC", "ABC"),
        ("code", "ABCD", None),
        ("code", "abc", None),
        ("phone", "call 06 12 34 56 78", "+33612345678"),
        ("other", "anything", "anything"),
        ("order", None, None),
    ],
)
def test_a_value_is_accepted_in_order_or_refused(slot, said, accepted):
    assert VALIDATION.accepted(slot, said, VALIDATION.here(NIGHT)) == accepted
