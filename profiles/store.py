"""The one door to MongoDB: the only file that imports a driver, so that changing the driver changes one file.

Motor runs PyMongo in threads; a commit group therefore runs whole in one thread of its own (one hop for the
whole transaction instead of one per command), and everything else goes through Motor's own calls.
Write concern is majority and journaled everywhere: what was acknowledged is on disk.
"""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from profiles.crash import crash_point
from profiles.lean import absent
from profiles.steady import Steady

with absent("cryptography"):
    import bson
    import pymongo.errors as errors
    from bson.raw_bson import RawBSONDocument
    from motor.motor_asyncio import AsyncIOMotorClient
    from pymongo import IndexModel, MongoClient, UpdateOne
    from pymongo.client_session import ClientSession
    from pymongo.client_session_shared import TransactionOptions
    from pymongo.read_concern import ReadConcern
    from pymongo.write_concern import WriteConcern

Document: TypeAlias = dict[str, Any]
Filter: TypeAlias = Mapping[str, Any]
Sort: TypeAlias = Sequence[tuple[str, int]]
Alter: TypeAlias = Filter | Sequence[Filter]
"""What a change does: update operators, or a pipeline whose values the database works out."""

DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
SLOW_DISK_SECONDS = 0.003  # from here on nobody waits for it who need not: going ahead costs a command, some 0.5 ms
COMMIT_WITHIN_SECONDS = 8.0  # a commit whose outcome stays unknown longer than this fails its callers, who may repeat


class Unavailable(Exception):
    """The database did not answer, or did not confirm: nothing may be assumed; the same work may be offered again."""


class AlreadyThere(Exception):
    """A unique key was taken: somebody did this before, or at the same time."""


class Stale(Exception):
    """A record changed since it was read: think again with what is there now."""


class Interrupted(Exception):
    """The connection or the transaction was lost before its commit: nothing was written; try again soon."""


class Unstorable(ValueError):
    """The database can not keep this document (too large, or text that is not Unicode)."""


@dataclass(slots=True)
class Update:
    """One change to one document: only if it still has `version` (0: it must not exist yet; None: whatever it has)."""

    id: str
    version: int | None
    put: Document = field(default_factory=dict)
    drop: Document = field(default_factory=dict)
    add: Document = field(default_factory=dict)
    upsert: bool = False
    first: Document = field(default_factory=dict)
    """What to set only when this makes the document."""
    stamp: tuple[str, ...] = ()
    """Paths to set to the database's own instant."""


@dataclass(slots=True)
class Plan:
    """What one transaction writes: collection -> documents to insert, -> updates, -> ids to delete."""

    inserts: dict[str, list[Document]] = field(default_factory=dict)
    updates: dict[str, list[Update]] = field(default_factory=dict)
    deletes: dict[str, list[str]] = field(default_factory=dict)

    def insert(self, collection: str, document: Document) -> None:
        """Add a document that must be new (its `_id` is a natural key)."""
        self.inserts.setdefault(collection, []).append(document)

    def update(self, collection: str, update: Update) -> None:
        """Add a change to one document."""
        self.updates.setdefault(collection, []).append(update)

    def delete(self, collection: str, id: str) -> None:
        """Add a document that goes away; already gone is fine."""
        self.deletes.setdefault(collection, []).append(id)

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.deletes)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Those who would write the next plan as soon as this one is committed, and not wait until it is on disk."""

    is_wanted: Callable[[], bool]
    """Asked when the plan is written, in another thread: it costs one command more."""
    go: Callable[[], None]
    """Called when reads see what the plan wrote."""


class Store:
    """One database. Reads return plain documents; `commit` writes a Plan whole or not at all."""

    def __init__(self, url: str, database: str, *, listeners: Sequence[Any] = ()) -> None:
        """`listeners` are the driver's own (pymongo.monitoring): tests count commands with them."""
        self.url, self.name = url, database
        self.steady = Steady()
        """What is known of the database's clock: whoever is told an instant by it says so here."""
        self._motor: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            tz_aware=True,
            w="majority",
            journal=True,
            retryWrites=True,
            serverSelectionTimeoutMS=5_000,
            appname="causerie",
            event_listeners=list(listeners),
        )
        self._client: MongoClient[Document] = self._motor.delegate
        self._database = self._motor[database]
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._sessions: list[ClientSession] = []
        """Those at rest; a transaction takes one until it is on disk."""
        self._disk_seconds = 0.0
        """How long the disk and the majority take of late to confirm a commit."""
        self._closing = threading.Event()

    async def prepare(self, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
        """Make sure that every index is there; safe to repeat and to race. Collections are made first (a
        transaction that creates one is slower and can conflict)."""
        with _translated():
            there = set(await self._database.list_collection_names())
            for collection, models in indexes.items():
                if collection not in there:
                    with suppress(errors.CollectionInvalid):  # another process was first
                        await self._database.create_collection(collection)
                if models:
                    await self._database[collection].create_indexes(list(models))

    async def index_names(self, collection: str) -> set[str]:
        """Return the names of the indexes that this collection has."""
        with _translated():
            return set(await self._database[collection].index_information())

    async def get(self, collection: str, id: str) -> Document | None:
        """Return one document by its id, or None."""
        with _translated():
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
        with _translated():
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
        with _translated():
            cursor = self._database[collection].find(
                where, projection, limit=limit, batch_size=at_once, max_time_ms=10_000
            )
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.to_list(None)

    async def aggregate(self, collection: str, pipeline: Sequence[Filter]) -> list[Document]:
        """Return what the pipeline gives; for reports and lists, never on the path of a message."""
        with _translated():
            cursor = self._database[collection].aggregate(list(pipeline), maxTimeMS=10_000)
            return await cursor.to_list(None)

    async def stream(
        self, collection: str, pipeline: Sequence[Filter], *, at_once: int = 500
    ) -> AsyncIterator[list[Document]]:
        """Yield what the pipeline gives, `at_once` documents at a time: for as many as a campaign has. Memory stays flat.

        A large sort may spill to the database's disk. Raises Unavailable; whoever reads in order can go on behind the last.
        """
        with _translated():
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
        with _translated():
            return await self._database[collection].count_documents(where, maxTimeMS=10_000, **bound)

    async def distinct(self, collection: str, field: str) -> list[Any]:
        """Return the different values of a field; with an index on it the cost follows their number."""
        with _translated():
            return list(await self._database[collection].distinct(field, maxTimeMS=10_000))

    async def insert(self, collection: str, document: Document) -> None:
        """Keep a new document. Raises AlreadyThere when its key is taken."""
        with _translated():
            await self._database[collection].insert_one(document)

    async def change(self, collection: str, where: Filter, update: Alter, *, upsert: bool = False) -> Document | None:
        """Change one document atomically and return it as it is afterwards, or None if none matched."""
        with _translated():
            return await self._database[collection].find_one_and_update(
                where, update, upsert=upsert, return_document=True
            )

    async def change_many(self, collection: str, where: Filter, update: Alter) -> int:
        """Change all that match in one command and return how many changed."""
        with _translated():
            result = await self._database[collection].update_many(where, update)
            return int(result.modified_count)

    async def insert_missing(self, collection: str, documents: Sequence[Document]) -> None:
        """Keep those of these documents whose key is free, in one command; the others stay as they are."""
        if not documents:
            return
        with suppress(AlreadyThere), _translated():
            await self._database[collection].insert_many(list(documents), ordered=False)

    async def write_many(
        self, collection: str, changes: Sequence[tuple[Filter, Alter]], *, in_order: bool = False
    ) -> int:
        """Apply many (filter, update) pairs in one command, each on its own; not a transaction. Return how many matched."""
        if not changes:
            return 0
        with _translated():
            result = await self._database[collection].bulk_write(
                [UpdateOne(where, update) for where, update in changes], ordered=in_order
            )
            return int(result.matched_count)

    async def update_each(self, collection: str, updates: Sequence[Update], *, where: Filter | None = None) -> None:
        """Apply these updates in one command, each on its own: not a transaction. One whose document is gone changes nothing.

        Nor one whose document is not as `where` says.

        Raises Unavailable when they are not all confirmed; some may be there then.
        """
        statements = [_statement(update) for update in updates]
        if where:
            statements = [one | {"q": {**one["q"], **where}} for one in statements]
        with _translated():
            reply = await self._database.command(
                "update", collection, updates=statements, ordered=False, writeConcern=DURABLE.document
            )
            if _checked(reply).get("writeConcernError"):
                raise Unavailable("updates not confirmed")

    async def remove(self, collection: str, where: Filter) -> int:
        """Remove all that match and return how many."""
        with _translated():
            result = await self._database[collection].delete_many(where)
            return int(result.deleted_count)

    async def make_ring(self, collection: str, size: int) -> None:
        """Make a collection that keeps the latest `size` bytes of what is noted in it. Already there is fine.

        A plain one of this name is made a ring: a note that came first makes such a one, and nobody can follow it.
        """
        with _translated():
            try:
                await self._database.command("create", collection, capped=True, size=size)
            except errors.OperationFailure as error:
                if error.code != 48:  # NamespaceExists
                    raise
                if not (await self._database[collection].options()).get("capped"):
                    await self._database.command("convertToCapped", collection, size=size)

    async def note(self, collection: str, document: Document) -> None:
        """Keep a document that may be lost: nobody waits for the disk, or for a majority."""
        with _translated():
            await self._database.get_collection(collection, write_concern=WriteConcern(w=1)).insert_one(document)

    async def tail(self, ring: str, *, wait_seconds: float = 1.0) -> AsyncIterator[list[Document]]:
        """Yield what a ring holds, then what is added to it, in the order in which the database took it.

        Empty lists come while nothing does. Ends when the ring was empty, or has turned faster than it was read. Raises
        Unavailable. By the plain commands, so that what came together is handed on together.
        """
        with _translated():
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
        """Write the plan in one transaction and return when it is on disk on a majority.

        With `ahead`, the next may be written while this one waits for the disk; it is on disk only when this one is too.
        Raises AlreadyThere, Stale, Interrupted, Unstorable (nothing was written) or Unavailable (the outcome is not
        known; every document carries a natural key, so offering the same plan again is safe).
        """
        if self._closing.is_set():
            raise Unavailable("the server is stopping")
        loop = asyncio.get_running_loop()
        session = await loop.run_in_executor(self._committer, self._commit, plan, ahead)
        if session and ahead:
            ahead.go()
            await loop.run_in_executor(self._finisher, self._finish, session)

    def _commit(self, plan: Plan, ahead: Ahead | None) -> ClientSession | None:
        """Return None when the plan is on disk; or the session whose commit is still to be confirmed, so that others go ahead."""
        with _translated():
            try:
                return self._transact(plan, self._write, ahead)
            except (
                errors.DocumentTooLarge
            ):  # said by the driver, before it sent anything: more than 16 MB in one command
                return self._transact(plan, self._write_in_parts, ahead)

    def _transact(
        self, plan: Plan, write: Callable[[Plan, ClientSession], None], ahead: Ahead | None
    ) -> ClientSession | None:
        session = self._sessions.pop() if self._sessions else self._client.start_session()
        # "local", for a snapshot without holes may lack the commit just before: what we rest on carries its version
        session.start_transaction(write_concern=DURABLE, read_concern=ReadConcern("local"))
        try:
            crash_point("commit.begun")
            write(plan, session)
            crash_point("commit.written")
        except BaseException:
            self._abandon(session)
            raise
        if ahead and self._disk_seconds >= SLOW_DISK_SECONDS and ahead.is_wanted():
            self._confirm_in_memory(session)
            return session
        self._finish(session)
        return None

    def _finish(self, session: ClientSession) -> None:
        began = time.monotonic()
        with _translated():
            self._confirm(session)
        self._disk_seconds += (time.monotonic() - began - self._disk_seconds) / 8
        crash_point("commit.confirmed")
        self._sessions.append(session)

    def _confirm_in_memory(self, session: ClientSession) -> None:
        """Commit so that others see it. The driver's second commit of a transaction waits for what the transaction began with."""
        options = session._transaction.opts
        session._transaction.opts = TransactionOptions(write_concern=WriteConcern(w=1))
        try:
            self._confirm(session)
        finally:
            session._transaction.opts = options

    def _write(self, plan: Plan, session: ClientSession) -> None:
        """Write one command for each collection: the driver's own bulk writes take some 2 us more for each document."""
        database = self._client[self.name]
        inserts, updates = _apart(plan)
        for collection, documents in inserts.items():
            _checked(database.command("insert", collection, documents=documents, ordered=True, session=session))
            crash_point("commit.half_written")
        for collection, some in updates.items():
            self._update(collection, some, session)
        for collection, ids in plan.deletes.items():
            database[collection].delete_many({"_id": {"$in": ids}}, session=session)

    def _update(self, collection: str, updates: list[Update], session: ClientSession) -> None:
        statements = [_statement(update) for update in updates]
        database = self._client[self.name]
        reply = database.command("update", collection, updates=statements, ordered=False, session=session)
        if _checked(reply)["n"] != len(updates):
            raise Stale(collection)

    def _write_in_parts(self, plan: Plan, session: ClientSession) -> None:
        """Write what is too large for one command a collection: the driver's bulk writes part it."""
        database = self._client[self.name]
        for collection, documents in plan.inserts.items():
            database[collection].insert_many(documents, ordered=True, session=session)
        for collection, updates in plan.updates.items():
            requests = [UpdateOne(one["q"], one["u"], upsert=one["upsert"]) for one in map(_by_operators, updates)]
            result = database[collection].bulk_write(requests, ordered=False, session=session)
            if result.matched_count + result.upserted_count != len(updates):
                raise Stale(collection)
        for collection, ids in plan.deletes.items():
            database[collection].delete_many({"_id": {"$in": ids}}, session=session)

    def _abandon(self, session: ClientSession) -> None:
        with suppress(errors.PyMongoError):  # the server drops it by itself; start afresh
            session.abort_transaction()
            self._sessions.append(session)

    def _confirm(self, session: ClientSession) -> None:
        until = time.monotonic() + COMMIT_WITHIN_SECONDS
        while True:
            try:
                return session.commit_transaction()
            except errors.PyMongoError as error:
                unknown = error.has_error_label("UnknownTransactionCommitResult")
                if not unknown or time.monotonic() > until or self._closing.is_set():
                    if unknown:
                        raise Unavailable(f"commit not confirmed: {type(error).__name__}") from error
                    raise

    async def close(self) -> None:
        """Finish the commit under way and let go of all connections."""
        self._closing.set()
        for threads in (self._committer, self._finisher):
            await asyncio.get_running_loop().run_in_executor(None, threads.shutdown)
        self._motor.close()

    async def drop(self) -> None:
        """Remove the whole database: for tests and demos."""
        with _translated():
            await self._motor.drop_database(self.name)


def _checked(reply: Document) -> Document:
    """Return the reply of a write. Raises BulkWriteError with what the database refused of it."""
    if reply.get("writeErrors"):
        raise errors.BulkWriteError(reply)
    return reply


def _apart(plan: Plan) -> tuple[dict[str, list[Document]], dict[str, list[Update]]]:
    """Return what is inserted and what is updated: a record that must not exist yet is inserted, which takes half of an upsert.

    Both meet the unique `_id` when it does exist.
    """
    inserts, updates = dict(plan.inserts), dict(plan.updates)
    for collection, some in plan.updates.items():
        new = {id(one) for one in some if one.version == 0 and _is_plain(one)}
        if not new:
            continue
        made = ({**one.put, "_id": one.id, "version": 1} for one in some if id(one) in new)
        inserts[collection] = [*inserts.get(collection, ()), *made]
        updates[collection] = [one for one in some if id(one) not in new]
        if not updates[collection]:
            del updates[collection]
    return inserts, updates


def _statement(update: Update) -> Document:
    """Return the update as a statement of MongoDB's update command."""
    if update.version and _is_plain(update):
        return _guarded(update, update.version)
    return _by_operators(update)


def _by_operators(update: Update) -> Document:
    change: Document = {}
    if update.put:
        change["$set"] = update.put
    if update.drop:
        change["$unset"] = update.drop
    add = dict(update.add)
    where: Document = {"_id": update.id}
    if update.version is not None:
        where["version"] = update.version
        add["version"] = 1
    if update.first:
        change["$setOnInsert"] = update.first
    if update.stamp:
        change["$currentDate"] = dict.fromkeys(update.stamp, True)
    if add:
        change["$inc"] = add
    # version 0 names a document that must not exist: the upsert makes it, and meets the unique _id if it does
    return {"q": where, "u": change, "upsert": update.upsert or update.version == 0}


# An update by its _id alone needs no query plan, which is a third of what it costs; the version is then looked at where the
# new values are put. Measured for a conversation: 42 us of the database before, 34 after; with a bot's memory 148 and 70.
_AT_ITS_VERSION = RawBSONDocument(  # written out once: 3 us less for each update
    bson.encode(
        {
            "$replaceWith": {
                "$mergeObjects": [
                    "$$ROOT",
                    {
                        "$cond": [
                            {"$eq": ["$version", "$$was"]},
                            "$$put",
                            {"$toInt": {"$type": "$version"}},  # no number: the whole transaction fails with _NO_NUMBER
                        ]
                    },
                ]
            }
        }
    )
)
_NO_NUMBER = 241  # ConversionFailure


def _guarded(update: Update, version: int) -> Document:
    """Return the statement that changes a document only at this version, and otherwise fails."""
    steps: list[Any] = [_AT_ITS_VERSION, {"$unset": list(update.drop)}] if update.drop else [_AT_ITS_VERSION]
    return {"q": {"_id": update.id}, "u": steps, "c": {"was": version, "put": {**update.put, "version": version + 1}}}


def _is_plain(update: Update) -> bool:
    """Return whether it puts and drops whole fields, nothing else: no paths, no sums."""
    if update.add or update.first or update.stamp or update.upsert:
        return False
    return all(map(_is_field, update.put)) and all(map(_is_field, update.drop))


@lru_cache(1024)
def _is_field(name: str) -> bool:
    return isinstance(name, str) and name != "_id" and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None


class _translated:  # noqa: N801 (reads as a word where it is used)
    """Turn the driver's exceptions into ours, so that nobody above knows the driver."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, (errors.PyMongoError, bson.errors.BSONError, OverflowError)):
            if isinstance(error, UnicodeEncodeError):
                raise Unstorable(f"text that is not Unicode: {error.reason}") from error
            return
        raise _ours(error) from error


def _ours(error: Exception) -> Exception:
    """Return what the driver's error means for whoever wrote: tried on real servers in tests/profiles/test_store.py."""
    if isinstance(error, (bson.errors.BSONError, OverflowError, errors.DocumentTooLarge)):
        return Unstorable(_brief(error))
    if isinstance(error, errors.BulkWriteError):
        return _of_one_document(error)
    if isinstance(error, errors.DuplicateKeyError):
        return AlreadyThere(str((error.details or {}).get("keyPattern", "")))
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return Unavailable(_brief(error))
    code = error.code if isinstance(error, errors.OperationFailure) else None
    if code == _WRITE_CONFLICT:
        return Stale("write conflict")
    # the driver and the server label what is certain not to have been committed, whatever broke: NoSuchTransaction after
    # a restart, a primary that stepped down, a connection that was lost between two commands
    if isinstance(error, errors.PyMongoError) and error.has_error_label("TransientTransactionError"):
        return Interrupted(_brief(error))
    return Unstorable(_brief(error)) if code in _DOCUMENT_IS_WRONG else Unavailable(_brief(error))


_WRITE_CONFLICT = 112
_DUPLICATE = 11000
# github.com/mongodb/mongo src/mongo/base/error_codes.yml: what the same document will meet again on every attempt
_DOCUMENT_IS_WRONG = frozenset({2, 9, 14, 15, 22, 28, 40, 52, 54, 55, 56, 57, 66, 121, 10334, 17280, 17419, 17420})


def _of_one_document(error: errors.BulkWriteError) -> Exception:
    failures = error.details.get("writeErrors", [])
    codes = {failure.get("code") for failure in failures}
    if _DUPLICATE in codes:
        return AlreadyThere(str(failures[0].get("keyPattern", "")))
    if codes & {_WRITE_CONFLICT, _NO_NUMBER}:
        return Stale("write conflict")
    if codes & _DOCUMENT_IS_WRONG:
        return Unstorable(f"write refused: codes {sorted(map(str, codes))}")
    return Unavailable(f"bulk write failed: codes {sorted(map(str, codes))}")


def _brief(error: Exception) -> str:
    """Name the error without the document in it: this text is logged."""
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" code {code}" if code else "")


def ascending(*fields: str, **options: Any) -> IndexModel:
    """Return an index over these fields; a field that begins with "-" descends."""
    return IndexModel([(name.removeprefix("-"), -1 if name.startswith("-") else 1) for name in fields], **options)


def full_text(*fields: str) -> IndexModel:
    """Return a full-text index without stemming or stop words: it serves French and English alike."""
    return IndexModel([(name, "text") for name in fields], default_language="none", language_override="__none__")


# -- what starting an embedded database needs (causerie/mongod.py): plain calls in the caller's thread


@asynccontextmanager
async def _short_client(url: str) -> AsyncIterator[MongoClient[Document]]:
    client: MongoClient[Document] = MongoClient(url, serverSelectionTimeoutMS=2_000, directConnection=True)
    try:
        yield client
    finally:
        client.close()


async def is_primary(url: str) -> bool:
    """Return whether a database answers at this URL and takes writes."""
    try:
        async with _short_client(url) as client:
            answer = await asyncio.to_thread(client.admin.command, "hello")
            return bool(answer.get("isWritablePrimary"))
    except errors.PyMongoError:
        return False


async def initiate(port: int, *, replica_set: str) -> None:
    """Make the mongod on this loopback port a replica set of one. Already done is fine. Raises Unavailable."""
    config = {"_id": replica_set, "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
    with _translated():
        async with _short_client(f"mongodb://127.0.0.1:{port}") as client:
            try:
                await asyncio.to_thread(client.admin.command, "replSetInitiate", config)
            except errors.OperationFailure as error:
                if error.code not in (13, 23):  # Unauthorized: it even has its user; AlreadyInitialized
                    raise


async def create_first_user(port: int, *, user: str, password: str) -> None:
    """Make the first user through MongoDB's localhost exception. Already done is fine. Raises Unavailable."""
    roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterManager", "clusterMonitor"]  # no users, no roles
    with _translated():
        async with _short_client(f"mongodb://127.0.0.1:{port}") as client:
            try:
                await asyncio.to_thread(client.admin.command, "createUser", user, pwd=password, roles=roles)
            except errors.OperationFailure as error:
                if error.code != 13:  # Unauthorized: the exception ended because there is a user
                    raise


async def move(url: str, port: int) -> bool:
    """Tell a replica set of one that it now listens on this loopback port; False while it is still starting.

    Raises Unavailable.
    """
    with _translated():
        async with _short_client(url) as client:
            try:
                found = await asyncio.to_thread(client.admin.command, "replSetGetConfig")
            except errors.OperationFailure as error:
                if error.code == 94:  # NotYetInitialized: it has not read its configuration yet
                    return False
                raise
            config = found["config"]
            config["members"][0]["host"] = f"127.0.0.1:{port}"
            config["version"] += 1
            await asyncio.to_thread(client.admin.command, "replSetReconfig", config, force=True)
            return True


async def facts(url: str) -> Document:
    """Return what a database says of itself: version, replica set name (or None), whether it takes writes. Raises Unavailable."""
    with _translated():
        client: MongoClient[Document] = MongoClient(url, serverSelectionTimeoutMS=5_000)
        try:
            hello = await asyncio.to_thread(client.admin.command, "hello")
            build = await asyncio.to_thread(client.admin.command, "buildInfo")
            return {
                "version": build["version"],
                "replica_set": hello.get("setName") or ("sharded" if hello.get("msg") == "isdbgrid" else None),
                "writable": bool(hello.get("isWritablePrimary")),
            }
        finally:
            client.close()
