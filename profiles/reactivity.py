"""Where, and at what hour, does this contact react to what rules send? Learned from sends and what came back. Pure.

Each send and each reaction weighs less the older it is (half after 60 days), so a habit that changed is unlearned. Channels are
compared by the same measure although not all of them tell that a message was read: an opening weighs a quarter of a click or a
reply. Below a stated minimum of data nothing is claimed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from profiles.reactions import ANSWERED, CLICKED, READ

HALF_LIFE = timedelta(days=60)
LOOKS_BACK = timedelta(days=180)
"""What is older weighs less than an eighth, and is not read any more."""
WEIGHTS: Mapping[str, float] = {READ: 0.25, CLICKED: 1.0, ANSWERED: 1.0}
"""event name -> what it says of a message; the strongest counts."""
ENOUGH_SENDS = 3.0
"""Below so many sends on a channel (old ones weighing less) it has no rate."""
ENOUGH_REACTIONS = 5.0
"""Below so many reactions in all a contact has no best hour."""
NEIGHBOURS = 0.5
"""What a reaction says of the hour before and after its own."""


@dataclass(frozen=True, slots=True)
class Response:
    """What was sent on a channel and what came back, as they weigh at the instant of learning."""

    sent: float
    reacted: float = 0.0


@dataclass(frozen=True, slots=True)
class Reactivity:
    """What was learned of one contact at `at`."""

    at: datetime
    channels: Mapping[str, Response] = field(default_factory=dict)
    """The word for a channel's addresses (sms, email, telegram) -> its response."""
    hours: tuple[float, ...] = ()
    """Reactions by the hour of the contact's own day, 24 of them, as they weigh at `at`."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One message of a rule, and what came back to it."""

    channel: str
    at: datetime
    reactions: Mapping[str, datetime] = field(default_factory=dict)
    """event name -> when it happened first."""


def learn(trials: Iterable[Trial], zone: tzinfo, now: datetime) -> Reactivity:
    """Return what these messages teach of a contact who lives in this zone."""
    sent: defaultdict[str, float] = defaultdict(float)
    reacted: defaultdict[str, float] = defaultdict(float)
    hours = [0.0] * 24
    for trial in trials:
        weight = _weight(trial.at, now)
        sent[trial.channel] += weight
        reacted[trial.channel] += weight * max((WEIGHTS.get(name, 0.0) for name in trial.reactions), default=0.0)
        if seen := min((at for name, at in trial.reactions.items() if name in WEIGHTS), default=None):
            hours[seen.astimezone(zone).hour] += _weight(seen, now)
    channels = {name: Response(round(sent[name], 3), round(reacted[name], 3)) for name in sorted(sent)}
    return Reactivity(now, channels, tuple(round(hour, 3) for hour in hours) if any(hours) else ())


def rate(known: Reactivity | None, channel: str, now: datetime, *, unanswered: float = 0.0) -> float | None:
    """Return which share of the sends on a channel finds a reaction, 0 to 1; None: there is not enough to say.

    `unanswered` sends have been made since it was learned, and nothing came back to them.
    """
    response = known.channels.get(channel) if known else None
    if known is None or response is None:
        return 0.0 if unanswered >= ENOUGH_SENDS else None
    faded = _weight(known.at, now)
    sent = response.sent * faded + unanswered
    return min(1.0, response.reacted * faded / sent) if sent >= ENOUGH_SENDS else None


def best_hour(known: Reactivity | None, now: datetime) -> int | None:
    """Return the hour of the contact's own day at which they react most, 0 to 23; None: there is not enough to say."""
    if known is None or len(known.hours) != 24 or sum(known.hours) * _weight(known.at, now) < ENOUGH_REACTIONS:
        return None
    around = [
        at + NEIGHBOURS * (known.hours[hour - 1] + known.hours[(hour + 1) % 24]) for hour, at in enumerate(known.hours)
    ]
    return max(range(24), key=lambda hour: (around[hour], known.hours[hour], -hour))


def _weight(at: datetime, now: datetime) -> float:
    age: float = max((now - at) / HALF_LIFE, 0.0)
    return float(0.5**age)
