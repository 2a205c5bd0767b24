"""What this process read or wrote last, so that the next message of the same person costs no read.

Never trusted: every record carries its version into the commit, and a stale one fails it, is forgotten and read again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from profiles.conversation import Conversation
from profiles.erased import Hashes
from profiles.plan import Group
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.snapshot import Work
from profiles.store import Store
from profiles.timeline import Message

Value = TypeVar("Value")
REMEMBERED = 20_000  # about 3 KB each with a bot's tracker: 60 MB at the very most


class Recent:
    """The reading side of the writer: what works need, from memory or in at most three round trips."""

    def __init__(self, store: Store, remembered: int = REMEMBERED) -> None:
        self.is_shared = False
        """Whether other processes write to this database (profiles/neighbours.py knows)."""
        self.hashes: Hashes | None = None
        """By what those are recognised who were erased; None: nobody is."""
        self._store = store
        self._identities: _Memory[str] = _Memory(remembered)
        self._profiles: _Memory[Profile] = _Memory(remembered)
        self._conversations: _Memory[Conversation] = _Memory(remembered)

    async def read(
        self, works: Iterable[Work], group: Group, *, upon: Group | None = None, seize: bool = False
    ) -> None:
        """Fill the group with all that these works name, and the profiles behind it; what it has already stays.

        `upon` is the group before it, planned and perhaps not yet on disk: what that one leaves is the latest. `seize` reads
        the records with versions under a version of their own: a writer that holds them in memory, and would for ever be
        quicker than one who must read first, has to read again too.
        """
        works = list(works)
        keys = {key for work in works for key in work.identities}
        threads = {id for work in works for id in work.conversations}
        unknown = self._recall_identities(keys, group, upon)
        unseen = self._recall_conversations(threads, group, upon, seize)
        messages = {id for work in works for id in work.messages} - group.messages.keys()
        records = {key for work in works for key in work.records if key not in work.fresh}
        records -= group.records.keys() | group.written.keys()
        if unknown or unseen or messages or records:
            await asyncio.gather(
                self._read_identities(unknown, group),
                self._read_conversations(unseen, group, seize),
                self._read_messages(messages, group),
                self._read_records(records, group),
            )
        wanted = {id for work in works for id in work.profiles}
        wanted |= {group.identities[key] for key in keys if key in group.identities}
        wanted |= {group.conversations[id].profile for id in threads if id in group.conversations}
        seen = {} if seize else {profile.id: profile for work in works for profile in work.seen}
        await self._read_profiles(wanted, group, upon, seize, seen)

    async def profile(self, id: str, *, afresh: bool = False) -> Profile | None:
        """Return a profile as this process last knew it, or as the database knows it.

        `afresh`: where other processes write too, what is remembered does not count.
        """
        known = None if afresh and self.is_shared else self._profiles.recall(id)
        if known is None and (document := await self._store.get("profiles", id)):
            return from_document(Profile, document)
        return known

    def learn(self, group: Group) -> None:
        """Remember what the group wrote, at the version the database now has."""
        self._identities.learn(group.identities)
        for key in group.released:
            self._identities.pop(key, None)
        lent = {id for id in group.lent if group.profiles.get(id) is group.read_profiles.get(id)}
        self._profiles.learn({id: profile for id, profile in group.profiles.items() if id not in lent})
        self._conversations.learn(group.conversations)

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

    def forget_all(self) -> None:
        """Forget everything: others changed more than can be named."""
        for memory in (self._identities, self._profiles, self._conversations):
            memory.clear()

    def _recall_identities(self, keys: set[str], group: Group, upon: Group | None) -> set[str]:
        """Fill in the holders that are known and return the keys whose holder is not."""
        unknown = set()
        for key in keys:
            if key in group.identities or key in group.released or (upon and key in upon.released):
                continue
            known = (upon and upon.identities.get(key)) or self._identities.recall(key)
            if known:
                group.identities[key] = known
            else:
                unknown.add(key)
        return unknown

    def _recall_conversations(self, ids: set[str], group: Group, upon: Group | None, seize: bool) -> set[str]:
        before = upon.conversations if upon else {}
        found, unknown = _recalled(ids - group.conversations.keys(), before, self._conversations, seize)
        group.conversations.update(found)
        group.read_conversations.update(found)
        return unknown

    async def _read_identities(self, keys: set[str], group: Group) -> None:
        if not keys:
            return
        marks = {self.hashes.address(key): key for key in keys} if self.hashes else {}
        for document in await self._store.get_many("identities", [*keys, *marks]):
            if document["_id"] in marks:
                group.erased.add(marks[document["_id"]])
            else:
                group.identities[document["_id"]] = document["profile"]

    async def _read_conversations(self, ids: set[str], group: Group, seize: bool) -> None:
        if ids:
            for document in await self._documents("conversations", ids, seize):
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

    async def _read_profiles(
        self, ids: set[str], group: Group, upon: Group | None, seize: bool, seen: Mapping[str, Profile]
    ) -> None:
        before = upon.profiles if upon else {}
        while ids := ids - group.profiles.keys():
            found, unknown = _recalled(ids, before, self._profiles, seize)
            lent = {id: seen[id] for id in unknown if id in seen}
            group.lent.update(lent)
            found |= lent
            if unknown := unknown - seen.keys():
                for document in await self._documents("profiles", unknown, seize):
                    found[document["_id"]] = from_document(Profile, document)
            group.profiles.update(found)
            group.read_profiles.update(found)
            ids = {profile.merged_into for profile in found.values() if profile.merged_into}

    async def _documents(self, collection: str, ids: Iterable[str], seize: bool) -> list[Document]:
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

    def learn(self, latest: Mapping[str, Value]) -> None:
        self.update(latest)
        while len(self) > self._size:
            self.popitem(last=False)


def _recalled(
    ids: set[str], before: Mapping[str, Value], memory: "_Memory[Value]", seize: bool
) -> tuple[dict[str, Value], set[str]]:
    """Return the records known from the group before or from memory, and the ids of the others."""
    if seize:
        return {}, ids
    found, unknown = {}, set()
    for id in ids:
        known = before.get(id) or memory.recall(id)
        if known:
            found[id] = known
        else:
            unknown.add(id)
    return found, unknown
