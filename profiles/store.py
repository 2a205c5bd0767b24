"""The one door to MongoDB, so that changing the driver changes this and its pieces (profiles/store_*.py) and nothing else.

Motor runs PyMongo in threads; a commit group therefore runs whole in one thread of its own (profiles/store_transactions.py),
and everything else goes through Motor's own calls. Write concern is majority and journaled everywhere: what was
acknowledged is on disk.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from profiles.lean import absent
from profiles.steady import Steady
from profiles.store_errors import AlreadyThere, Interrupted, Stale, Unavailable, Unstorable, translated
from profiles.store_limits import LEAVE_SECONDS, LIMITS, notice_silent_connections
from profiles.store_plan import Ahead, Alter, Document, Filter, Plan, Sort, Update
from profiles.store_statements import statement
from profiles.store_together import checked
from profiles.store_transactions import DURABLE, Transactions

with absent("cryptography"):
    import pymongo.errors as errors
    from motor.motor_asyncio import AsyncIOMotorClient
    from pymongo import IndexModel, MongoClient, UpdateOne, timeout
    from pymongo.write_concern import WriteConcern

__all__ = [
    "Ahead",
    "AlreadyThere",
    "Alter",
    "Document",
    "Filter",
    "Interrupted",
    "Plan",
    "Sort",
    "Stale",
    "Store",
    "Unavailable",
    "Unstorable",
    "Update",
    "ascending",
    "full_text",
]


class Store:
    """One database. Reads return plain documents; `commit` writes a Plan whole or not at all."""

    def __init__(self, url: str, database: str, *, listeners: Sequence[Any] = ()) -> None:
        """`listeners` are the driver's own (pymongo.monitoring): tests count commands with them."""
        self.url, self.name = url, database
        self.steady = Steady()
        """What is known of the database's clock: whoever is told an instant by it says so here."""
        notice_silent_connections()
        self._motor: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            w="majority",
            journal=True,
            retryWrites=True,
            appname="causerie",
            event_listeners=list(listeners),
            **LIMITS,
        )
        self._client: MongoClient[Document] = self._motor.delegate
        self._database = self._motor[database]
        self._transactions = Transactions(self._client, database)

    async def prepare(self, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
        """Make sure that every index is there; safe to repeat and to race. Collections are made first (a
        transaction that creates one is slower and can conflict)."""
        with translated():
            there = set(await self._database.list_collection_names())
            for collection, models in indexes.items():
                if collection not in there:
                    with suppress(errors.CollectionInvalid):  # another process was first
                        await self._database.create_collection(collection)
                if models:
                    await self._database[collection].create_indexes(list(models))

    async def index_names(self, collection: str) -> set[str]:
        """Return the names of the indexes that this collection has."""
        with translated():
            return set(await self._database[collection].index_information())

    async def get(self, collection: str, id: str) -> Document | None:
        """Return one document by its id, or None."""
        with translated():
            return await self._database[collection].find_one({"_id": id})

    async def get_many(self, collection: str, ids: Iterable[str], *, only: Iterable[str] = ()) -> list[Document]:
        """Return the documents with these ids that exist, in no order; `only` these fields when given."""
        wanted = list(ids)
        return await self.find(collection, {"_id": {"$in": wanted}}, only=only, at_once=len(wanted) + 1)

    async def seize(self, collection: str, ids: Iterable[str]) -> list[Document]:
        """Return the documents with these ids that exist, each raised to a version that nobody else has read.

        Not waited for on a majority: no fact is in it, and while we waited the others would read again.
        """
        records = self._database.get_collection(collection, write_concern=WriteConcern(w=1))
        with translated():
            found = [
                await records.find_one_and_update({"_id": id}, {"$inc": {"version": 1}}, return_document=True)
                for id in ids
            ]
        return [document for document in found if document]

    async def first(self, collection: str, where: Filter, *, sort: Sort = ()) -> Document | None:
        """Return the first document that matches, or None."""
        found = await self.find(collection, where, sort=sort, limit=1)
        return found[0] if found else None

    async def find(
        self,
        collection: str,
        where: Filter,
        *,
        sort: Sort = (),
        limit: int = 0,
        only: Iterable[Any] | Filter = (),
        at_once: int = 1_000,
    ) -> list[Document]:
        """Return matching documents, bounded by `limit` (0: all) and 10 s of database time.

        Past `at_once` documents (the database's own default is 101) or 16 MB, the rest is another command.
        """
        projection = (dict(only) if isinstance(only, Mapping) else {name: 1 for name in only}) or None
        with translated():
            cursor = self._database[collection].find(
                where, projection, limit=limit, batch_size=at_once, max_time_ms=10_000
            )
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.to_list(None)

    async def aggregate(self, collection: str, pipeline: Sequence[Filter]) -> list[Document]:
        """Return what the pipeline gives; for reports and lists, never on the path of a message."""
        with translated():
            cursor = self._database[collection].aggregate(list(pipeline), maxTimeMS=10_000)
            return await cursor.to_list(None)

    async def stream(
        self, collection: str, pipeline: Sequence[Filter], *, at_once: int = 500
    ) -> AsyncIterator[list[Document]]:
        """Yield what the pipeline gives, `at_once` documents at a time: for as many as a campaign has. Memory stays flat.

        A large sort may spill to the database's disk. Raises Unavailable; whoever reads in order can go on behind the last.
        """
        with translated():
            cursor = self._database[collection].aggregate(
                list(pipeline), batchSize=at_once, allowDiskUse=True, maxTimeMS=600_000
            )
            try:
                while documents := await cursor.to_list(at_once):
                    yield documents
            finally:
                await cursor.close()

    async def count(self, collection: str, where: Filter, *, at_most: int = 0) -> int:
        """Return how many match, counting no further than `at_most` (0: all)."""
        bound: dict[str, Any] = {"limit": at_most} if at_most else {}
        with translated():
            return await self._database[collection].count_documents(where, maxTimeMS=10_000, **bound)

    async def distinct(self, collection: str, field: str) -> list[Any]:
        """Return the different values of a field; with an index on it the cost follows their number."""
        with translated():
            return list(await self._database[collection].distinct(field, maxTimeMS=10_000))

    async def insert(self, collection: str, document: Document) -> None:
        """Keep a new document. Raises AlreadyThere when its key is taken."""
        with translated():
            await self._database[collection].insert_one(document)

    async def change(self, collection: str, where: Filter, update: Alter, *, upsert: bool = False) -> Document | None:
        """Change one document atomically and return it as it is afterwards, or None if none matched."""
        with translated():
            return await self._database[collection].find_one_and_update(
                where, update, upsert=upsert, return_document=True
            )

    async def change_many(self, collection: str, where: Filter, update: Alter) -> int:
        """Change all that match in one command and return how many changed."""
        with translated():
            result = await self._database[collection].update_many(where, update)
            return int(result.modified_count)

    async def insert_missing(self, collection: str, documents: Sequence[Document]) -> None:
        """Keep those of these documents whose key is free, in one command; the others stay as they are."""
        if not documents:
            return
        with suppress(AlreadyThere), translated():
            await self._database[collection].insert_many(list(documents), ordered=False)

    async def write_many(
        self, collection: str, changes: Sequence[tuple[Filter, Alter]], *, in_order: bool = False
    ) -> int:
        """Apply many (filter, update) pairs in one command, each on its own; not a transaction. Return how many matched."""
        if not changes:
            return 0
        with translated():
            result = await self._database[collection].bulk_write(
                [UpdateOne(where, update) for where, update in changes], ordered=in_order
            )
            return int(result.matched_count)

    async def update_each(self, collection: str, updates: Sequence[Update], *, where: Filter | None = None) -> None:
        """Apply these updates in one command, each on its own: not a transaction. One whose document is gone changes nothing.

        Nor one whose document is not as `where` says.

        Raises Unavailable when they are not all confirmed; some may be there then.
        """
        statements = [statement(update) for update in updates]
        if where:
            statements = [one | {"q": {**one["q"], **where}} for one in statements]
        with translated():
            reply = await self._database.command(
                "update", collection, updates=statements, ordered=False, writeConcern=DURABLE.document
            )
            if checked(reply).get("writeConcernError"):
                raise Unavailable("updates not confirmed")

    async def remove(self, collection: str, where: Filter) -> int:
        """Remove all that match and return how many."""
        with translated():
            result = await self._database[collection].delete_many(where)
            return int(result.deleted_count)

    async def make_ring(self, collection: str, size: int) -> None:
        """Make a collection that keeps the latest `size` bytes of what is noted in it. Already there is fine.

        A plain one of this name is made a ring: a note that came first makes such a one, and nobody can follow it.
        """
        with translated():
            try:
                await self._database.command("create", collection, capped=True, size=size)
            except errors.OperationFailure as error:
                if error.code != 48:  # NamespaceExists
                    raise
                if not (await self._database[collection].options()).get("capped"):
                    await self._database.command("convertToCapped", collection, size=size)

    async def note(self, collection: str, document: Document) -> None:
        """Keep a document that may be lost: nobody waits for the disk, or for a majority."""
        with translated():
            await self._database.get_collection(collection, write_concern=WriteConcern(w=1)).insert_one(document)

    async def tail(self, ring: str, *, wait_seconds: float = 1.0) -> AsyncIterator[list[Document]]:
        """Yield what a ring holds, then what is added to it, in the order in which the database took it.

        Empty lists come while nothing does. Ends when the ring was empty, or has turned faster than it was read. Raises
        Unavailable. By the plain commands, so that what came together is handed on together.
        """
        with translated():
            async with await self._motor.start_session() as session:
                aware = self._database.codec_options
                reply = await self._database.command(
                    "find", ring, tailable=True, awaitData=True, session=session, codec_options=aware
                )
                cursor, batch = reply["cursor"]["id"], reply["cursor"]["firstBatch"]
                yield batch
                if cursor and not batch:
                    # MongoDB 6.0: opened while the first document is being written, it stays alive and sees nothing for ever
                    await self._database.command("killCursors", ring, cursors=[cursor], session=session)
                    return
                while cursor:
                    reply = await self._database.command(
                        "getMore", cursor, collection=ring, maxTimeMS=int(wait_seconds * 1000),
                        session=session, codec_options=aware,
                    )  # fmt: skip
                    cursor = reply["cursor"]["id"]
                    yield reply["cursor"]["nextBatch"]

    async def commit(self, plan: Plan, *, ahead: Ahead | None = None) -> None:
        """Write the plan in one transaction and return when it is on disk on a majority (profiles/store_transactions.py).

        With `ahead`, the next may be written while this one waits for the disk; it is on disk only when this one is too.
        Raises AlreadyThere, Stale, Interrupted, Unstorable (nothing was written) or Unavailable (the outcome is not
        known; every document carries a natural key, so offering the same plan again is safe).
        """
        await self._transactions.commit(plan, ahead=ahead)

    async def close(self) -> None:
        """Finish the commit under way and let go of all connections."""
        await self._transactions.close()
        with timeout(LEAVE_SECONDS):
            await asyncio.to_thread(self._motor.close)

    async def drop(self) -> None:
        """Remove the whole database: for tests and demos."""
        with translated():
            await self._motor.drop_database(self.name)


def ascending(*fields: str, **options: Any) -> IndexModel:
    """Return an index over these fields; a field that begins with "-" descends."""
    return IndexModel([(name.removeprefix("-"), -1 if name.startswith("-") else 1) for name in fields], **options)


def full_text(*fields: str) -> IndexModel:
    """Return a full-text index without stemming or stop words: it serves French and English alike."""
    return IndexModel([(name, "text") for name in fields], default_language="none", language_override="__none__")
