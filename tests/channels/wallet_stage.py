"""The wallet on a real database with the shop's own cards, its routes served, and phones that use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from channels.channel import Door, Outbound, Sending
from channels.wallet import Options, Wallet, connect
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.passes import Cards, Pass, Wish
from profiles.profile import Profile
from profiles.record import from_document, to_document
from profiles.snapshot import Changes, Done, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import RulesOptions, folder_of
from tests.cast import LONG_AGO, NOON, anna
from tests.channels.wallet_device import Device

SECRET = b"w" * 32
BOOK = folder_of(RulesOptions())


def shop_cards() -> Cards:
    """Return the cards of the shipped book."""
    return Cards(read_book(read_folder(BOOK)).cards, BOOK / "passes" / "images")


def member(**facts: Any) -> Profile:
    """Return Anna, who has points and a tier."""
    profile = anna()
    for name, value in {"points": 120, "tier": "silver", **facts}.items():
        profile = profile.learn(name, value, source="declared", at=LONG_AGO)
    return profile


async def put_person(store: Store, profile: Profile) -> None:
    """Put somebody there, with the keys of their addresses."""
    await store.insert("profiles", to_document(profile))
    for identity in profile.identities:
        await store.insert("identities", {"_id": identity.key, "profile": profile.id})


class Hall:
    """Where the tests stand."""

    def __init__(self, store: Store, url: str, http: aiohttp.ClientSession) -> None:
        self.store, self.url, self.http, self.now = store, url, http, NOON
        self.writer = Writer(store, process="p1", clock=self.clock)
        self.door = Door(_hears_nobody, url, self.clock, store, self.writer, Feed(), SECRET, cards=shop_cards())
        self.wallet: Wallet

    def clock(self) -> datetime:
        return self.now

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)

    async def keep(self, profile: str = "anna", card: str = "loyalty", **more: Any) -> str:
        return await self.wallet.passes.keep(Wish(profile, card, **more))

    async def held(self, card: str = "loyalty") -> Pass:
        """Return the only pass of this card."""
        (row,) = await self.store.find("passes", {"card": card})
        return from_document(Pass, row)

    async def package(self, card: str = "loyalty") -> bytes:
        built = await self.wallet.build(await self.held(card))
        assert isinstance(built, bytes), built
        return built

    async def learn(self, id: str = "anna", **facts: Any) -> None:
        """Let something be known of a person, by a writer of another process."""
        other = Writer(self.store, process="p2", clock=self.clock)

        def think(snapshot: Any) -> Changes:
            profile = snapshot.profile(id)
            for name, value in facts.items():
                profile = profile.learn(name, value, source="declared", at=self.now)
            return Changes(profiles=(profile,))

        assert isinstance(await other.commit(Work(think, profiles=(id,))), Done)
        await other.close()

    async def person(self, id: str = "anna") -> Profile:
        document = await self.store.get("profiles", id)
        assert document
        return from_document(Profile, document)

    async def events(self) -> list[str]:
        return [row["name"] for row in await self.store.find("events", {}, sort=[("happened_at", 1), ("_id", 1)])]

    async def phone(self, number: int = 1) -> Device:
        """Return a phone that has Anna's loyalty card and is registered for it."""
        await self.keep()
        device = Device(self.http, f"{number:032x}", f"{number:064x}")
        assert await device.install(await self.package()) in (200, 201)
        return device

    async def send(self, text: str, *, id: str = "m1", to: str = "") -> Sending:
        address = to or (await self.held()).id
        return await self.wallet.send(Outbound(id, address, Content(text=text), "", 0))


@asynccontextmanager
async def hall(mongo_url: str, database: str, port: int, options: Options | None = None) -> AsyncIterator[Hall]:
    """Open the stage; its wallet looks only when a test says so."""
    store = Store(mongo_url, database)
    await store.prepare(INDEXES)
    await put_person(store, member())
    async with aiohttp.ClientSession() as http:
        stage = Hall(store, f"http://127.0.0.1:{port}", http)
        wallet = await connect(options or Options(enabled=True, organisation="Atelier Louise"), stage.door)
        assert isinstance(wallet, Wallet)
        stage.wallet = wallet
        await wallet._post._looking.close()
        app, mounted = web.Application(), web.Application()
        mounted.add_routes(wallet.routes())
        app.add_subapp("/channels/wallet", mounted)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield stage
        finally:
            await wallet.close()
            await runner.cleanup()
            await stage.writer.close()
            await store.close()


async def _hears_nobody(arrival: Any) -> Any:
    raise AssertionError(arrival)


async def told(shop: Hall) -> int:
    """Let the post look once, and return how many passes were told of."""
    return await shop.wallet._post.look()
