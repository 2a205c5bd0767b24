"""Who gets the conversation that waits: in turn, within capacity, the longest wait first, drained when somebody comes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from admin.agents import Agent
from admin.alarm import Alarm
from admin.presence import Visit
from admin.queue import Drain, Turn
from profiles.append import begin, heard
from profiles.conversation import Handover, hand_over, resolve
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content
from tests.admin.office import Office, person
from tests.waiting import until
from tests.world import NOON


def test_those_who_are_free_get_one_each_in_turn() -> None:
    at: Any = None
    agents = [Agent(id, f"{id}@example.org", id, "agent", at, capacity=2) for id in ("anna", "ben", "cleo")]
    turn, load = Turn(), {"ben": 1}
    given: list[str] = []
    while agent := turn.next(agents, load):
        turn.given_at[agent.id] = NOON + timedelta(minutes=len(given))
        load[agent.id] = load.get(agent.id, 0) + 1
        given.append(agent.id)
    assert given == ["anna", "cleo", "ben", "anna", "cleo"]


async def test_the_backlog_drains_when_an_agent_comes_and_stops_at_capacity(office: Office) -> None:
    await office.agent(capacity=3)
    await _waiting(office, 5)
    office.desk.presence.arrive(Visit("maya", "s"))
    await until(lambda: _mine(office, "maya", 3))
    assert await office.desk.store.count("conversations", {"owner": "queue"}) == 2
    given = await office.desk.store.find("conversations", {"assignee": "maya"}, sort=[("_id", 1)])
    assert [row["_id"] for row in given] == ["telegram:q0", "telegram:q1", "telegram:q2"], "the longest wait first"

    def close(snapshot: Snapshot) -> Changes:
        return Changes(conversations=(resolve(snapshot.conversations["telegram:q0"], snapshot.now),))

    await office.do(Work(close, conversations=("telegram:q0",)))
    await until(lambda: _mine(office, "maya", 3))
    assert await office.desk.store.count("conversations", {"owner": "queue"}) == 1


async def test_whoever_is_away_or_may_not_answer_gets_nothing(office: Office) -> None:
    await office.agent(is_away=True)
    await office.agent("Théo Morel", "marketer")
    await _waiting(office, 1)
    for agent in ("maya", "théo"):
        office.desk.presence.arrive(Visit(agent, "s"))
    assert await Drain(office.desk).drain() == 0
    caller = await office.signed_in(await office.agent("Samir Haddad"))
    assert caller and await Drain(office.desk).drain() == 0, "signed in, but no page is open"


async def test_two_processes_never_give_one_conversation_twice(office: Office) -> None:
    for name in ("Maya Lindqvist", "Samir Haddad"):
        await office.agent(name, capacity=50)
    await _waiting(office, 20)
    for agent in ("maya", "samir"):
        office.desk.presence.visits.add(Visit(agent, "s"))
    drains = [Drain(office.desk) for _ in range(3)]
    await asyncio.gather(*(drain.drain() for drain in drains))
    await until(lambda: office.desk.store.count("conversations", {"owner": "agent"}), within_seconds=5)
    assert await office.desk.store.count("conversations", {"owner": "queue"}) == 0
    assert await office.desk.store.count("events", {"name": "conversation.queued"}) == 20
    assert await office.desk.store.count("audit", {"act": "conversation.queued"}) == 20


async def test_a_conversation_handed_over_finds_the_agent_who_is_here(office: Office) -> None:
    await office.agent()
    office.desk.presence.arrive(Visit("maya", "s"))
    await _waiting(office, 1)
    await until(lambda: _mine(office, "maya", 1))


async def test_a_snoozed_conversation_wakes_at_its_time(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    at = int((shop.clock() + timedelta(hours=1)).timestamp())
    await caller.post("/conversations/telegram%3A7003/snooze", {"until": at})
    due = await Alarm(shop.desk).ring()
    assert due and int(due.timestamp()) == at
    shop.clock.ahead += timedelta(hours=2)
    assert await Alarm(shop.desk).ring() is None
    conversation = await shop.conversation("telegram:7003")
    assert (conversation.status, conversation.assignee) == ("open", "maya")


@pytest.mark.parametrize("hours", [-1, 0])
async def test_nobody_snoozes_into_the_past(hours: int, shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    until_at = int((shop.clock() + timedelta(hours=hours)).timestamp())
    assert (await caller.post("/conversations/telegram%3A7003/snooze", {"until": until_at})).status == 409
    for nonsense, refusal in ((10**17, 422), (10**30, 400)):  # no such year; no such number in the JSON of most
        assert (await caller.post("/conversations/telegram%3A7003/snooze", {"until": nonsense})).status == refusal


async def _waiting(office: Office, many: int) -> None:
    start = office.clock() - timedelta(hours=1)
    for number in range(many):
        at = start + timedelta(minutes=number)
        profile = person(f"q{number}", f"Person {number}", at, ("telegram", f"q{number}"))
        id = f"telegram:q{number}"
        thread = begin(id, profile, channel="telegram", address=f"q{number}", identity=id, now=at)
        thread, message = heard(thread, Content("help"), id=f"m{number}", now=at)
        thread = hand_over(thread, Handover("asked", at))
        await office.commit(Changes((profile,), (thread,), {id: profile.id}, messages=(message,)))


async def _mine(office: Office, agent: str, many: int) -> bool:
    return await office.desk.store.count("conversations", {"assignee": agent, "status": None}) == many
