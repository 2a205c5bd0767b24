"""How a contact reacts to what rules send, as the panel draws it: a bar per channel, a column per hour of their day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from profiles.profile import Profile
from profiles.reactivity import best_hour, rate


@dataclass(frozen=True, slots=True)
class Bar:
    """One channel: how many of a hundred messages find a reaction; None: too few were sent to say."""

    channel: str
    percent: int | None


@dataclass(frozen=True, slots=True)
class Reactions:
    """What there is to draw."""

    bars: tuple[Bar, ...]
    hours: tuple[int, ...]
    """24 heights, 0 to 100, the highest 100; none while nothing came back."""
    best: int | None
    at: datetime


def reactions(profile: Profile, now: datetime) -> Reactions | None:
    """Return what the panel draws, the best channel first, or None before the contact ever reacted."""
    known = profile.reactivity
    if known is None:
        return None
    rates = [(name, rate(known, name, now)) for name in known.channels]
    bars = [Bar(name, None if share is None else round(share * 100)) for name, share in rates]
    bars.sort(key=lambda bar: (bar.percent is None, -(bar.percent or 0), bar.channel))
    return Reactions(tuple(bars), _heights(known.hours), best_hour(known, now), known.at)


def _heights(hours: Sequence[float]) -> tuple[int, ...]:
    highest = max(hours, default=0.0)
    return tuple(round(100 * hour / highest) for hour in hours) if highest > 0 else ()
