"""What all parts of one process stand on: one database, one writer, one feed, one clock, one secret."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from causerie.options import Options
from channels.wallet import Wallet
from profiles.calendar import Clock
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.neighbours import Neighbours
from profiles.personal_links import PersonalLinks
from profiles.store import Store
from profiles.writer import Writer


@dataclass(frozen=True, slots=True)
class Ground:
    """What everybody stands on: one database, one writer, one feed, one clock, one secret."""

    store: Store
    writer: Writer
    feed: Feed
    clock: Clock
    process: str
    """This process among those that share the database: hex digits, new at each start."""
    secret: bytes
    """This installation's own: made once, kept in the database, the same in every process."""
    personal: PersonalLinks
    neighbours: Neighbours


GROUND = web.AppKey("ground", Ground)


async def lay_ground(options: Options, database_url: str, clock: Clock, opened: AsyncExitStack) -> Ground:
    """Open the database and what writes to it; `opened` closes them. Raises Unavailable."""
    process = secrets.token_hex(6)
    store = Store(database_url, options.database)
    opened.push_async_callback(store.close)
    await store.prepare(INDEXES)
    secret = await _signing_secret(store)
    writer = Writer(store, process=process, clock=clock)
    writer.recent.hashes = Hashes(secret)
    feed = Feed()
    neighbours = Neighbours(store, writer, feed, clock=clock)
    opened.push_async_callback(neighbours.close)  # after the writer: the last commits are told, too
    opened.push_async_callback(writer.close)  # closed late: whoever closes before may still write
    writer.listen(feed.announce)
    has_wallet = getattr(options.channels.get(Wallet.name), "enabled", False)
    personal = PersonalLinks(secret, options.public_url, has_wallet=has_wallet)
    return Ground(store, writer, feed, clock, process, secret, personal, neighbours)


async def _signing_secret(store: Store) -> bytes:
    fresh = {"$setOnInsert": {"value": secrets.token_bytes(32)}}
    document = await store.change("settings", {"_id": "secret"}, fresh, upsert=True)
    assert document
    return bytes(document["value"])
