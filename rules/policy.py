"""What holds for every rule of the house: topics, caps, quiet hours, the zone, the control group; and what channels there are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, time, tzinfo

from profiles.caps import Cap
from profiles.hours import Hours
from profiles.topics import Topic
from rules.rule_terms import Tracking


@dataclass(frozen=True, slots=True)
class Prices:
    """What one segment of an SMS costs, by the country of the number; `other` for the countries not named."""

    currency: str = ""
    other: float | None = None
    countries: Mapping[str, float] = field(default_factory=dict)

    def of(self, country: str) -> float | None:
        """Return the price of a segment to this country (ISO 3166), or None when nobody said it."""
        return self.countries.get(country, self.other)


@dataclass(frozen=True, slots=True)
class Policy:
    """The house's own limits; a rule may be stricter, never laxer."""

    topics: Mapping[str, Topic] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()
    quiet: tuple[Hours, ...] = ()
    zone: tzinfo = UTC
    """Whose hours count when a contact's own are not known."""
    language: str = "fr"
    control: float = 0.0
    """Share of contacts, 0 to 1, whom no marketing reaches, to measure all of it by."""
    tracking: Tracking = Tracking()
    best_hour: time | None = None
    """The hour for contacts whose own best one is not known; None: they do not wait."""
    sms_prices: Prices = Prices()


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel as rules see it: where its addresses stand, and whether what is sent there is part of a thread."""

    channel: str
    space: str
    """The word people use for it: email, sms, telegram, webchat, webpush."""
    is_thread: bool = True
    """Whether people answer there; else it is a notice, outside any conversation."""


class Reaches:
    """The connected channels, by their own name and by the word for their addresses."""

    def __init__(self, reaches: Iterable[Reach] = ()) -> None:
        self._all = tuple(reaches)
        backwards = self._all[::-1]  # so that the first of a space has it
        spaces = {reach.space: reach for reach in backwards}
        self._by_word = spaces | {reach.channel: reach for reach in backwards}

    def of(self, word: str) -> Reach | None:
        """Return the channel of this name, or the first that serves this space (`sms`), or None."""
        return self._by_word.get(word)

    @property
    def words(self) -> frozenset[str]:
        """Return every word that names a channel here."""
        return frozenset(word for reach in self._all for word in (reach.channel, reach.space))

    def __iter__(self) -> Iterator[Reach]:
        return iter(self._all)
