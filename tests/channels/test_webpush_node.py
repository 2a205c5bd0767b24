"""Other people's push service, npm web-push-testing, checks our token and decrypts our messages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from causerie.data_folder import free_port as any_free_port
from profiles.timeline import Button, Content
from tests.channels.push_shop import PushShop, push_shop
from tests.needed import node, node_package
from tests.waiting import until

START = """
const {PushApiModel} = require(process.argv[1] + '/src/PushApiModel');
const Server = require(process.argv[1] + '/src/server');
new Server(new PushApiModel(), Number(process.argv[2])).startServer();
"""


@pytest.fixture
async def service() -> AsyncIterator[str]:
    """Its address."""
    package, port = node_package("web-push-testing"), any_free_port()
    process = await asyncio.create_subprocess_exec(
        node(), "-e", START, str(package), str(port), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: _answers(f"http://localhost:{port}"))
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def shop(service: str, mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[PushShop]:
    async with push_shop(mongo_url, database_name, free_port, services=(service,)) as running:
        yield running


async def test_it_takes_our_token_and_reads_what_we_wrote(shop: PushShop, service: str) -> None:
    browser, id = await _subscribed(shop, service)
    content = Content("Voilà 🎁", (Button("Go", url="https://shop.example/go"),), title="Cadeau")
    message = await shop.send(id, content)
    await _ends(shop, message.id, "sent")
    (read,) = (await _post(service, "get-notifications", {"clientHash": browser}))["data"]["messages"]
    assert '"Cadeau"' in read and "Voilà 🎁" in read and "https://shop.example/go" in read


async def test_an_expired_subscription_is_never_written_to_again(shop: PushShop, service: str) -> None:
    browser, id = await _subscribed(shop, service)
    await _post(service, f"expire-subscription/{browser}", {})
    message = await shop.send(id, Content("anybody there?"))
    await _ends(shop, message.id, "failed")

    async def ban() -> Any:
        return (await shop.owner(id))["identities"][0].get("suppression")

    assert (await until(ban))["reason"] == "unreachable"


async def _subscribed(shop: PushShop, service: str) -> tuple[str, str]:
    """Return the service's name for the browser, and ours."""
    key = (await shop.ask("settings"))[1]["key"]
    wish = {"userVisibleOnly": "true", "applicationServerKey": key}  # it wants the word, not the truth value
    data = (await _post(service, "subscribe", wish))["data"]
    status, told = await shop.ask("subscriptions", subscription={"endpoint": data["endpoint"], "keys": data["keys"]})
    assert status == 200, told
    (row,) = await shop.store.find("push_subscriptions", {})
    return data["clientHash"], row["_id"]


async def _ends(shop: PushShop, message: str, state: str) -> None:
    async def is_there() -> bool:
        return await shop.state_of(message) == state

    await until(is_there)


async def _post(service: str, path: str, body: dict[str, Any]) -> Any:
    async with aiohttp.ClientSession() as session, session.post(f"{service}/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(content_type=None) if answer.content_type == "application/json" else None


async def _answers(url: str) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(f"{url}/status"):
                return True
        except aiohttp.ClientError:
            return False
