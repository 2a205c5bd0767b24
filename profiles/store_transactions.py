"""A plan onto the disk: one transaction, in a thread of its own, one hop for all of its commands.

Write concern is majority and journaled: what was acknowledged is on disk.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from profiles.crash import crash_point
from profiles.lean import absent
from profiles.store_errors import Stale, Unavailable, translated
from profiles.store_limits import LEAVE_SECONDS
from profiles.store_plan import Ahead, Document, Plan
from profiles.store_statements import apart, by_operators, statement
from profiles.store_together import ask_together

with absent("cryptography"):
    import pymongo
    import pymongo.errors as errors
    from pymongo import MongoClient, UpdateOne
    from pymongo.client_session import ClientSession
    from pymongo.client_session_shared import TransactionOptions
    from pymongo.read_concern import ReadConcern
    from pymongo.write_concern import WriteConcern

DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
SLOW_DISK_SECONDS = 0.003  # from here on nobody waits for it who need not: going ahead costs a command, some 0.5 ms
COMMIT_WITHIN_SECONDS = 8.0  # a commit whose outcome stays unknown longer than this fails its callers, who may repeat
CONFIRM_WITHIN_SECONDS = 4.0  # then the same commit is asked for again on another connection, which is always safe
WRITE_WITHIN_SECONDS = 5.0  # for the statements of a plan: then nothing of it is written. A slow disk may take seconds
SECONDS_PER_DOCUMENT = (
    0.001  # on top, fifty times what one takes: a plan without enough time would fail again and again
)


class Transactions:
    """Commits plans, one after the other, through PyMongo's own client."""

    def __init__(self, client: "MongoClient[Document]", database: str) -> None:
        self._client, self._database = client, client[database]
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="finish")
        self._sessions: list[ClientSession] = []
        """Those at rest; a transaction takes one until it is on disk."""
        self._disk_seconds = 0.0
        """How long the disk and the majority take of late to confirm a commit."""
        self._closing = threading.Event()

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
        with translated():
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
            with pymongo.timeout(WRITE_WITHIN_SECONDS + SECONDS_PER_DOCUMENT * _size(plan)):
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
        with translated():
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
        """Write one command for each collection, all in one trip. Raises Stale when an update did not meet its document."""
        commands = list(_commands(plan))
        if not commands:
            return
        replies = ask_together(self._client, self._database.name, commands, session)
        for command, reply in zip(commands, replies, strict=True):
            if "update" in command and reply["n"] != len(command["updates"]):
                raise Stale(command["update"])

    def _write_in_parts(self, plan: Plan, session: ClientSession) -> None:
        """Write what is too large for one command a collection: the driver's bulk writes part it."""
        for collection, documents in plan.inserts.items():
            self._database[collection].insert_many(documents, ordered=True, session=session)
        for collection, updates in plan.updates.items():
            requests = [UpdateOne(one["q"], one["u"], upsert=one["upsert"]) for one in map(by_operators, updates)]
            result = self._database[collection].bulk_write(requests, ordered=False, session=session)
            if result.matched_count + result.upserted_count != len(updates):
                raise Stale(collection)
        for collection, ids in plan.deletes.items():
            self._database[collection].delete_many({"_id": {"$in": ids}}, session=session)

    def _abandon(self, session: ClientSession) -> None:
        with suppress(errors.PyMongoError):  # the server drops it by itself; start afresh
            with pymongo.timeout(LEAVE_SECONDS):
                session.abort_transaction()
            self._sessions.append(session)

    def _confirm(self, session: ClientSession) -> None:
        until = time.monotonic() + COMMIT_WITHIN_SECONDS
        while True:
            try:
                with pymongo.timeout(max(0.01, min(CONFIRM_WITHIN_SECONDS, until - time.monotonic()))):
                    return session.commit_transaction()
            except errors.PyMongoError as error:
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                if time.monotonic() > until or self._closing.is_set():
                    # the session's next transaction ends this one where its commit never arrived; else what it wrote
                    # stays locked as long as the database lets it, a minute, and a commit that arrives late is still done
                    self._sessions.append(session)
                    raise Unavailable(f"commit not confirmed: {type(error).__name__}") from error

    async def close(self) -> None:
        """Finish the commit under way."""
        self._closing.set()
        for threads in (self._committer, self._finisher):
            await asyncio.get_running_loop().run_in_executor(None, threads.shutdown)


def _commands(plan: Plan) -> Iterator[Document]:
    inserts, updates = apart(plan)
    for collection, documents in inserts.items():
        yield {"insert": collection, "documents": documents, "ordered": True}
    for collection, some in updates.items():
        yield {"update": collection, "updates": [statement(update) for update in some], "ordered": False}
    for collection, ids in plan.deletes.items():
        yield {"delete": collection, "deletes": [{"q": {"_id": {"$in": ids}}, "limit": 0}]}


def _size(plan: Plan) -> int:
    return sum(len(some) for part in (plan.inserts, plan.updates, plan.deletes) for some in part.values())
