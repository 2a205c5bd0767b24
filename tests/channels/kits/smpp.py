"""An SMSC, played by the npm package `smpp` (tests/peers/smsc.js)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.channel import Door
from channels.smpp import Options
from profiles.gsm import alphabet
from profiles.secret import Secret
from tests.peers.smsc import PASSWORD, SYSTEM_ID, Smsc, running_smsc


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["SmppKit"]:
    """Start the SMSC."""
    async with running_smsc() as smsc:
        kit = SmppKit(smsc)
        await smsc.order("behave", to="33600000001", status=0x0B)
        await smsc.order("behave", to="33600000002", status=0x58)
        await smsc.order("behave", to="33600000003", silent=True)
        yield kit


class SmppKit:
    person = "+33612345678"
    troubles = {"blocked": "+33600000001", "throttled": "+33600000002", "silent": "+33600000003"}

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.options = Options(
            enabled=True, host="127.0.0.1", port=smsc.port, system_id=SYSTEM_ID, password=Secret(PASSWORD),
            sender="36180", answer_seconds=0.8, enquire_seconds=0.5, reconnect_seconds=0.02,
        )  # fmt: skip

    async def connected(self) -> None:
        await self.smsc.event("bound")

    async def says(self, text: str, *, id: str) -> bool:
        coding = 0 if alphabet(text) == "gsm7" else 8
        message = {"text": text, "source": self.person[1:], "coding": coding}
        return await self.smsc.deliver(**message, tlvs={"receipted_message_id": id}) == 0

    async def heard(self) -> list[str]:
        return [event["text"] for event in self.smsc.of("submit") if "+" + event["to"] == self.person]

    async def vanish(self) -> None:
        await self.smsc.stop()
