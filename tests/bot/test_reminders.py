"""Reminders come due as events that nobody wrote, exactly once, and keep quiet where people answer."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.brain import ActionCall, ActionResult, Brain, Heard, Known, perform
from bot.reminders import Reminders
from bot.reminding import cancelled, entities_of, scheduled
from profiles.append import begin, heard
from profiles.consent import PROOFS
from profiles.conversation import take
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import replace
from profiles.snapshot import Changes, Done, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.bot.conftest import START

THREAD = "webchat:v1"
DOMAIN = """
intents: [remind_me, forget, greet, EXTERNAL_late, EXTERNAL_gone]
entities: [what]
slots: {what: {type: text, mappings: [{type: from_entity, entity: what}]}}
actions: [action_remind, action_forget, action_note]
responses:
  utter_ok: [{text: "I will."}]
  utter_hi: [{text: "Hi."}]
  utter_late: [{text: "It is time for {what}."}]
"""
RULES = """
rules:
- rule: remind
  steps: [{intent: remind_me}, {action: action_remind}, {action: utter_ok}]
- rule: forget
  steps: [{intent: forget}, {action: action_forget}]
- rule: greet
  steps: [{intent: greet}, {action: utter_hi}]
- rule: late
  steps: [{intent: EXTERNAL_late}, {action: utter_late}, {action: action_note}]
"""


class Clock:
    """Time that passes when the test says so."""

    now = START

    def __call__(self) -> datetime:
        return self.now


class Performs:
    """Does what the bot's actions would; `at` is when they remind, `kills` whether a message removes it."""

    def __init__(
        self, after: timedelta = timedelta(hours=3), intent: str = "EXTERNAL_late", kills: bool = True
    ) -> None:
        self.event = {
            "event": "reminder", "intent": intent, "entities": {"what": "tea"}, "name": "tea",
            "date_time": (START + after).isoformat(), "kill_on_user_msg": kills,
        }  # fmt: skip
        self.called: list[str] = []

    async def run(self, call: ActionCall) -> ActionResult:
        self.called.append(call.name)
        if call.name == "action_remind":
            return ActionResult(events=(self.event,))
        if call.name == "action_forget":
            return ActionResult(events=({"event": "cancel_reminder", "name": "tea", "intent": None, "entities": None},))
        return ActionResult(responses=({"text": "Noted."},))


@pytest.fixture
def brain(write_bot: Any) -> Brain:
    return Brain.load(write_bot(domain=DOMAIN, data__rules=RULES, handover="after_misunderstandings: 0"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


@pytest.fixture
async def writer(store: Store, clock: Clock) -> AsyncIterator[Writer]:
    writer = Writer(store, process="p1", clock=clock)
    yield writer
    await writer.close()


async def after(brain: Brain, actions: Performs, *said: str, pause: timedelta = timedelta(minutes=1)) -> Any:
    """Return the bot's memory once this was said to it."""
    memory: Any = None
    for number, one in enumerate(said):
        words = Heard(f"m{number}", one, "webchat", START + number * pause)
        memory = (await perform(brain, memory, words, Known("p1", None, {}, THREAD), actions)).tracker
    return memory


async def keep(writer: Writer, memory: Any, *, by_agent: bool = False, visitor: str = "v1") -> None:
    """Put a conversation with this memory of the bot there."""
    id, person = f"webchat:{visitor}", Profile(visitor.replace("v", "p"), START)
    thread = begin(id, person, channel="webchat", address=visitor, identity=id, now=START)
    thread, message = heard(thread, Content("/remind_me"), id=visitor.replace("v", "m"), now=START)
    thread = replace(take(thread, "agent:a") if by_agent else thread, bot=memory)
    changes = Changes(profiles=(person,), conversations=(thread,), claims={id: person.id}, messages=(message,))
    assert isinstance(await writer.commit(Work(lambda _: changes, identities=(id,), profiles=(person.id,))), Done)


async def said(store: Store) -> list[str]:
    found = await store.find("messages", {"direction": "outbound"})
    return [document["content"]["text"] for document in sorted(found, key=lambda one: one["seq"])]


async def memory_of(store: Store) -> Any:
    document = await store.get("conversations", THREAD)
    assert document is not None
    return document["bot"]


def reminders_in(memory: Any) -> list[str]:
    return [reminder["name"] for reminder in memory["tracker"].get("reminders", ())]


async def test_a_reminder_is_said_when_it_is_due_and_only_once(brain, store, writer, clock):
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"))
    timer = Reminders(brain, actions, writer, store, clock=clock)
    clock.now = START + timedelta(hours=2, minutes=59)
    assert await timer.look() == 0 and await said(store) == []
    clock.now = START + timedelta(hours=3)  # the session of 60 minutes is over by then
    assert await timer.look() == 1
    assert await said(store) == ["It is time for tea.", "Noted."]
    assert await timer.look() == 0
    assert "due_at" not in await memory_of(store) and reminders_in(await memory_of(store)) == []


async def test_two_processes_that_look_at_once_fire_it_once(brain, store, writer, clock, mongo_url, database_name):
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"))
    clock.now = START + timedelta(hours=4)
    other_store = Store(mongo_url, database_name)
    other = Writer(other_store, process="p2", clock=clock)
    timers = [
        Reminders(brain, actions, writer, store, clock=clock),
        Reminders(brain, actions, other, other_store, clock=clock),
    ]
    fired = [await timer.look() for timer in timers]
    assert sum(fired) == 1 and await said(store) == ["It is time for tea.", "Noted."]
    await other.close()
    await other_store.close()


async def test_where_people_answer_a_reminder_keeps_quiet(brain, store, writer, clock):
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"), by_agent=True)
    clock.now = START + timedelta(hours=4)
    assert await Reminders(brain, actions, writer, store, clock=clock).look() == 1
    assert await said(store) == [] and reminders_in(await memory_of(store)) == []


async def test_a_reminder_that_the_bot_does_not_know_any_more_is_dropped(brain, store, writer, clock):
    actions = Performs(intent="intent_of_last_year")
    await keep(writer, await after(brain, actions, "/remind_me"))
    clock.now = START + timedelta(hours=4)
    assert await Reminders(brain, actions, writer, store, clock=clock).look() == 1
    assert await said(store) == [] and reminders_in(await memory_of(store)) == []


async def test_an_action_that_breaks_at_a_reminder_brings_a_person(brain, store, writer, clock):
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"))

    class Breaks(Performs):
        async def run(self, call: ActionCall) -> ActionResult:
            raise RuntimeError("on purpose")

    clock.now = START + timedelta(hours=4)
    await Reminders(brain, Breaks(), writer, store, clock=clock).look()
    document = await store.get("conversations", THREAD)
    assert document is not None and document["owner"] == "queue"


async def test_an_answer_that_the_database_can_not_keep_is_given_to_people_and_holds_up_no_other(
    brain, store, writer, clock, caplog
):
    actions = Performs()
    memory = await after(brain, actions, "/remind_me")
    await keep(writer, memory)
    await keep(writer, memory, visitor="v2")

    class Much(Performs):
        async def run(self, call: ActionCall) -> ActionResult:
            self.called.append(call.name)
            pages = [["x" * 10_000] * 200] * 10  # more than a document may have
            return ActionResult(events=({**self.event, "entities": {"what": pages}},) if len(self.called) == 1 else ())

    clock.now = START + timedelta(hours=4)
    much = Much(timedelta(days=9))
    timer = Reminders(brain, much, writer, store, clock=clock)
    await timer.look()
    first, second = [await store.get("conversations", id) for id in (THREAD, "webchat:v2")]
    assert first is not None and second is not None
    assert {one.get("owner", "bot") for one in (first, second)} == {"queue", "bot"}
    assert [reminders_in(one["bot"]) for one in (first, second)] == [[], []]
    assert await said(store) == ["It is time for tea."]  # to the other
    assert f"reminders.answer unstorable conversation={THREAD}" in caplog.text
    await timer.look()
    assert much.called == ["action_note", "action_note"]


async def test_a_reminder_set_anew_for_the_very_second_of_its_saying_is_said_once(brain, store, writer, clock):
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"))

    class Again(Performs):
        async def run(self, call: ActionCall) -> ActionResult:
            self.called.append(call.name)
            return ActionResult(events=(self.event,))

    clock.now = START + timedelta(hours=4)
    again = Again()
    timer = Reminders(brain, again, writer, store, clock=clock)
    for _ in range(3):
        await timer.look()
    assert await said(store) == ["It is time for tea."]
    assert reminders_in(await memory_of(store)) == [] and len(again.called) == 2


async def test_a_no_that_a_reminder_brings_about_holds(write_bot, store, writer, clock):
    events = "events:\n  utter_late: {name: consent.withdrawn, properties: {topic: offers}}"
    brain = Brain.load(
        write_bot(domain=DOMAIN, data__rules=RULES, handover="after_misunderstandings: 0", profile=events)
    )
    actions = Performs()
    await keep(writer, await after(brain, actions, "/remind_me"))
    clock.now = START + timedelta(hours=4)
    await Reminders(brain, actions, writer, store, clock=clock).look()
    assert [proof["topic"] for proof in await store.find(PROOFS, {"profile": "p1"})] == ["offers"]


@pytest.mark.parametrize(
    ("said_after", "kills", "left"),
    [
        ((), True, ["tea"]),
        (("/greet",), True, []),
        (("/greet",), False, ["tea"]),
        (("/forget",), False, []),
        (("/back",), False, []),
        (("/restart",), False, []),
        (("/remind_me",), False, ["tea"]),
    ],
)
async def test_what_the_customer_says_decides_whether_a_reminder_stays(brain, said_after, kills, left):
    assert reminders_in(await after(brain, Performs(kills=kills), "/remind_me", *said_after)) == left


async def test_a_reminder_outlives_the_session_that_the_clock_ends(brain):
    memory = await after(brain, Performs(kills=False), "/remind_me", "/greet", pause=timedelta(hours=2))
    assert reminders_in(memory) == ["tea"]


@pytest.mark.parametrize("written", [None, "soon", "2026-13-01T00:00:00", 12, ""])
def test_a_time_that_nobody_can_read_sets_no_reminder(written):
    assert scheduled([], {"intent": "x", "date_time": written}) == []


def test_a_reminder_without_a_zone_is_meant_in_the_servers_own():
    at = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 (what an action written for Rasa sends)
    (reminder,) = scheduled([], {"intent": "x", "date_time": at.isoformat()})
    assert reminder["at"] == at.timestamp()


def test_only_the_twenty_latest_reminders_stay():
    reminders: list[Any] = []
    for number in range(30):
        reminders = scheduled(reminders, {"intent": "x", "name": f"r{number}", "date_time": START.isoformat()})
    assert [one["name"] for one in reminders] == [f"r{number}" for number in range(10, 30)]


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ({}, []),
        ({"name": "a"}, ["b"]),
        ({"intent": "x"}, ["b"]),
        ({"intent": "x", "entities": {"city": "Lyon"}}, ["b"]),
        ({"intent": "x", "entities": {"city": "Nice"}}, ["a", "b"]),
        ({"name": "a", "intent": "y"}, ["a", "b"]),
    ],
)
def test_a_cancelled_reminder_must_be_all_that_was_said(event, left):
    at, city = START.isoformat(), entities_of({"city": "Lyon"})
    reminders = scheduled([], {"intent": "x", "name": "a", "date_time": at, "entities": city})
    reminders = scheduled(reminders, {"intent": "y", "name": "b", "date_time": at})
    assert [one["name"] for one in cancelled(reminders, event)] == left
