"""What does the outbox cost: from messages that are committed to deliveries that are recorded? Beside claiming one by one.

Ours are born leased to the process that wrote them, sent from memory, and their outcomes recorded in groups. The control is the
obvious queue: eight workers, each claims the next message with a findAndModify, sends it, and marks it. Both are as durable
(majority, journaled), send nowhere, and take turns on one MongoDB; every message must be recorded as sent, once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, cast

from pymongo import WriteConcern

from bench import cpu
from bench.database import driver, own_mongod
from causerie.garbage import collect_seldom
from causerie.mongod import Mongod
from channels.channel import Channel, Limits, Outbound, Sending, Sent
from channels.outbound import BackDoor
from profiles.append import begin, said
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import BOT, Content, Message
from profiles.writer import Writer

WORKERS = 8  # of the control
WANTED_RATIO = 13  # what the issue asks
TEXT = "Bonjour Élodie, votre commande est partie ce matin."
WITHIN_SECONDS = 300.0
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way. CPU is that of this process and of the database."""

    per_second: float
    cpu_us: float
    whole: bool
    """Whether every message was handed over once and recorded as sent."""
    meanwhile: float = 0.0
    """The share that was on record when the last was handed over: 0 where sending and marking take turns."""


@dataclass(slots=True)
class Nowhere:
    """A channel: whatever it is given counts as sent."""

    sent: list[str] = field(default_factory=list)
    name: str = "pigeon"
    space: str = "pigeon"
    limits: Limits = Limits(per_second=0, per_person_second=0, at_once=100_000)
    marked: int = 0
    marked_before_the_last: int = 0

    async def send(self, outbound: Outbound) -> Sending:
        self.sent.append(outbound.id)
        self.marked_before_the_last = self.marked
        return Sent(outbound.id)

    def hear(self, several: list[Changes]) -> None:
        """Count what is on record."""
        self.marked += sum(len(changes.amends) for changes in several)


async def report(messages: int, rounds: int) -> dict[str, Any]:
    """Measure and return the figures; `messages` in each round of ours, a quarter of them in the control's."""
    found: dict[str, list[Round]] = {"ours": [], "control": []}
    collect_seldom()  # as the server does when it is ready
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        client = await opened.enter_async_context(driver(database.url))
        for number in range(rounds):  # in turn, so that a busy machine is busy for both
            found["ours"].append(await _ours(database, client, f"ours_{number}", messages))
            found["control"].append(await _control(database, client, f"control_{number}", max(messages // 4, 1)))
    figures: dict[str, Any] = {"messages": messages, "machine": cpu.machine()}
    for name, measured in found.items():
        figures[f"{name}_per_second"] = round(median(one.per_second for one in measured))
        figures[f"{name}_cpu_us"] = round(median(one.cpu_us for one in measured))
    figures["ratio"] = round(figures["ours_per_second"] / figures["control_per_second"], 1)
    figures["cpu_ratio"] = round(figures["control_cpu_us"] / figures["ours_cpu_us"], 1)
    figures["marked_meanwhile"] = round(median(one.meanwhile for one in found["ours"]), 2)
    figures["nothing_lost"] = all(one.whole for ways in found.values() for one in ways)
    # by CPU: how many a second those come to depends on who else is on the machine
    figures["fast_enough"] = figures["cpu_ratio"] >= WANTED_RATIO
    return figures


async def _ours(database: Mongod, client: Any, name: str, messages: int) -> Round:
    channel, store = Nowhere(), Store(database.url, name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="bench")
    back_door = BackDoor({"pigeon": cast(Channel, channel)}, writer, clock=utc_now)
    born = await committed(writer, messages)
    writer.listen(channel.hear)
    began, spent = time.perf_counter(), _spent(database)
    for message in born:
        back_door.send(message)
    await back_door.close(WITHIN_SECONDS)  # comes back when every outcome is recorded
    took, used = time.perf_counter() - began, _spent(database) - spent
    await writer.close()
    await store.close()
    whole = await _is_whole(client[name], channel.sent, messages)
    return Round(messages / took, used / messages * 1e6, whole, channel.marked_before_the_last / messages)


async def committed(writer: Writer, messages: int) -> list[Message]:
    """Commit one message to each of so many people, and return them as they are: leased to this process."""
    born: list[Message] = []

    def heard(several: list[Changes]) -> None:
        born.extend(message for changes in several for message in changes.messages)

    writer.listen(heard)
    await asyncio.gather(*(writer.commit(_says(number)) for number in range(messages)))
    return born


def _says(number: int) -> Work:
    address, key = str(number), f"pigeon:{number}"

    def think(snapshot: Snapshot) -> Changes:
        now = snapshot.now
        profile = Profile(f"P{number}", now, (Identity("pigeon", address, now),))
        conversation = begin(key, profile, channel="pigeon", address=address, identity=key, now=now)
        conversation, message = said(conversation, Content(TEXT), id=f"m:{number}", author=BOT, now=now, to=key)
        return Changes((profile,), (conversation,), {key: profile.id}, messages=(message,))

    return Work(think, identities=(key,), conversations=(key,))


async def _control(database: Mongod, client: Any, name: str, messages: int) -> Round:
    queue = client[name].get_collection("messages", write_concern=WriteConcern(w="majority", j=True))
    await queue.create_index([("delivery.state", 1), ("_id", 1)])
    await queue.insert_many([_queued(number) for number in range(messages)])
    sent: list[str] = []

    async def hand_over(row: Document) -> None:
        sent.append(row["_id"])

    began, spent = time.perf_counter(), _spent(database)
    await asyncio.gather(*(one_by_one(queue, hand_over) for _ in range(WORKERS)))
    took, used = time.perf_counter() - began, _spent(database) - spent
    return Round(messages / took, used / messages * 1e6, await _is_whole(client[name], sent, messages))


async def one_by_one(queue: Any, hand_over: Callable[[Document], Awaitable[None]]) -> None:
    """Be a worker of the control: claim the next message, hand it over, mark it, until there is none."""
    while True:
        claim = {"$set": {"delivery.state": "sending", "delivery.leased_at": utc_now()}}
        found = await queue.find_one_and_update({"delivery.state": "queued"}, claim, sort=[("_id", 1)])
        if found is None:
            return
        await hand_over(found)
        done = {"delivery.state": "sent", "delivery.provider_id": found["_id"], "delivery.times.sent": utc_now()}
        await queue.update_one({"_id": found["_id"]}, {"$set": done})


def _queued(number: int) -> Document:
    return {
        "_id": f"m:{number:08d}", "conversation": f"pigeon:{number}", "profile": f"P{number}", "channel": "pigeon",
        "direction": "outbound", "author": BOT, "content": {"text": TEXT}, "seq": 1, "at": utc_now(),
        "delivery": {"to": f"pigeon:{number}", "state": "queued"},
    }  # fmt: skip


async def _is_whole(database: Any, sent: list[str], messages: int) -> bool:
    recorded = await database["messages"].count_documents({"delivery.state": "sent"})
    return bool(len(sent) == len(set(sent)) == recorded == messages)


def _spent(database: Mongod) -> float:
    assert database.pid
    return time.process_time() + cpu.seconds_of(database.pid)
