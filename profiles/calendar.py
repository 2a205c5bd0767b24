"""What time is it? The one place that asks the machine; everybody else is told `now`.

Instants are aware UTC, cut to the millisecond that MongoDB keeps, so that what was written reads back equal.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present instant, aware UTC, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def from_timestamp(seconds: float) -> datetime:
    """Return the instant of a Unix time in seconds, in whole milliseconds. Raises ValueError outside years 1 to 9999."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"no such instant: {seconds}") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
