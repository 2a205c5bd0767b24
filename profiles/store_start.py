"""What starting an embedded database asks of it (causerie/mongod.py): plain calls, each on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from profiles.lean import absent
from profiles.store_errors import translated
from profiles.store_limits import LIMITS
from profiles.store_plan import Document

with absent("cryptography"):
    import pymongo.errors as errors
    from pymongo import MongoClient


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
    with translated():
        async with _short_client(f"mongodb://127.0.0.1:{port}") as client:
            try:
                await asyncio.to_thread(client.admin.command, "replSetInitiate", config)
            except errors.OperationFailure as error:
                if error.code not in (13, 23):  # Unauthorized: it even has its user; AlreadyInitialized
                    raise


async def create_first_user(port: int, *, user: str, password: str) -> None:
    """Make the first user through MongoDB's localhost exception. Already done is fine. Raises Unavailable."""
    roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterManager", "clusterMonitor"]  # no users, no roles
    with translated():
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
    with translated():
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
    with translated():
        client: MongoClient[Document] = MongoClient(url, socketTimeoutMS=5_000, **LIMITS)
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
