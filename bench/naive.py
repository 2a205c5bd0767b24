"""The control: the same server with the obvious writer, which writes each message by itself, document by document.

Same HTTP, same parsing, same bot, same documents, same back door. What it does not have is our writer: it reads the
conversation and the profile of each message (it remembers who has an address, nothing else), and nobody waits for anybody:
four majority and journaled writes before a message is acknowledged (dedupe row, profile, message, conversation; with a bot's
answer that answer instead of the dedupe row, for the message's own key then does the dedupe). The record of the answer's
delivery is one more write afterwards, as in ours. What was said is found by a full-text index over messages, the obvious
way, which costs it no write of its own: ours stores for each group what it is found by (profiles/words.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError

from profiles import indexes, words
from profiles.calendar import utc_now
from profiles.committing import Listener
from profiles.plan import Group
from profiles.recent import Recent
from profiles.snapshot import Amend, Changes, Done, Duplicate, Outcome, Refusal, Work
from profiles.store import Plan, Store, Update, full_text

Document = dict[str, Any]
SEEN = "seen"
INDEXES = {
    **indexes.INDEXES,
    "messages": [*indexes.INDEXES["messages"], full_text("content.text")],
    words.COLLECTION: [],
}


class ObviousWriter:
    """Offer it a Work and await the outcome, as of profiles.writer.Writer."""

    process = "control"

    def __init__(self, store: Store) -> None:
        self._listeners: list[Listener] = []
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(store.url, tz_aware=True, w="majority", journal=True)
        self._database = client[store.name]
        self.recent = Recent(store)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def listen(self, listener: Listener) -> None:
        """Call this with every message's changes, right after they were written."""
        self._listeners.append(listener)

    async def commit(self, work: Work, *, patient: bool = False) -> Outcome:
        """Return when the work is on disk; the works of one conversation follow one another."""
        turn = self._turns[work.conversations[0]] if work.conversations else nullcontext()
        async with turn:
            group = Group(utc_now(), self.process)
            await self.recent.read([work], group)
            thought = work.think(group.snapshot())
            if isinstance(thought, Refusal):
                return thought
            changes = group.keep(thought)
            try:
                await self._write(group.plan(), str(work.key))
            except DuplicateKeyError:
                self.recent.forget(group)
                return Duplicate(str(work.key))
            self.recent.learn(group)
            self._forget_all_but_addresses(group)
        for listener in self._listeners:
            listener([changes])
        return Done(changes)

    async def mark(self, amend: Amend) -> None:
        """Write it by itself, as every work."""
        await self.commit(Work(lambda _: Changes(amends=(amend,))))

    def _forget_all_but_addresses(self, group: Group) -> None:
        for conversation in group.conversations:
            self.recent.forget_one("conversations", conversation)
        for profile in group.profiles:
            self.recent.forget_one("profiles", profile)

    async def _write(self, plan: Plan, key: str) -> None:
        """Write one document at a time, first the one whose unique key refuses what was seen before."""
        plan.inserts.pop(words.COLLECTION, None)
        said = plan.inserts.pop("messages", [])
        message, replies = said[:1], said[1:]
        if message and not replies:
            await self._database[SEEN].insert_one({"_id": key})
        for document in message:
            await self._database["messages"].insert_one(document)
        for collection, update in _updates(plan):
            await _apply(self._database[collection], update)
        for reply in replies:
            await self._database["messages"].insert_one(reply)
        for collection, documents in plan.inserts.items():
            for document in documents:
                await self._database[collection].insert_one(document)


def _updates(plan: Plan) -> Iterator[tuple[str, Update]]:
    for collection, updates in plan.updates.items():
        for update in updates:
            yield collection, update


async def _apply(collection: "AsyncIOMotorCollection[Document]", update: Update) -> None:
    where: Document = {"_id": update.id}
    change: Document = {"$set": update.put}
    if update.drop:
        change["$unset"] = update.drop
    if update.version is not None:
        where["version"] = update.version
        change["$inc"] = {"version": 1}
    result = await collection.update_one(where, change, upsert=update.version == 0)
    assert result.matched_count or result.upserted_id is not None, "the control lost a race that its lock forbids"
