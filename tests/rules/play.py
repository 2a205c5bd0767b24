"""A stage for rules: the cast of the tests, rule files as marketers write them, and a clock that only the test moves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from profiles.caps import Cap
from profiles.findings import Findings
from profiles.hours import Hours
from profiles.ledger import Ledger
from profiles.profile import Profile
from profiles.timeline import Content, Event
from profiles.topics import Topic
from rules.file_reading import Names
from rules.gatekeeper import Letter, Unrendered
from rules.graph import graph
from rules.memory import Contacts
from rules.person import Person
from rules.policy import Policy, Reach, Reaches
from rules.rule import Rule
from rules.rule_file import read_rule
from rules.run import Run
from rules.simulation import Simulation
from rules.thinking import Edition, Editions
from tests.cast import NOON, anna, clara, dmitri

OFFERS = Topic("offers", {"fr": "Offres", "en": "Offers"}, consent="opt_in")
NEWS = Topic("news", {"fr": "Nouvelles", "en": "News"}, consent="opt_in")
REACHES = Reaches([Reach("telegram", "telegram"), Reach("twilio", "sms"), Reach("email", "email", is_thread=False)])
YES = {f"{channel}:{topic}": True for channel in ("telegram", "sms", "email") for topic in ("offers", "news")}


def rule(text: str) -> Rule:
    """Return the rule of a file; a mistake fails the test."""
    findings = Findings()
    read = read_rule(text, "rule.yml", Names(), findings)
    assert read is not None, [str(error) for error in findings.errors]
    return read


def editions(*texts: str, control: float = 0.0) -> Editions:
    """Return these rule files as the engine knows them."""
    rules = [rule(text) for text in texts]
    return Editions({one.id: Edition(one, graph(one.steps)) for one in rules}, control=control)


def renders(template: str, reach: Reach, person: Person, run: Run, variant: str) -> Letter | Unrendered:
    """Say the template's name; one that is called missing can not be rendered."""
    if template == "missing":
        return Unrendered("unknown", template)
    return Letter(Content(f"{template} {variant}".strip()))


def as_listed(person: Person, spaces: Any) -> Any:
    """Prefer channels in the order they come."""
    return spaces


def time_of(text: str) -> time:
    """Return a local hour."""
    return time.fromisoformat(text)


class Play:
    """Anna, Clara and Dmitri said yes to everything; time begins on Saturday 21 November 2026, 12:00 UTC (13:00 in Paris)."""

    def __init__(
        self,
        *texts: str,
        caps: tuple[Cap, ...] = (),
        quiet: tuple[Hours, ...] = (),
        control: float = 0.0,
        people: tuple[Profile, ...] | None = None,
    ) -> None:
        self.contacts = Contacts()
        for profile in people if people is not None else (anna(), clara(), dmitri()):
            self.contacts.add(profile, ledger=Ledger(profile.id, YES))
        policy = Policy({"offers": OFFERS, "news": NEWS}, caps, quiet, ZoneInfo("Europe/Paris"), "fr", control)
        self._simulation = Simulation(
            self.contacts, editions(*texts, control=control),
            policy=policy, reaches=REACHES, renders=renders, prefers=as_listed, start=NOON,
        )  # fmt: skip
        self._ids = count(1)

    @property
    def now(self) -> datetime:
        """Return what time it is."""
        return self._simulation.now

    async def happens(self, name: str, who: str = "anna", *, by: str = "system", **properties: Any) -> Event:
        """Let this happen to somebody now, and the rules react."""
        event = Event(f"e{next(self._ids)}", who, name, self.now, by=by, properties=properties)
        self._simulation.expect([event])
        await self._simulation.run(self.now)
        return event

    async def told_late(self, name: str, at: datetime, who: str = "anna", **properties: Any) -> None:
        """Hear now of something that happened earlier."""
        event = Event(f"e{next(self._ids)}", who, name, at, properties=properties)
        self._simulation.expect([event])
        await self._simulation.run(self.now)

    def withdraws(self, channel: str, topic: str, who: str = "anna") -> None:
        """Let somebody say no."""
        ledger = self.contacts.ledgers[who]
        said = {**ledger.on, f"{channel}:{topic}": False}
        self.contacts.ledgers[who] = replace(ledger, on=said)

    async def passes(self, **length: float) -> None:
        """Let time pass."""
        await self._simulation.run(self.now + timedelta(**length))

    async def passes_until(self, *parts: int) -> None:
        """Let time pass until this local time in Paris."""
        await self._simulation.run(datetime(*parts, tzinfo=ZoneInfo("Europe/Paris")))  # type: ignore[misc,arg-type]

    def got(self, who: str = "anna") -> list[str]:
        """Return what this person was sent: channel and text, in order."""
        mine = [message for message in self.contacts.messages.values() if message.profile == who]
        return [f"{message.channel}: {message.content.text}" for message in mine if message.direction == "outbound"]

    def told(self, who: str = "anna") -> list[str]:
        """Return why things were sent to this person, or were not: reasons in order."""
        return [str(row["reason"]) for row in self._simulation.decisions if row["profile"] == who]

    def rows(self, who: str = "anna") -> list[Mapping[str, Any]]:
        """Return the decisions about this person as they are stored."""
        return [row for row in self._simulation.decisions if row["profile"] == who]

    def value(self, attribute: str, who: str = "anna") -> Any:
        """Return what is known of this person now."""
        return self.contacts.profiles[who].value(attribute)

    async def message_is(self, what: str, who: str = "anna", number: int = -1) -> None:
        """Let the person's last message be delivered, opened (read), clicked or answered."""
        name = {"opened": "message.read"}.get(what, f"message.{what}")
        mine = [message for message in self.contacts.messages.values() if message.profile == who]
        await self.happens(name, who, message=mine[number].id)
