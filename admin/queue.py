"""Who gets the conversation that waits? Agents who are here, in turn, each up to their capacity; the longest wait goes first.

Nobody polls: the drain wakes when a conversation joins the queue, an agent comes, or one of theirs ends. Several processes
may drain at once: the conversation's version lets one win, and the other thinks again and finds it taken. Whose turn it is stands
in `turns`, a row an agent: its version, read before the loads are counted, keeps two processes from filling one place twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from admin import inbox
from admin.agents import Agent, audit_row, everyone
from admin.desk import Desk
from profiles import conversation as thread
from profiles.ids import new_id
from profiles.live import Lagging
from profiles.snapshot import Changes, Done, Refusal, Snapshot, Work, Write
from profiles.store import Unavailable
from profiles.tasks import end
from profiles.timeline import SYSTEM, Event

log = logging.getLogger("admin.queue")

AT_ONCE = 50
RETRY_SECONDS = 1.0
TURNS = "turns"
GIVEN_MEANWHILE = "given_meanwhile"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Turn:
    """Whose turn it is: the agent who was given something longest ago comes first."""

    given_at: dict[str, datetime] = field(default_factory=dict)
    """When each agent was last given something."""

    def next(self, agents: Iterable[Agent], load: dict[str, int]) -> Agent | None:
        """Return the agent who gets the next conversation, or None when all are full or nobody is here."""
        free = [agent for agent in agents if load.get(agent.id, 0) < agent.capacity]
        return min(
            free, key=lambda agent: (self.given_at.get(agent.id, _NEVER), load.get(agent.id, 0), agent.id), default=None
        )


class Drain:
    """Gives out the queue as long as it runs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin with whatever waits already."""
        self._desk.presence.on_arrival.append(self.wake)
        self._wake.set()
        self._tasks = [asyncio.create_task(self._listen(), name="queue.listen"),
                       asyncio.create_task(self._run(), name="queue.drain")]  # fmt: skip

    async def stop(self) -> None:
        """Give out nothing more."""
        await end(*self._tasks)

    def wake(self) -> None:
        """Look again: somebody came, or something ended."""
        self._wake.set()

    async def drain(self) -> int:
        """Give out what can be given now and return how many conversations found an agent."""
        here = self._desk.presence.agents()
        if not here:
            return 0
        waiting = await self._desk.store.find(
            "conversations",
            {"owner": "queue", "status": None},
            sort=[("waiting_since", 1)],
            limit=AT_ONCE,
            only=["_id"],
        )
        if not waiting:
            return 0
        known = await everyone(self._desk.store)
        agents = [known[id] for id in here if id in known and known[id].may("converse") and not known[id].is_away]
        rows = {row["_id"]: row for row in await self._desk.store.get_many(TURNS, (agent.id for agent in agents))}
        load = dict((await inbox.counts(self._desk.store)).mine or {})  # counted after the turns were read
        turn = Turn({id: row["at"] for id, row in rows.items()})
        seen = {id: int(row["times"]) for id, row in rows.items()}
        given = 0
        for document in waiting:
            agent = turn.next(agents, load)
            if agent is None:
                return given
            outcome = await self._desk.writer.commit(assigned(document["_id"], agent, seen.get(agent.id, 0)))
            if isinstance(outcome, Done):
                turn.given_at[agent.id] = outcome.changes.answer
                seen[agent.id] = seen.get(agent.id, 0) + 1
                load[agent.id] = load.get(agent.id, 0) + 1
                given += 1
                log.info("queue.assigned agent=%s", agent.id)
            elif isinstance(outcome, Refusal) and outcome.reason == GIVEN_MEANWHILE:
                self.wake()  # another process gave them something: count again
                return given
        return given

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self.drain() == AT_ONCE:
                    pass
            except Unavailable as error:
                log.warning("queue.drain failed reason=%s", error)
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

    async def _listen(self) -> None:
        while True:
            with self._desk.feed.listen(_matters) as changes, contextlib.suppress(Lagging):
                async for _ in changes:
                    self._wake.set()
            self._wake.set()  # what was missed while lagging is found by looking


def assigned(id: str, agent: Agent, times: int) -> Work:
    """Return the Work that gives a waiting conversation to an agent; its answer is when.

    Refused when somebody was first, or the agent was given something since: they had been given `times` conversations.
    """
    turn = (TURNS, agent.id)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None or conversation.owner != "queue":
            return Refusal("not_waiting", id)
        if _times(snapshot.records.get(turn)) != times:
            return Refusal(GIVEN_MEANWHILE, agent.id)
        now = snapshot.now
        event = Event(
            new_id(now), conversation.profile, "conversation.queued", now, id, SYSTEM, "queue", {"to": agent.id}
        )
        audit = audit_row("conversation.queued", by=SYSTEM, about=id, at=now, to=agent.id)
        return Changes(
            conversations=(thread.take(conversation, agent.id),), events=(event,), records=(("audit", audit),),
            writes=(Write(*turn, {"at": now, "times": times + 1}),), answer=now,
        )  # fmt: skip

    return Work(think, conversations=(id,), records=(turn,))


def _times(row: Mapping[str, Any] | None) -> int:
    return int(row["times"]) if row else 0


def _matters(changes: Changes) -> bool:
    return any(
        conversation.owner == "queue" or conversation.status != "open" for conversation in changes.conversations
    ) or any(event.name == "conversation.given_back" for event in changes.events)
