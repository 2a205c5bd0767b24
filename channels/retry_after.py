"""When does the other side want us back? The Retry-After header: seconds, or a date (RFC 9110, section 10.2.3). Pure."""

from datetime import datetime
from email.utils import parsedate_to_datetime

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3_600.0
"""Nobody is asked again at once, nor put off for ever by a header."""


def asked_wait(said: str, now: datetime) -> float | None:
    """Return the seconds that this header's value asks for, within bounds; None when it asks for nothing that can be read."""
    if said.isascii() and said.isdigit() and len(said) < 10:
        seconds = float(said)
    else:
        try:
            seconds = (parsedate_to_datetime(said) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date; or one without a zone, which HTTP has not
            return None
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
