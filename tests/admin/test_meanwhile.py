"""People write to two other processes, which remember them, while they are merged, parted again, or erased."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from channels.channel import Inbound, Limits
from channels.inbound import FrontDoor
from profiles.answer import Answer
from profiles.merging import merge, undo
from profiles.snapshot import Changes, Done, Work
from profiles.timeline import Content
from profiles.writer import Writer
from tests.admin.erasure_stage import Stage, close_stage, open_stage, person

HERS = ("sms:+33600000001", "sms:+33600000002", "telegram:77")
HIS = ("sms:+33600000003", "sms:+33600000004", "telegram:78")


@dataclass
class Talk:
    """Two front doors of other processes, and what they acknowledged."""

    stage: Stage
    doors: list[FrontDoor]
    kept: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=count)

    async def go(self, *keys: str) -> None:
        """Let each of these addresses write at both doors, one message after the other at each."""
        await asyncio.gather(*(self._at(door, keys) for door in self.doors))

    async def _at(self, door: FrontDoor, keys: tuple[str, ...]) -> None:
        for key in keys:
            channel, _, address = key.partition(":")
            id = str(next(self.numbers))
            assert isinstance(await door.receive(Inbound(channel, address, id, Content("Zorglub"))), Done)
            self.kept.add(f"{channel}:{id}")

    async def holders(self) -> dict[str, str]:
        """Return whose each conversation is, once all is whole: every row has a living profile, no seq is missing or twice.

        One that began while its holder was merged away follows through the shell that the holder left (profiles/merging.py).
        """
        store = self.stage.store
        became = {row["_id"]: row.get("merged_into") for row in await store.find("profiles", {})}
        living = {id for id, other in became.items() if not other}
        threads = {
            row["_id"]: became.get(row["profile"]) or row["profile"] for row in await store.find("conversations", {})
        }
        claims = {row["_id"]: row["profile"] for row in await store.find("identities", {})}
        messages = await store.find("messages", {}, sort=[("seq", 1)])
        assert {row["conversation"] for row in messages} <= threads.keys()
        assert {*threads.values(), *filter(None, claims.values())} <= living
        assert all(claims[thread] == holder for thread, holder in threads.items())
        for thread in threads:
            seqs = [row["seq"] for row in messages if row["conversation"] == thread]
            assert seqs == list(range(1, len(seqs) + 1)), thread
        return threads


@pytest.fixture
async def talk(mongo_url: str, database_name: str) -> AsyncIterator[Talk]:
    stage = await open_stage(mongo_url, database_name)
    writers = [Writer(stage.store, process=name, clock=stage.clock) for name in ("b", "c")]
    for writer in writers:
        writer.recent.hashes = stage.hashes
    limits = dict.fromkeys(("sms", "telegram"), Limits())
    doors = [FrontDoor(writer, stage.store, answer=_silence, limits=limits) for writer in writers]
    for id, keys in (("P1", HERS), ("P2", HIS)):
        known = person(id, stage.clock(), *keys)
        await stage.commit(Changes(profiles=(known,), claims=dict.fromkeys(keys, id)))
    opened = Talk(stage, doors)
    await opened.go(HERS[0], HIS[0])
    yield opened
    for door, writer in zip(doors, writers, strict=True):
        await door.close()
        await writer.close()
    await close_stage(stage)


def _silence(snapshot: Any, profile: Any, conversation: Any, message: Any) -> Answer:
    return Answer(profile, conversation, ())


async def test_who_writes_while_they_are_merged_and_parted_is_stored_once_and_has_their_own_again(talk: Talk) -> None:
    stage = talk.stage
    for _ in range(3):
        await asyncio.gather(talk.go(*HERS, *HIS), _merged(stage))
        assert set((await talk.holders()).values()) == {"P1"}
        await asyncio.gather(talk.go(*HIS, *HERS), _parted(stage))
        assert await talk.holders() == {**dict.fromkeys(HERS, "P1"), **dict.fromkeys(HIS, "P2")}
    assert {row["_id"] for row in await stage.store.find("messages", {})} == talk.kept


async def test_who_writes_while_they_are_erased_is_gone_or_somebody_new_and_nothing_between(talk: Talk) -> None:
    stage = talk.stage
    await stage.erase("P1")
    for _ in range(5):  # who writes between two looks is looked through again, within one look
        await asyncio.gather(talk.go(*HERS), stage.erasing.look())
        stage.clock.ahead += timedelta(seconds=2)
    assert await stage.store.get("profiles", "P1") is None
    before = set(talk.kept)
    await talk.go(*HERS)
    assert "P1" not in (await talk.holders()).values()
    await stage.finish()
    assert "P1" not in (await talk.holders()).values()
    assert talk.kept - before <= {row["_id"] for row in await stage.store.find("messages", {})}


async def _merged(stage: Stage) -> None:
    rows = await stage.store.find("conversations", {"profile": "P2"}, only=["_id"])
    work = Work(
        lambda seen: merge(seen, seen.profiles["P1"], seen.profiles["P2"], by="agent:maya", why="agent", now=seen.now),
        profiles=("P1", "P2"), conversations=tuple(str(row["_id"]) for row in rows),
    )  # fmt: skip
    assert isinstance(await stage.writer.commit(work), Done)


async def _parted(stage: Stage) -> None:
    (record,) = await stage.store.find("merges", {"undone_at": None})
    rows = await stage.store.find("conversations", {"profile": "P1"}, only=["_id"])
    work = Work(
        lambda seen: undo(seen, record, by="agent:maya", now=seen.now),
        profiles=("P1", "P2"), conversations=tuple(str(row["_id"]) for row in rows),
    )  # fmt: skip
    assert isinstance(await stage.writer.commit(work), Done)
