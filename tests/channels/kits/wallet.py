"""Apple Wallet, played by a phone that has a loyalty card: what it heard is what its pass says at the next look."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from channels.channel import Door
from channels.wallet import Options
from channels.wallet_passes import Passes
from channels.wallet_setup import TRY_OUT_TYPE
from profiles.indexes import INDEXES
from profiles.passes import Wish, serial_of, token_of
from tests.cast import anna
from tests.channels.wallet_device import Device, fields
from tests.channels.wallet_stage import put_person, shop_cards


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["WalletKit"]:
    """Give Anna a card on a phone."""
    shop = shop_cards()
    door.cards.known, door.cards.images = shop.known, shop.images
    await door.store.prepare(INDEXES)
    await put_person(door.store, anna())
    async with aiohttp.ClientSession() as http:
        kit = WalletKit(door, http)
        assert await kit.passes.keep(Wish("anna", "loyalty")) == "changed"
        held = await kit.passes.get(kit.person)
        assert held
        await kit.passes.register(held, kit.phone.id, kit.phone.push_token)
        yield kit


class WalletKit:
    troubles: dict[Any, str] = {}
    """A message is told once it stands on the pass: no provider can refuse it, or be slow."""
    options = Options(enabled=True, organisation="Atelier Louise")

    def __init__(self, door: Door, http: aiohttp.ClientSession) -> None:
        self.passes = Passes(door.writer, door.store, door.cards, secret=door.secret, clock=door.clock)
        self.person = serial_of(door.secret, "anna", "loyalty")
        self.phone = Device(http)
        told = {
            "webServiceURL": f"{door.public_url}/channels/wallet",
            "passTypeIdentifier": TRY_OUT_TYPE,
            "generic": {},
        }
        known = {"serialNumber": self.person, "authenticationToken": token_of(door.secret, self.person)}
        self.phone.passes[self.person] = {**told, **known}

    async def connected(self) -> None:
        """There is nothing to wait for."""

    async def says(self, text: str, *, id: str) -> bool:
        raise AssertionError("nobody writes from a pass")

    async def heard(self) -> list[str]:
        await self.phone.wake()
        message = fields(self.phone.passes[self.person]).get("message")
        return [message["value"]] if message else []

    async def vanish(self) -> None:
        """There is no provider to take away."""
