"""The inbox has no provider: an app that looks into it, played here on the wire."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from channels.channel import Door, Outbound
from channels.inapp import Options
from channels.webchat_tokens import visitor_token
from profiles.profile import Identity, Profile
from profiles.record import to_document
from profiles.timeline import Delivery, Message
from tests.channels.inapp_app import own_secret
from tests.channels.kits.kit import Trouble


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["InAppKit"]:
    """Get an app ready, whose person is known."""
    kit = InAppKit(door)
    async with aiohttp.ClientSession() as session:
        kit.session = session
        yield kit


class InAppKit:
    options = Options(enabled=True)
    troubles: Mapping[Trouble, str] = {}
    person = "0123456789abcdef" * 2
    session: aiohttp.ClientSession

    def __init__(self, door: Door) -> None:
        self._door = door
        self._committed: list[Outbound] = []

    async def connected(self) -> None:
        now, keys = self._door.clock(), (f"webchat:{self.person}", f"inapp:{self.person}")
        identities = tuple(Identity(key.partition(":")[0], self.person, now) for key in keys)
        await self._door.store.insert("profiles", to_document(Profile("anna", now, identities)))
        for key in keys:
            await self._door.store.insert("identities", {"_id": key, "profile": "anna"})

    async def says(self, text: str, *, id: str) -> bool:
        return False  # an inbox is only read

    def committed(self, outbound: Outbound) -> None:
        """Remember the message as the writer keeps it before any channel is asked to send it."""
        self._committed.append(outbound)

    async def heard(self) -> list[str]:
        await self._record()
        headers = {"Authorization": f"Bearer {visitor_token(self.person, own_secret(self._door.secret))}"}
        async with self.session.get(f"{self._door.public_url}/channels/inapp/messages", headers=headers) as answer:
            messages = (await answer.json())["messages"]
        shown = ([one["text"], *(button["title"] for button in one.get("buttons", ()))] for one in reversed(messages))
        return ["\n".join(texts) for texts in shown]

    async def vanish(self) -> None:
        """There is nobody who could."""

    async def _record(self) -> None:
        """Keep what was sent, as the back door does."""
        while self._committed:
            outbound, now = self._committed.pop(0), self._door.clock()
            delivery = Delivery(f"inapp:{self.person}", "sent", times={"sent": now})
            message = Message(
                outbound.id, outbound.id, "anna", "inapp", "outbound", "rule:r", outbound.content, 1, now,
                delivery=delivery,
            )  # fmt: skip
            await self._door.store.insert("messages", to_document(message))
