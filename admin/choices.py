"""What a person is asked on their own page, and what they answered: pure, between a ledger and a form.

A form says what it showed beside each choice, so only what the person changed is changed: two pages open at once, or a STOP said
meanwhile on the telephone, undo nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from profiles.consent import verdict
from profiles.hours import Hours
from profiles.identity import USER
from profiles.ledger import Ledger, OwnCap, key
from profiles.profile import Identity, Profile
from profiles.topics import EVERY, Basis, Topic

PERIODS: Mapping[str, timedelta] = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
MOST = 99
LONGEST_PAUSE = timedelta(days=730)

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One topic on one channel, as it stands."""

    name: str
    channel: str
    is_on: bool
    waits: bool = False
    """Whether a yes waits for its confirmation."""


@dataclass(frozen=True, slots=True)
class Row:
    """One topic, with what is agreed to in the reader's language; None where it is not sent."""

    topic: Topic
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """How often at most, as the form says it; on a channel, or `*`."""

    channel: str
    at_most: int | None = None
    per: str = "week"


@dataclass(frozen=True, slots=True)
class Wish:
    """One choice that the person changed."""

    topic: Topic
    channel: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How often and when, as the person wants it."""

    own: tuple[OwnCap, ...]
    quiet: tuple[Hours, ...]
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that can not be kept."""

    field: str


def channels_of(profile: Profile, ledger: Ledger) -> tuple[str, ...]:
    """Return the channels that this person is asked about: where they have an address, or have said something."""
    having = [identity.channel for identity in profile.identities if identity.channel != USER]
    said = [name.partition(":")[0] for name in ledger.on]
    return tuple(dict.fromkeys(name for name in (*having, *sorted(said)) if name != EVERY))


def table(topics: Mapping[str, Topic], channels: Sequence[str], ledger: Ledger) -> tuple[Row, ...]:
    """Return what is asked, and how it stands; topics that are sent on none of these channels are left out."""
    rows = (Row(topic, tuple(_cell(topic, channel, ledger) for channel in channels)) for topic in topics.values())
    return tuple(row for row in rows if any(row.cells))


def wishes(form: Form, rows: Iterable[Row]) -> tuple[Wish, ...]:
    """Return what the person changed against what the form had shown them."""
    found = []
    for row in rows:
        for cell in filter(None, row.cells):
            shown, wanted = form.get(f"was.{cell.name}"), f"on.{cell.name}" in form
            if shown in ("0", "1") and wanted != (shown == "1"):
                found.append(Wish(row.topic, cell.channel, wanted))
    return tuple(found)


def caps(ledger: Ledger, channels: Sequence[str]) -> tuple[Cap, ...]:
    """Return the person's own caps as the form shows them: over all first, then on each channel."""
    return tuple(_shown(ledger.own, channel) for channel in (EVERY, *channels))


def limits(form: Form, ledger: Ledger, channels: Sequence[str], *, zone: tzinfo, now: datetime) -> Limits | Wrong:
    """Return the limits that the form asks for. What the form does not show (a cap on one topic, more hours) stays."""
    own: list[OwnCap] = []
    for channel in (EVERY, *channels):
        cap = _asked_cap(form, channel)
        if isinstance(cap, Wrong):
            return cap
        own += [cap] if cap else []
    own += [cap for cap in ledger.own if cap.topic != EVERY or cap.channel not in (EVERY, *channels)]
    quiet = _asked_hours(form)
    if isinstance(quiet, Wrong):
        return quiet
    until = _asked_pause(form, zone, now)
    if isinstance(until, Wrong):
        return until
    return Limits(tuple(own), (*quiet, *ledger.quiet[1:]), until)


def is_stopped(identities: Iterable[Identity], channel: str) -> bool:
    """Return whether every address on this channel is closed by a STOP: then START alone opens it again."""
    bans = [one.suppression for one in identities if one.channel == channel]
    return bool(bans) and all(ban is not None and ban.reason == "opted_out" for ban in bans)


def _cell(topic: Topic, channel: str, ledger: Ledger) -> Cell | None:
    if not topic.is_sent_on(channel):
        return None
    name = key(channel, topic.id)
    basis: Basis = "given" if topic.consent == "opt_in" else "not_withdrawn"
    is_on = verdict(ledger, channel, topic.id, basis) is None
    return Cell(name, channel, is_on, name in ledger.pending)


def _shown(own: Iterable[OwnCap], channel: str) -> Cap:
    for cap in own:
        if cap.channel == channel and cap.topic == EVERY:
            per = min(PERIODS, key=lambda name: abs(PERIODS[name] - cap.within))
            return Cap(channel, cap.at_most, per)
    return Cap(channel)


def _asked_cap(form: Form, channel: str) -> OwnCap | Wrong | None:
    text = form.get(f"most.{channel}", "")
    if not text:
        return None
    per = PERIODS.get(form.get(f"per.{channel}", "week"))
    if not (text.isascii() and text.isdigit() and len(text) <= 2) or per is None:
        return Wrong(f"most.{channel}")
    return OwnCap(int(text), per, channel)


def _asked_hours(form: Form) -> tuple[Hours, ...] | Wrong:
    since, until = form.get("since", ""), form.get("until", "")
    if not since and not until:
        return ()
    begins, ends = _time(since), _time(until)
    if begins is None or ends is None or begins == ends:
        return Wrong("quiet")
    return (Hours(begins, ends),)


def _asked_pause(form: Form, zone: tzinfo, now: datetime) -> datetime | Wrong | None:
    text = form.get("paused", "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return Wrong("paused")
    if not now.astimezone(zone).date() < day <= (now + LONGEST_PAUSE).date():
        return Wrong("paused")
    return datetime.combine(day, time(), zone).astimezone(now.tzinfo)


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None) if len(text) == 5 else None
    except ValueError:
        return None


def changed(before: Ledger, after: Limits) -> Iterator[str]:
    """Yield what of the limits is new: `limits`, `pause`."""
    if (before.own, before.quiet) != (after.own, after.quiet):
        yield "limits"
    if before.paused.get(key(EVERY, EVERY)) != after.paused_until:
        yield "pause"
