"""What a push service's answer means for the message (RFC 8030, section 5 and 7.3; each service's own pages). Pure."""

from datetime import datetime

from channels.channel import Failed, Later, Sending, Sent
from channels.retry_after import asked_wait
from channels.webpush_line import Answer

NO_CONNECTION_SECONDS = 15.0
BUSY_SECONDS = 60.0
BROKEN_SECONDS = 30.0
THROTTLED = (406, 429)
"""Edge's service (WNS) says 406 where others say 429, with Retry-After: wait, and the subscription lives."""


def outcome(answer: Answer, id: str, now: datetime) -> Sending:
    """Return what became of the message with this id; the id is also the one that its receipts come back with."""
    match answer.status:
        case 200 | 201 | 202 | 204:
            return Sent(id)
        case 404 | 410:
            return Failed("dead", f"push {answer.status}")
        case status if status in THROTTLED:
            return Later(wait_of(answer, now, BUSY_SECONDS), f"push {status}")
        case 401 | 403:  # our key, our subject, our clock: a person must act, and nothing of it is the browser's
            return Failed("config", f"push {answer.status} {_said(answer)}")
        case status if status >= 500:
            return Later(wait_of(answer, now, BROKEN_SECONDS), f"push {status}")
        case status:  # 400, 413 too large, and what nobody should answer
            return Failed("content", f"push {status} {_said(answer)}")


def wait_of(answer: Answer, now: datetime, otherwise: float) -> float:
    """Return in how many seconds the service wants us back: its Retry-After, seconds or a date, else `otherwise`."""
    asked = asked_wait(answer.headers.get("retry-after", ""), now)
    return otherwise if asked is None else asked


def _said(answer: Answer) -> str:
    """Return the service's own words for the log: one short line, for they are a stranger's."""
    return " ".join(answer.body[:300].decode("utf-8", "replace").split())[:120]
