"""Is this the same message delivered again, or the same words said again? SMPP gives incoming messages no id.

An SMSC delivers again only when it did not get our answer in time, or was told to. So a second delivery with the same words
is a repetition only while our answer to the first is in doubt: it was refused; it came later than an SMSC waits; or the
session ended before the SMSC answered anything that we asked after it. Once an answer is proven, the same words are new:
"oui" twice is two messages. In doubt for too long, we rather keep a text twice than lose one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

PATIENCE = timedelta(seconds=5)  # an answer within it was in time for every SMSC we know of
DOUBT = timedelta(minutes=10)  # a redelivery comes within it, as soon as we are bound again
LATE_DOUBT = timedelta(minutes=1)  # an SMSC that lost patience delivers again at once


@dataclass(slots=True)
class Claim:
    """One message: its id, and how sure we are that the SMSC knows that we have it."""

    id: str
    heard_at: datetime
    session: int
    state: Literal["storing", "refused", "answered"] = "storing"
    answer: int = 0
    late: bool = False


class Repeats:
    """The messages of this process whose answers are in doubt, by what they say (their fingerprint)."""

    def __init__(self, new_id: Callable[[datetime], str]) -> None:
        self._new_id = new_id
        self._doubtful: dict[str, list[Claim]] = {}

    def claim(self, fingerprint: str, session: int, now: datetime, *, id: str | None = None) -> Claim:
        """Return the message that this delivery is: an earlier one that it repeats, else a new one (called `id`)."""
        self._forget_old(now)
        claims = self._doubtful.setdefault(fingerprint, [])
        for claim in claims:
            if _repeats(claim, session, now):
                claim.session, claim.state, claim.late = session, "storing", False
                claim.heard_at = now
                return claim
        claims.append(Claim(id or self._new_id(now), now, session))
        return claims[-1]

    def answered(self, claim: Claim, answer: int, now: datetime, *, taken: bool) -> None:
        """Remember that answer number so-and-so of its session said that we took it, or did not."""
        claim.state = "answered" if taken else "refused"
        claim.answer, claim.late = answer, now - claim.heard_at > PATIENCE

    def proven(self, session: int, answer: int) -> None:
        """The SMSC has had our answers up to this one: those taken in time will not come again."""
        for fingerprint, claims in list(self._doubtful.items()):
            claims[:] = [claim for claim in claims if not _is_proven(claim, session, answer)]
            if not claims:
                del self._doubtful[fingerprint]

    @property
    def in_doubt(self) -> int:
        """How many messages might come again."""
        return sum(map(len, self._doubtful.values()))

    def _forget_old(self, now: datetime) -> None:
        for fingerprint, claims in list(self._doubtful.items()):
            claims[:] = [claim for claim in claims if now - claim.heard_at < (LATE_DOUBT if claim.late else DOUBT)]
            if not claims:
                del self._doubtful[fingerprint]


def _repeats(claim: Claim, session: int, now: datetime) -> bool:
    match claim.state:
        case "refused":
            return True
        case "storing":
            return claim.session != session or now - claim.heard_at > PATIENCE
        case "answered":
            return claim.session != session or claim.late


def _is_proven(claim: Claim, session: int, answer: int) -> bool:
    return claim.state == "answered" and claim.session == session and claim.answer <= answer and not claim.late
