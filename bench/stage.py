"""One process of the rules for the benchmarks: a store, the one writer, a rule book written for the occasion, texts ready made."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from profiles.calendar import utc_now
from profiles.personal_links import PersonalLinks
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from rules.choice import as_listed
from rules.gatekeeper import Letter, Unrendered
from rules.options import RulesOptions
from rules.person import Person
from rules.policy import Reach
from rules.run import Run
from rules.running import Running, open_rules
from rules.tracking import Tracker

EMAIL = Reach("email", "email", is_thread=False)
TEXT = Letter(Content("Sales begin on Saturday. Come and see.", title="Sales"), "en")
BOOK = {
    "topics.yml": (
        "offers:\n  title: {fr: Offres, en: Offers}\n  wording: {fr: Oui aux offres, en: Yes to offers}\n  version: 1\n"
    ),
    "pressure.yml": "at most: [3 per 7d, 1 per day]\nchannels:\n  email: {at most: 2 per 7d}\n",
}


@dataclass(slots=True)
class Clock:
    """The machine's clock, set forward by the benchmark so that a schedule fires when it says."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass(frozen=True, slots=True)
class Writes:
    """What it takes to write each message from its template: whose links they hold, and how those are counted."""

    personal: PersonalLinks
    tracker: Tracker


@dataclass(frozen=True, slots=True)
class Stage:
    """What a benchmark reaches."""

    store: Store
    writer: Writer
    rules: Running
    clock: Clock


@asynccontextmanager
async def stage(
    url: str,
    database: str,
    folder: Path,
    *,
    process: str = "bench",
    clock: Clock | None = None,
    writes: Writes | None = None,
    listeners: Sequence[Any] = (),
) -> AsyncIterator[Stage]:
    """Open one process of the rules upon this book's folder; without `writes` every text is the one made before.

    `listeners` are the driver's (pymongo.monitoring): tests count commands with them.
    """
    clock = clock or Clock()
    store = Store(url, database, listeners=listeners)
    writer = Writer(store, process=process, clock=clock)
    rules = await open_rules(
        store,
        writer,
        [EMAIL],
        as_listed,
        RulesOptions(folder=str(folder), zone="UTC"),
        language="fr",
        clock=clock,
        renders=None if writes else ready,
        tracker=writes.tracker if writes else None,
        personal=writes.personal if writes else None,
    )
    assert not rules.bookcase.book.mistakes, [str(one) for one in rules.bookcase.book.mistakes]
    rules.engine.begin()
    try:
        yield Stage(store, writer, rules, clock)
    finally:
        await rules.close()
        await writer.close()
        await store.close()


def write_book(folder: Path, rules: Mapping[str, str]) -> None:
    """Make this folder a rule book with these rules (name -> text)."""
    folder.mkdir()
    if any("/" in rule for rule in rules):
        (folder / "templates").mkdir()
    for name, text in {**BOOK, **{f"{rule}.yml": text for rule, text in rules.items()}}.items():
        (folder / name).write_text(text)


def ready(template: str, reach: Reach, person: Person, run: Run, variant: str) -> Letter | Unrendered:
    """Return a text that was made before: rendering is measured elsewhere."""
    return TEXT
