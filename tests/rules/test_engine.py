"""The engine on a real database: events, waits, crashes and rivals; what is sent is in the outbox, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Done, Work
from profiles.store import Store, Unavailable
from profiles.timeline import Event, Message
from profiles.writer import Writer
from rules import engine
from rules.options import RulesOptions
from rules.running import Running, open_rules
from rules.turn import News
from tests.cast import NOON, anna, clara, dmitri
from tests.rules.play import REACHES, as_listed, renders

TOPICS = """
offers:
  title: {fr: Offres, en: Offers}
  version: 1
  wording: {fr: Oui aux offres, en: Yes to offers}
"""
CART = """
rule: cart
state: live
class: transactional
when: {event: cart.updated, key: event.cart_id, again: restart}
exit on: [{event: order.paid}]
steps:
  - wait: 1h
  - send: {channel: telegram, template: cart_1}
"""


@dataclass
class Clock:
    """Time, as the test says."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Town:
    """One process with its rules, and the same database for the next one."""

    store: Store
    writer: Writer
    rules: Running
    clock: Clock

    async def happens(self, name: str, who: str = "anna", id: str = "", **properties: Any) -> None:
        """Let this happen, and wait until the rules have thought about it."""
        event = Event(
            id or f"{name}-{who}-{self.clock.now.timestamp()}",
            who,
            name,
            self.clock.now,
            properties=properties,
        )
        outcome = await self.writer.commit(
            Work(lambda snapshot: Changes(events=(event,)), key=event.id, key_in="events")
        )
        assert isinstance(outcome, Done)
        await self.rules.engine.settled()

    async def passes(self, **length: float) -> None:
        """Let time pass and whatever is due happen."""
        self.clock.now += timedelta(**length)
        while await self.rules.engine.look():
            await self.rules.engine.settled()

    async def outbox(self) -> list[str]:
        """Return what stands to be sent, as it was said."""
        rows = await self.store.find("messages", {"direction": "outbound"}, sort=[("at", 1), ("_id", 1)])
        return [from_document(Message, row).content.text for row in rows]

    async def runs(self) -> list[dict[str, Any]]:
        """Return all runs."""
        return await self.store.find("runs", {})


async def open_town(url: str, name: str, folder: Path, clock: Clock, process: str) -> Town:
    store = Store(url, name)
    writer = Writer(store, process=process, clock=clock)
    rules = await open_rules(
        store, writer, REACHES, as_listed, RulesOptions(str(folder)), language="fr", clock=clock, renders=renders
    )
    rules.engine.begin()
    return Town(store, writer, rules, clock)


async def close_town(town: Town) -> None:
    await town.rules.close()
    await town.writer.close()
    await town.store.close()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "topics.yml").write_text(TOPICS)
    (tmp_path / "cart.yml").write_text(CART)
    return tmp_path


@pytest.fixture
async def town(mongo_url: str, database_name: str, book: Path) -> AsyncIterator[Town]:
    clock = Clock()
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="set-up")
    people = (anna(), clara(), dmitri())
    await asyncio.gather(*(writer.commit(_known(person)) for person in people))
    await writer.close()
    await store.close()
    opened = await open_town(mongo_url, database_name, book, clock, "p1")
    yield opened
    await close_town(opened)


@pytest.fixture
async def second(town: Town, mongo_url: str, database_name: str, book: Path) -> AsyncIterator[Town]:
    """Another process on the same database and book."""
    opened = await open_town(mongo_url, database_name, book, town.clock, "p2")
    yield opened
    await close_town(opened)


def _known(person: Profile) -> Work:
    claims = {identity.key: person.id for identity in person.identities}
    return Work(lambda snapshot: Changes(profiles=(person,), claims=claims))


async def test_an_event_begins_a_run_in_its_own_commit_and_the_message_stands_in_the_outbox(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    (run,) = await town.runs()
    assert run["rule"] == "cart" and run["due_at"] == NOON + timedelta(hours=1)
    assert await town.store.find("nudges", {}) == []
    await town.passes(hours=1)
    assert await town.outbox() == ["cart_1"]
    (message,) = await town.store.find("messages", {"direction": "outbound"})
    assert message["metadata"]["rule"] == "cart" and len(message["metadata"]["version"]) == 12
    assert message["conversation"] == "telegram:7001" and message["delivery"]["leased_by"] == "p1"
    (decision,) = await town.store.find("decisions", {})
    assert decision["reason"] == "sent" and decision["messages"] == [message["_id"]]


async def test_what_the_database_would_not_take_is_thought_of_again_soon(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, tries = town.rules.turn.work, 0

    async def fails_twice(news: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("met another writer 20 times")
        return await works(news)

    monkeypatch.setattr(engine, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(town.rules.turn, "work", fails_twice)
    await town.happens("cart.updated", cart_id="c1")
    assert tries == 3 and len(await town.runs()) == 1


async def test_others_are_thought_of_while_one_is_written_but_nobody_twice_at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, begun, written = town.rules.turn.work, list[list[str]](), asyncio.Event()

    async def slowly(news: Any) -> Any:
        begun.append([one.profile for one in news])
        await written.wait()
        return await works(news)

    monkeypatch.setattr(town.rules.turn, "work", slowly)
    for who in ("anna", "anna", "clara"):
        event = Event(f"{who}{len(begun)}", who, "cart.updated", NOON, properties={"cart_id": f"c{len(begun)}"})
        town.rules.engine.tell(News(who, event=event))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert begun == [["anna"], ["clara"]]
    written.set()
    await town.rules.engine.settled()
    assert begun == [["anna"], ["clara"], ["anna"]]


async def test_who_pays_meanwhile_hears_nothing(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    town.clock.now += timedelta(minutes=10)
    await town.happens("order.paid")
    await town.passes(hours=2)
    assert await town.outbox() == []
    (run,) = await town.runs()
    assert run["ended"] == "exit:order.paid" and "due_at" not in run


async def test_a_crash_after_the_commit_of_the_event_loses_nothing(town: Town, second: Town) -> None:
    town.writer._committer.listeners.clear()  # the process dies before it takes the nudge
    event = Event("e1", "anna", "cart.updated", NOON, properties={"cart_id": "c1"})
    await town.writer.commit(Work(lambda snapshot: Changes(events=(event,))))
    assert await town.runs() == []
    assert await second.rules.engine.look() == 0, "its lease still holds"
    await second.passes(minutes=1)
    assert len(await second.runs()) == 1
    await second.passes(hours=1)
    assert await second.outbox() == ["cart_1"]


async def test_two_processes_that_find_the_same_run_due_send_once(town: Town, second: Town) -> None:
    for number in range(5):
        await town.happens("cart.updated", id=f"e{number}", cart_id=f"c{number}")
    town.clock.now += timedelta(hours=1)
    await asyncio.gather(*(one.rules.engine.look() for one in (town, second, town, second)))
    await asyncio.gather(town.rules.engine.settled(), second.rules.engine.settled())
    assert await town.outbox() == ["cart_1"] * 5


async def test_the_same_event_told_twice_begins_one_run(town: Town, second: Town) -> None:
    event = Event("e1", "anna", "cart.updated", NOON, properties={"cart_id": "c1"})
    await town.happens("cart.updated", id="e1", cart_id="c1")
    await second.rules.engine.work([News("anna", "e1", event=event)])
    assert len(await town.runs()) == 1


async def test_a_matter_that_came_before_is_ignored_also_when_its_run_has_ended(town: Town, book: Path) -> None:
    confirms = CART.replace("again: restart", "again: ignore").replace("  - wait: 1h\n", "")
    (book / "cart.yml").write_text(confirms + "  - wait: 1h\n")
    await town.rules.bookcase.look(at_once=True)
    await town.happens("cart.updated", id="e1", cart_id="c1")
    await town.happens("cart.updated", id="e2", cart_id="c2")  # another one, while the first run is alive
    await town.happens("cart.updated", id="e3", cart_id="c1")
    await town.passes(hours=2)
    await town.happens("cart.updated", id="e4", cart_id="c1")
    assert await town.outbox() == ["cart_1"] * 2 and len(await town.runs()) == 2
    rows = await town.store.find("decisions", {"reason": "again"}, sort=[("at", 1)])
    assert [row["detail"] for row in rows] == ["e3", "e4"]


async def test_two_processes_told_of_one_matter_by_two_events_begin_it_once(
    town: Town, second: Town, book: Path
) -> None:
    (book / "cart.yml").write_text(CART.replace("again: restart", "again: ignore"))
    news = [News("anna", event=Event(id, "anna", "cart.updated", NOON, properties={"cart_id": "c1"})) for id in "ab"]
    for one in (town, second):
        await one.rules.bookcase.look(at_once=True)
    await asyncio.gather(town.rules.engine.work(news[:1]), second.rules.engine.work(news[1:]))
    assert len(await town.runs()) == 1


async def test_a_paused_rule_keeps_its_contacts_where_they_stand_and_goes_on_later(town: Town, book: Path) -> None:
    await town.happens("cart.updated", cart_id="c1")
    (book / "cart.yml").write_text(CART.replace("state: live", "state: paused"))
    await town.rules.bookcase.look(at_once=True)
    await town.passes(hours=2)
    assert await town.outbox() == []
    (book / "cart.yml").write_text(CART)
    await town.rules.bookcase.look(at_once=True)
    await town.passes(minutes=16)
    assert await town.outbox() == ["cart_1"]


async def test_an_edit_while_people_are_inside_lets_them_finish_what_they_began(town: Town, book: Path) -> None:
    await town.happens("cart.updated", cart_id="c1")
    (book / "cart.yml").write_text(CART.replace("cart_1", "cart_new"))
    await town.rules.bookcase.look(at_once=True)
    await town.happens("cart.updated", "clara", cart_id="c2")
    await town.passes(hours=1)
    assert sorted(await town.outbox()) == ["cart_1", "cart_new"]


async def test_a_broken_edit_leaves_the_rule_as_it_was(town: Town, book: Path) -> None:
    (book / "cart.yml").write_text(CART.replace("event: cart.updated", "evnt: cart.updated"))
    await town.rules.bookcase.look(at_once=True)
    assert town.rules.bookcase.book.mistakes
    await town.happens("cart.updated", cart_id="c1")
    await town.passes(hours=1)
    assert await town.outbox() == ["cart_1"]


async def test_marketing_takes_a_slot_in_the_ledger_and_every_refusal_is_kept_with_its_reason(
    town: Town, book: Path
) -> None:
    (book / "cart.yml").write_text(CART.replace("class: transactional", "topic: offers"))
    (book / "pressure.yml").write_text("at most: 1 per 7d\n")
    await town.rules.bookcase.look(at_once=True)
    assert [str(one) for one in town.rules.bookcase.book.mistakes] == []
    await says_yes(town, "anna")
    for who in ("anna", "clara"):
        await town.happens("cart.updated", who, cart_id="c1")
    await town.passes(hours=1)
    await town.happens("cart.updated", cart_id="c2")
    await town.passes(hours=1)
    rows = await town.store.find("decisions", {}, sort=[("at", 1), ("profile", 1)])
    assert [(row["profile"], row["reason"]) for row in rows] == [
        ("anna", "sent"), ("clara", "no_consent:topic:offers"), ("anna", "capped:all"),
    ]  # fmt: skip
    ledger = (await Ledgers(town.store).read(["anna"]))["anna"]
    assert [(entry.rule, entry.channel, entry.topic) for entry in ledger.entries] == [("cart", "telegram", "offers")]


async def says_yes(town: Town, who: str) -> None:
    """Let somebody agree to offers on Telegram."""
    await town.store.change("ledgers", {"_id": who}, {"$set": {"on": {"telegram:offers": True}, "h": []}}, upsert=True)
