"""A person with devices, on a real database, for the tests of the push channels."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.channel import Door, Outbound
from channels.devices import COLLECTION, Device
from profiles.live import Feed
from profiles.profile import Identity, Profile
from profiles.record import from_document, to_document
from profiles.snapshot import Changes, Done, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class PushStage:
    """A door whose writer is real, and Anna."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.recorder = Recorder()
        self.writer = Writer(store, process="p1")
        self.now = NOON
        self.door = Door(
            self.recorder.receive, "https://causerie.example", lambda: self.now, store, self.writer, Feed(), b"s" * 32
        )

    async def own(self, *keys: str, app: str = "com.example.shop", sandbox: bool = False) -> None:
        """Let Anna have these devices, the first one registered longest ago."""
        identities = []
        for number, key in enumerate(keys):
            space, _, address = key.partition(":")
            at = NOON - timedelta(days=10 - number)
            identities.append(Identity(space, address, at, verified_at=at))
            await self.store.insert(COLLECTION, to_document(Device(key, app, at, sandbox=sandbox)))
        anna = Profile("anna", NOON, tuple(identities))
        changes = Changes(profiles=(anna,), claims=dict.fromkeys(keys, "anna"))
        assert isinstance(await self.writer.commit(Work(lambda _: changes)), Done)

    async def suppressions(self) -> dict[str, str]:
        """Return which of Anna's addresses are banned, and why."""
        found = await self.store.get("profiles", "anna")
        anna = from_document(Profile, found or {})
        return {one.key: one.suppression.reason for one in anna.identities if one.suppression}

    async def devices(self) -> set[str]:
        """Return the keys of the devices that have a row."""
        return {row["_id"] for row in await self.store.find(COLLECTION, {})}


def push(address: str, content: Content | None = None, **metadata: Any) -> Outbound:
    """Return a message to Anna's device."""
    content = content or Content(text="Votre commande est prête", title="La boutique")
    return Outbound("m1", address, content, "m1", 1, language="fr", profile="anna", at=NOON, metadata=metadata)


@asynccontextmanager
async def push_stage(url: str, name: str) -> AsyncIterator[PushStage]:
    """Open it for the length of the block."""
    store = Store(url, name)
    stage = PushStage(store)
    try:
        yield stage
    finally:
        await stage.writer.close()
        await store.close()
