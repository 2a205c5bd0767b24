"""Browsers and their push service, played by tests/peers/push_service.py; the database holds their subscriptions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.channel import Door
from channels.webpush import Options
from channels.webpush_encryption import unpacked
from channels.webpush_keys import vapid_of
from channels.webpush_subscriptions import COLLECTION, Subscription, id_of
from profiles.record import to_document
from profiles.secret import Secret
from tests.channels.kits.kit import Trouble
from tests.peers.push_service import HANG, PushService


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["WebpushKit"]:
    """Start the push service and subscribe four browsers."""
    kit = WebpushKit()
    await kit.peer.start()
    kit.options = Options(enabled=True, services=(kit.peer.origin,), answer_seconds=0.6)
    key = (await vapid_of(door.store, Secret(), "mailto:a@shop.example")).public
    for name in ("anna", "gone", "busy", "asleep"):
        browser = kit.peer.browser(name)
        kit.ids[name] = id_of(browser.endpoint)
        keys = map(unpacked, browser.keys.values())
        row = Subscription(kit.ids[name], browser.endpoint, *keys, key=key, origin="", at=door.clock())
        await door.store.insert(COLLECTION, to_document(row))
    kit.person = kit.ids["anna"]
    kit.troubles = {"blocked": kit.ids["gone"], "throttled": kit.ids["busy"], "silent": kit.ids["asleep"]}
    kit.peer.answers = {"/push/gone": 410, "/push/busy": (429, {"Retry-After": "7"}), "/push/asleep": HANG}
    yield kit
    await kit.vanish()


class WebpushKit:
    options: Options
    person = ""
    troubles: dict[Trouble, str]

    def __init__(self) -> None:
        self.peer = PushService()
        self.ids: dict[str, str] = {}

    async def connected(self) -> None:
        """There is nothing to wait for: it connects with the first message."""

    async def says(self, text: str, *, id: str) -> bool:
        return False  # nobody answers a push

    async def heard(self) -> list[str]:
        said = [push.said for push in self.peer.taken if push.path == "/push/anna"]
        return ["\n".join([one.get("b", ""), *(action["t"] for action in one.get("a", ()))]) for one in said]

    async def vanish(self) -> None:
        await self.peer.stop()
