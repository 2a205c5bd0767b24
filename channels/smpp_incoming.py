"""What an SMSC delivers: messages, whole or in parts, and receipts; each acknowledged once it is on disk."""

import hashlib
import logging
from datetime import timedelta
from typing import Any

from channels import smpp_parts as parts
from channels.channel import Door, Inbound, Receipt
from channels.smpp_outgoing import Outgoing
from channels.smpp_receipt import read_receipt
from channels.smpp_repeats import Repeats
from channels.smpp_session import Delivery
from channels.smpp_stored import Stored
from channels.smpp_wire import (
    OK,
    PERMANENT,
    RECEIPTED_ID,
    TEMPORARY,
    Address,
    Malformed,
    ShortMessage,
    decode,
    text_of,
    unwrap,
)
from profiles.identity import normalise
from profiles.store import Unavailable
from profiles.text import clean
from profiles.timeline import Content

log = logging.getLogger("channels.smpp")

CHANNEL, SPACE = "smpp", "sms"


class Incoming:
    """Hands what is delivered to the front door."""

    def __init__(
        self, door: Door, outgoing: Outgoing, repeats: Repeats, stored: Stored, *, default: str, ids: str
    ) -> None:
        self._door, self._outgoing, self._repeats, self._stored = door, outgoing, repeats, stored
        self._default, self._ids = default, ids
        self._parts = parts.Parts(door.store)

    async def heard(self, delivery: Delivery) -> None:
        """Deal with one deliver_sm, and answer it: taken, not now, or never."""
        try:
            message = decode(delivery.body)
        except Malformed:
            log.warning("smpp.deliver malformed octets=%d", len(delivery.body))
            delivery.reply(PERMANENT)
            return
        try:
            if message.is_receipt:
                await self._receipt(message)
                delivery.reply(OK)
            else:
                await self._message(message, delivery)
        except Unavailable:
            delivery.reply(TEMPORARY)

    async def give_over_incomplete(self, after: timedelta) -> None:
        """Give over the long messages that have not become whole in this time, as they are. Raises Unavailable."""
        async for gathered in self._parts.overdue(self._door.clock(), after):
            await self._give_over(gathered)

    async def _message(self, message: ShortMessage, delivery: Delivery) -> None:
        part, octets = unwrap(message)
        if part:
            now, coding = self._door.clock(), message.data_coding
            gathered = await self._parts.gather(message.source, message.destination, part, octets, coding, now)
            if gathered.is_whole:
                await self._give_over(gathered)
            delivery.reply(OK)
            return
        text = text_of(octets, message.data_coding, default=self._default)
        if known := message.tlvs.get(RECEIPTED_ID, b"").split(b"\0")[0].decode("latin-1"):
            await self._door.receive(
                self._inbound(f"id.{known}", message.source, text, {"to": message.destination.text})
            )
            delivery.reply(OK)
        else:
            await self._nameless(message, text, delivery)

    async def _nameless(self, message: ShortMessage, text: str, delivery: Delivery) -> None:
        """A message without an id of its own: smpp_repeats.py says whether it was here before."""
        fingerprint, now = _fingerprint(message), self._door.clock()
        before = await self._stored.before(fingerprint, f"{CHANNEL}:{self._person(message.source)}", now)
        claim = self._repeats.claim(fingerprint, delivery.session, now, id=before)
        metadata = {"to": message.destination.text, "fingerprint": fingerprint}
        status = TEMPORARY
        try:
            await self._door.receive(self._inbound(claim.id, message.source, text, metadata))
            status = OK
        except Unavailable:
            log.warning("smpp.deliver postponed id=%s", claim.id)
        finally:
            answer = delivery.reply(status)
            self._repeats.answered(claim, answer, self._door.clock(), taken=status == OK)

    async def _give_over(self, gathered: parts.Gathered) -> None:
        pieces = [text_of(*run, default=self._default) if run else parts.MISSING for run in gathered.runs()]
        id = gathered.id
        metadata: dict[str, Any] = {"to": gathered.destination.text}
        if not gathered.is_whole:  # another id: should the rest come yet, the whole message follows
            id, metadata = f"{id}.incomplete", metadata | {"incomplete": True}
        await self._door.receive(self._inbound(id, gathered.source, "".join(pieces), metadata))
        await self._parts.given_over(gathered)

    async def _receipt(self, message: ShortMessage) -> None:
        receipt = read_receipt(message, self._ids)
        if receipt is None or receipt.state is None:
            return
        if whole := await self._outgoing.whole(receipt):
            await self._door.receive(Receipt(CHANNEL, whole, receipt.state, self._door.clock(), receipt.reason))

    def _inbound(self, id: str, source: Address, text: str, metadata: dict[str, Any]) -> Inbound:
        return Inbound(CHANNEL, self._person(source), id, Content(text=text), SPACE, metadata=metadata)

    def _person(self, source: Address) -> str:
        text = f"+{source.text.removeprefix('+')}" if source.ton == 1 else source.text
        country = self._door.country
        # many SMSCs leave the type out: what is no number of this country may be one with its country code
        return (
            normalise(SPACE, text, country=country)
            or normalise(SPACE, f"+{text}", country=country)
            or clean(text)
            or "?"
        )


def _fingerprint(message: ShortMessage) -> str:
    said = f"{message.source.text}\0{message.destination.text}\0{message.data_coding}\0".encode() + message.octets
    return hashlib.sha256(said).hexdigest()[:32]
