"""A real Firefox subscribes on the shop's page, decrypts our message in its worker and shows it; and is told when it is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from causerie.data_folder import free_port as any_free_port
from channels.webpush_subscriptions import id_of
from profiles.timeline import Button, Content
from tests.channels.push_shop import PushShop, push_shop
from tests.needed import firefox
from tests.peers.firefox import Tab, open_firefox
from tests.peers.mozilla_push import MozillaPush
from tests.waiting import until

SHOWN = """navigator.serviceWorker.getRegistration("/shop/worker.js").then((one) => one.getNotifications())
 .then((all) => all.map((one) => ({title: one.title, body: one.body, tag: one.tag})))"""


@dataclass
class Scene:
    """The shop, Mozilla's push service, and the browser."""

    shop: PushShop
    service: MozillaPush
    tab: Tab


@pytest.fixture
async def scene(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Scene]:
    firefox()
    service = MozillaPush()
    await service.start()
    preferences = {
        "dom.push.serverURL": f"ws://127.0.0.1:{service.port}/",
        "dom.push.testing.allowInsecureServerURL": True,
        "dom.push.testing.ignorePermission": True,
        "dom.push.connection.enabled": True,
        "permissions.default.desktop-notification": 1,
        "alerts.useSystemBackend": False,  # there is no desktop here that would show them
        "browser.shell.checkDefaultBrowser": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "app.update.enabled": False,
        "network.captive-portal-service.enabled": False,
    }
    profile = tmp_path / "profile"
    profile.mkdir()
    try:
        async with (
            push_shop(mongo_url, database_name, free_port, services=(service.origin,)) as shop,
            open_firefox(profile, any_free_port(), preferences) as tab,
        ):
            yield Scene(shop, service, tab)
    finally:
        await service.stop()


async def test_firefox_subscribes_decrypts_shows_and_tells(scene: Scene) -> None:
    shop, tab = scene.shop, scene.tab
    await tab.goto(f"{shop.url}/shop/en?topics=offers")
    await tab.run("CauseriePush.ask()")
    await tab.run("document.body.lastElementChild.shadowRoot.querySelector('button[type=submit]').click()")
    (row,) = await until(lambda: shop.store.find("push_subscriptions", {}))
    assert row["endpoint"].startswith(f"{scene.service.origin}/wpush/v2/")

    async def is_on() -> bool:
        return await tab.run("CauseriePush.state()") == "on"

    await until(is_on)
    assert [one["topic"] for one in await shop.proofs()] == ["offers"]

    id = id_of(row["endpoint"])
    content = Content("Voilà 🎁 " + "é" * 1_000, (Button("Go", url="https://shop.example/go"),), title="Cadeau")
    message = await shop.send(id, content)
    await until(lambda: scene.service.acks or scene.service.refused)
    assert scene.service.refused == []
    assert [ack["code"] for ack in scene.service.acks] == [100], "100: decrypted and delivered to the worker"

    async def is_delivered() -> bool:
        return await shop.state_of(message.id) == "delivered"

    await until(is_delivered)  # the worker showed it, and told us so
    (shown,) = await tab.run(SHOWN)
    assert (shown["title"], shown["body"]) == ("Cadeau", content.text)
    assert scene.service.refused == []

    await tab.run("CauseriePush.unsubscribe()")
    assert await tab.run("CauseriePush.state()") == "off"
    assert scene.service.channels == {}, "the browser has let go of it, too"
    owner = await shop.owner(id)
    assert owner["identities"][0]["suppression"]["reason"] == "blocked"


async def test_a_subscription_that_the_browser_dropped_is_dead(scene: Scene) -> None:
    shop, tab = scene.shop, scene.tab
    await tab.goto(f"{shop.url}/shop/en?topics=offers")
    await tab.run("CauseriePush.ask()")
    await tab.run("document.body.lastElementChild.shadowRoot.querySelector('button[type=submit]').click()")
    (row,) = await until(lambda: shop.store.find("push_subscriptions", {}))
    scene.service.channels.clear()
    message = await shop.send(row["_id"], Content("anybody there?"))

    async def is_banned() -> bool:
        owner = await shop.owner(row["_id"])
        return owner["identities"][0].get("suppression", {}).get("reason") == "unreachable"

    async def has_failed() -> bool:
        return await shop.state_of(message.id) == "failed"

    await until(is_banned)
    await until(has_failed)
    assert await shop.store.find("push_subscriptions", {}) == []
