"""What this process read or wrote last, so that the next message of the same person costs no read.

Never trusted: every record carries its version into the commit, and a stale one fails it, is forgotten and read again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

from profiles.conversation import Conversation
from profiles.plan import Group
from profiles.profile import Profile
from profiles.record import Document, from_document, replace
from profiles.snapshot import Work
from profiles.store import Store
from profiles.timeline import Message

Value = TypeVar("Value")
REMEMBERED = 20_000  # about 3 KB each with a bot's tracker: 60 MB at the very most


class Recent:
    """The reading side of the writer: what works need, from memory or in at most three round trips."""

    def __init__(self, store: Store, remembered: int = REMEMBERED) -> None:
        self._store = store
        self._identities: _Memory[str] = _Memory(remembered)
        self._profiles: _Memory[Profile] = _Memory(remembered)
        self._conversations: _Memory[Conversation] = _Memory(remembered)

    async def read(self, works: Iterable[Work], group: Group, *, seize: bool = False) -> None:
        """Fill the group with all that these works name, and the profiles behind it.

        `seize` reads the records with versions under a version of their own: a writer that holds them in memory, and would
        for ever be quicker than one who must read first, has to read again too.
        """
        works = list(works)
        keys = {key for work in works for key in work.identities}
        threads = {id for work in works for id in work.conversations}
        messages = {id for work in works for id in work.messages}
        await asyncio.gather(
            self._read_identities(keys, group),
            self._read_conversations(threads, group, seize),
            self._read_messages(messages, group),
            self._read_records({key for work in works for key in work.records}, group),
        )
        wanted = {id for work in works for id in work.profiles}
        wanted |= {group.identities[key] for key in keys if key in group.identities}
        wanted |= {conversation.profile for conversation in group.conversations.values()}
        await self._read_profiles(wanted, group, seize)

    async def profile(self, id: str) -> Profile | None:
        """Return a profile as this process last knew it, or as the database knows it."""
        known = self._profiles.recall(id)
        if known is None and (document := await self._store.get("profiles", id)):
            return from_document(Profile, document)
        return known

    def learn(self, group: Group) -> None:
        """Remember what the group wrote, at the version the database now has."""
        for key, profile in group.identities.items():
            self._identities[key] = profile
        for key in group.released:
            self._identities.pop(key, None)
        _remember(self._profiles, group.read_profiles, group.profiles)
        _remember(self._conversations, group.read_conversations, group.conversations)

    def forget(self, group: Group) -> None:
        """Forget all that this group touched: something in it was stale."""
        for key in (*group.identities, *group.released):
            self._identities.pop(key, None)
        for id in (*group.profiles, *group.read_profiles):
            self._profiles.pop(id, None)
        for id in (*group.conversations, *group.read_conversations):
            self._conversations.pop(id, None)

    def forget_one(self, collection: str, id: str) -> None:
        """Forget one record that another process changed."""
        if collection == "profiles":
            self._profiles.pop(id, None)
        elif collection == "conversations":
            self._conversations.pop(id, None)
        elif collection == "identities":
            self._identities.pop(id, None)

    async def _read_identities(self, keys: set[str], group: Group) -> None:
        missing = []
        for key in keys:
            known = self._identities.recall(key)
            if known:
                group.identities[key] = known
            else:
                missing.append(key)
        if missing:
            for document in await self._store.get_many("identities", missing):
                group.identities[document["_id"]] = document["profile"]

    async def _read_conversations(self, ids: set[str], group: Group, seize: bool) -> None:
        missing = []
        for id in ids:
            known = None if seize else self._conversations.recall(id)
            if known:
                group.conversations[id] = group.read_conversations[id] = known
            else:
                missing.append(id)
        if missing:
            for document in await self._documents("conversations", missing, seize):
                conversation = from_document(Conversation, document)
                group.conversations[conversation.id] = group.read_conversations[conversation.id] = conversation

    async def _read_messages(self, ids: set[str], group: Group) -> None:
        if ids:
            for document in await self._store.get_many("messages", ids):
                group.messages[document["_id"]] = from_document(Message, document)

    async def _read_records(self, keys: set[tuple[str, str]], group: Group) -> None:
        for collection in {collection for collection, _ in keys}:
            ids = [id for place, id in keys if place == collection]
            for document in await self._store.get_many(collection, ids):
                key = (collection, document["_id"])
                group.records[key] = group.read_records[key] = document

    async def _read_profiles(self, ids: set[str], group: Group, seize: bool) -> None:
        while ids:
            missing, merged = [], set()
            for id in ids:
                known = None if seize else self._profiles.recall(id)
                if known:
                    group.profiles[id] = group.read_profiles[id] = known
                else:
                    missing.append(id)
            if missing:
                for document in await self._documents("profiles", missing, seize):
                    profile = from_document(Profile, document)
                    group.profiles[profile.id] = group.read_profiles[profile.id] = profile
            for id in ids & group.profiles.keys():
                into = group.profiles[id].merged_into
                if into and into not in group.profiles:
                    merged.add(into)
            ids = merged

    async def _documents(self, collection: str, ids: list[str], seize: bool) -> list[Document]:
        return await (self._store.seize(collection, ids) if seize else self._store.get_many(collection, ids))


class _Memory(OrderedDict[str, Value], Generic[Value]):
    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def recall(self, key: str) -> Value | None:
        value = self.get(key)
        if value is not None:
            self.move_to_end(key)
        return value

    def __setitem__(self, key: str, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._size:
            self.popitem(last=False)


def _remember(memory: "_Memory[Value]", before: dict[str, Value], after: dict[str, Value]) -> None:
    for id, record in after.items():
        known = before.get(id)
        if known is None:
            memory[id] = replace(record, version=1)
        elif known is record or known == record:
            memory[id] = known
        else:
            memory[id] = replace(record, version=known.version + 1)  # type: ignore[attr-defined]
