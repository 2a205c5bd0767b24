"""A visitor of the demo shop agrees to messages in the browser: the shipped welcome comes at once, and is seen to be opened."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from causerie.app import STORE, build
from causerie.demo import lay_out_book
from causerie.options import Options, ServerOptions
from channels import webchat, webpush
from profiles.store import Store
from rules.options import RulesOptions
from tests.peers.push_service import PushService
from tests.waiting import until


@dataclass
class Demo:
    """The demo's server, and the push service of its visitors' browsers."""

    url: str
    store: Store
    peer: PushService

    async def post(self, path: str, **body: Any) -> Any:
        headers = {"Origin": self.url, "Content-Type": "text/plain"}
        async with aiohttp.ClientSession() as session:
            address = f"{self.url}/channels/webpush/{path}"
            async with session.post(address, data=json.dumps(body), headers=headers) as answer:
                assert answer.status < 300, await answer.text()
                return await answer.json() if answer.status == 200 else None


@pytest.fixture
async def demo(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Demo]:
    async with _served(mongo_url, database_name, free_port, lay_out_book(tmp_path / "rules")) as running:
        yield running


@asynccontextmanager
async def _served(mongo_url: str, database: str, port: int, book: Path) -> AsyncIterator[Demo]:
    peer = PushService()
    await peer.start()
    options = Options(
        server=ServerOptions(port=port),
        rules=RulesOptions(str(book)),
        channels={
            "webchat": webchat.Options(enabled=True, demo=True),
            "webpush": webpush.Options(enabled=True, services=(peer.origin,)),
        },
        database=database,
    )
    app = await build(options, mongo_url)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield Demo(f"http://127.0.0.1:{port}", app[STORE], peer)
    finally:
        await runner.cleanup()
        await peer.stop()


async def test_who_subscribes_gets_the_shipped_welcome_and_opens_it(demo: Demo) -> None:
    told = await demo.post("settings", language="fr")
    offers = next(one for one in told["topics"] if one["id"] == "offers")
    assert offers["wording"].startswith("J'accepte de recevoir les offres")
    browser = demo.peer.browser("eva")
    yes = [{"topic": "offers", "version": offers["version"]}]
    await demo.post("subscriptions", subscription=browser.subscription(), yes=yes, language="fr")

    (push,) = await until(lambda: demo.peer.taken)
    assert (push.said["t"], push.said["l"]) == ("C'est noté", "fr")
    assert push.headers["urgency"] == "high"
    await demo.post("receipts", r=push.said["r"], what="shown")
    await demo.post("receipts", r=push.said["r"], what="clicked")

    async def is_read() -> Any:
        return await demo.store.first("messages", {"channel": "webpush", "delivery.state": "read"})

    message = await until(is_read)
    assert message["metadata"]["rule"] == "push-welcome"
    assert set(message["delivery"]["times"]) >= {"sent", "delivered", "read"}
    assert demo.peer.refused == []


async def test_the_one_who_signs_in_afterwards_is_anna_and_gets_what_is_hers(demo: Demo) -> None:
    browser = demo.peer.browser("eva")
    token = (await demo.post("subscriptions", subscription=browser.subscription(), language="fr"))["token"]
    await until(lambda: demo.peer.taken)
    async with aiohttp.ClientSession() as session:
        signed = await session.post(f"{demo.url}/channels/webchat/demo/sign-in?language=fr")
        identity = (await signed.json())["identity"]
    await demo.post("identify", token=token, identity=identity)
    held = await demo.store.first("identities", {"_id": {"$regex": "^webpush:"}})
    user = await demo.store.get("identities", "user:demo-anna")
    assert held and user and held["profile"] == user["profile"]
