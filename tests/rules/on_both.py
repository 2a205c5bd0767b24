"""The same days played twice: through the live engine on a real database, and through the simulation. What came of each."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from profiles.indexes import INDEXES
from profiles.ledger import Ledger
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Work
from profiles.store import Document, Filter, Store
from profiles.timeline import Event
from profiles.writer import Writer
from rules.book import Book, Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.memory import Contacts
from rules.occasions import scheduled
from rules.options import RulesOptions
from rules.reading import zone_of
from rules.running import editions_of, open_rules
from rules.schedule import firings
from rules.simulation import Simulation
from tests.rules.play import REACHES, as_listed, renders

PARIS = ZoneInfo("Europe/Paris")
ZONES = ("", "", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Mars/Base")


@dataclass(frozen=True)
class Days:
    """What there is to play."""

    folder: Path
    people: Sequence[tuple[Profile, Ledger]]
    events: Sequence[Event]
    start: datetime
    until: datetime


@dataclass(frozen=True)
class Came:
    """What came of it, in order of time and name."""

    decisions: list[tuple[Any, ...]]
    messages: list[tuple[Any, ...]]
    attributes: Mapping[str, Mapping[str, Any]]


def invented(folder: Path, seed: int, start: datetime, *, contacts: int = 14, days: int = 16) -> Days:
    """Return days of people with all sorts of consents and zones, to whom all sorts of things happen."""
    dice = random.Random(seed)
    people = [_somebody(f"p{number:02}", dice, start) for number in range(contacts)]
    events = []
    for number in range(contacts * days // 2):
        name = dice.choice(("cart.updated", "cart.updated", "order.paid", "survey.answered"))
        # off the minute: what competes at the very instant of a firing may be thought in either order
        at = start + timedelta(seconds=dice.randrange(days * 86_400) // 60 * 60 + 7)
        facts = {"cart_id": f"c{dice.randrange(5)}", "total": dice.randrange(10, 400), "score": dice.randrange(1, 6)}
        events.append(Event(f"e{number:04}", dice.choice(people)[0].id, name, at, properties=facts))
    events.sort(key=lambda event: (event.happened_at, event.id))
    return Days(folder, people, events, start, start + timedelta(days=days))


async def in_simulation(days: Days) -> Came:
    """Play them on contacts in memory."""
    book = _book(days)
    contacts = Contacts()
    for profile, ledger in days.people:
        contacts.add(profile, ledger=ledger)
    simulation = Simulation(
        contacts, editions_of(book), policy=book.policy, reaches=REACHES, renders=renders, prefers=as_listed,
        start=days.start,
    )  # fmt: skip
    simulation.expect(days.events)
    await simulation.run(days.until)
    messages = [_message(one.at, one.profile, one.channel, one.content.text) for one in contacts.messages.values()]
    known = {id: {name: it.value for name, it in one.attributes.items()} for id, one in contacts.profiles.items()}
    return Came(sorted(map(_decision, simulation.decisions)), sorted(messages), known)


async def on_the_engine(days: Days, url: str, database: str) -> Came:
    """Play them on the engine, its clock and its database's set to each moment at which something happens."""
    now = [days.start]

    def clock() -> datetime:
        return now[0]

    store = StoreInTime(url, database, clock)
    await store.prepare(INDEXES)
    writer = Writer(store, process="p1", clock=clock)
    await asyncio.gather(*(writer.commit(_known(profile)) for profile, _ in days.people))
    for _, ledger in days.people:
        await store.insert("ledgers", {"_id": ledger.profile, "on": dict(ledger.on), "h": []})
    rules = await open_rules(
        store, writer, REACHES, as_listed, RulesOptions(str(days.folder)), language="fr", clock=clock, renders=renders
    )
    assert not rules.bookcase.book.mistakes, [str(one) for one in rules.bookcase.book.mistakes]
    rules.engine.begin()
    await rules.occurrences.plan()
    coming = list(days.events)
    fired = sorted({at for at in _firings(rules.bookcase.book, days)})
    while True:
        runs = await store.find(
            "runs", {"due_at": {"$gt": datetime(2000, 1, 1, tzinfo=UTC)}}, sort=[("due_at", 1)], limit=1
        )
        moments = [*(run["due_at"] for run in runs), *(event.happened_at for event in coming[:1]), *fired[:1]]
        if not moments or min(moments) > days.until:
            break
        now[0] = max(now[0], min(moments))
        fired = [at for at in fired if at > now[0]]
        while coming and coming[0].happened_at <= now[0]:
            await writer.commit(_happened(coming.pop(0)))
        await rules.engine.settled()
        await rules.occurrences.plan()
        await rules.occurrences.walk()
        while await rules.engine.look():
            await rules.engine.settled()
    rows = await store.find("decisions", {})
    sent = await store.find("messages", {"direction": "outbound"})
    profiles = await store.find("profiles", {})
    await rules.close()
    await writer.close()
    await store.close()
    return Came(
        sorted(map(_decision, rows)),
        sorted(_message(row["at"], row["profile"], row["channel"], row["content"]["text"]) for row in sent),
        {row["_id"]: {name: it["value"] for name, it in row.get("attributes", {}).items()} for row in profiles},
    )


class StoreInTime(Store):
    """The real store, whose database's own instant (`$$NOW`) is the test's: what it decides by its clock can be played."""

    def __init__(self, url: str, database: str, clock: Callable[[], datetime]) -> None:
        super().__init__(url, database)
        self._now = clock

    async def change(self, collection: str, where: Filter, change: Any, **more: Any) -> Document | None:
        return await super().change(collection, _at(where, self._now()), _at(change, self._now()), **more)

    async def change_many(self, collection: str, where: Filter, change: Any, **more: Any) -> Any:
        return await super().change_many(collection, _at(where, self._now()), _at(change, self._now()), **more)

    async def write_many(self, collection: str, changes: Any, **more: Any) -> Any:
        return await super().write_many(collection, _at(changes, self._now()), **more)


def _at(value: Any, now: datetime) -> Any:
    match value:
        case "$$NOW":
            return now
        case dict():
            return {key: _at(one, now) for key, one in value.items()}
        case list():
            return [_at(one, now) for one in value]
        case tuple():
            return tuple(_at(one, now) for one in value)
        case _:
            return value


def _book(days: Days) -> Book:
    around = Surroundings(frozenset(REACHES.words), zone=PARIS, language="fr")
    book = read_book(read_folder(days.folder), around)
    assert not book.mistakes, [str(one) for one in book.mistakes]
    return book


def _firings(book: Book, days: Days) -> Iterable[datetime]:
    zones = {zone_of(profile, PARIS) for profile, _ in days.people}
    for rule in book.rules.values():
        if trigger := scheduled(rule):
            for zone in zones if trigger.zone == "contact" else [ZoneInfo(trigger.zone)]:
                yield from (firing.at for firing in firings(trigger, zone, days.start, days.until))


def _somebody(id: str, dice: random.Random, now: datetime) -> tuple[Profile, Ledger]:
    long_ago = now - timedelta(days=400)
    spaces = dice.sample(("telegram", "sms", "email"), dice.randrange(1, 4))
    identities = tuple(Identity(space, f"{id}-{space}", long_ago, verified_at=long_ago) for space in spaces)
    profile = Profile(id, long_ago, identities, language=dice.choice(("fr", "en")))
    zone, birthday = dice.choice(ZONES), now + timedelta(days=dice.randrange(40))
    facts = {
        "first_name": id.upper(),
        "points": dice.randrange(900, 1_050),
        "born_on": dice.choice((_as_day, _as_text, _as_instant, _as_midnight))(birthday.replace(year=1990)),
    }
    for name, value in (facts | ({"zone": zone} if zone else {})).items():
        profile = profile.learn(name, value, source="declared" if name != "points" else "inferred", at=long_ago)
    said = {f"{space}:offers": dice.random() < 0.8 for space in ("telegram", "sms", "email") if dice.random() < 0.9}
    return profile, Ledger(id, said)


def _as_day(birthday: datetime) -> str:
    return birthday.date().isoformat()


def _as_text(birthday: datetime) -> str:
    return f"{birthday.date()}T08:00"


def _as_instant(birthday: datetime) -> datetime:
    return birthday.replace(hour=23, minute=30)  # tomorrow in Tokyo and in Paris, today in New York


def _as_midnight(birthday: datetime) -> datetime:
    return birthday.replace(hour=0, minute=0)


def _known(profile: Profile) -> Work:
    claims = {identity.key: profile.id for identity in profile.identities}
    return Work(lambda snapshot: Changes(profiles=(profile,), claims=claims))


def _happened(event: Event) -> Work:
    return Work(lambda snapshot: Changes(events=(event,)), key=event.id, key_in="events")


def _decision(row: Mapping[str, Any]) -> tuple[Any, ...]:
    words = tuple(row.get(name, "") for name in ("rule", "step", "reason", "channel", "variant"))
    return row["at"], row["profile"], *words


def _message(at: datetime, profile: str, channel: str, text: str) -> tuple[Any, ...]:
    return at, profile, channel, text
