"""Firebase, played strictly (tests/peers/firebase.py)."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from channels.channel import Door
from channels.fcm import Options
from tests.peers.firebase import Firebase, error

PERSON = "fcm-token-of-anna:APA91b_0123456789"
GONE, FAST, ASLEEP = (f"fcm-token-{word}:APA91b_0123456789" for word in ("gone", "fast", "asleep"))


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["FcmKit"]:
    """Start it on a free port."""
    firebase = Firebase()
    await firebase.start()
    with tempfile.TemporaryDirectory() as folder:
        firebase.answers = {
            GONE: [partial(error, 404, "NOT_FOUND", fcm="UNREGISTERED")],
            FAST: [partial(error, 429, "RESOURCE_EXHAUSTED", fcm="QUOTA_EXCEEDED", retry_after="9")],
            ASLEEP: ["hang"],
        }
        kit = FcmKit(firebase, Path(folder))
        yield kit
        await kit.vanish()


class FcmKit:
    person = PERSON
    troubles = {"blocked": GONE, "throttled": FAST, "silent": ASLEEP}

    def __init__(self, firebase: Firebase, folder: Path) -> None:
        self.firebase = firebase
        self.options = Options(
            enabled=True, service_account=str(firebase.account(folder)), api_url=firebase.url, answer_seconds=0.8
        )

    async def connected(self) -> None:
        """There is nothing to wait for: it connects with the first message."""

    async def says(self, text: str, *, id: str) -> bool:
        return False  # an app is not heard here

    async def heard(self) -> list[str]:
        return ["\n".join(_shown(message)) for message in self.firebase.to(self.person)]

    async def vanish(self) -> None:
        await self.firebase.stop()


def _shown(message: dict[str, Any]) -> list[str]:
    buttons = orjson.loads(message["data"]["causerie"]).get("buttons", [])
    return [message["notification"]["body"], *(button["title"] for button in buttons)]
