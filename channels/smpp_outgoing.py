"""Submitting a text: its parts, its alphabet, and what the SMSC's answers to them prove together."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

from channels import smpp_parts as parts
from channels import sms_text
from channels.channel import Failed, Later, Outbound, Sending, Sent, Unknown
from channels.smpp_codes import THROTTLED, refusal
from channels.smpp_link import Link, NotBound
from channels.smpp_receipt import SmscReceipt, canonical
from channels.smpp_session import Lost
from channels.smpp_wire import OK, UDHI, Address, ShortMessage, encode, message_id, wrap
from profiles.calendar import Clock
from profiles.gsm import alphabet, decode_gsm7, segment
from profiles.store import Store, Unavailable

log = logging.getLogger("channels.smpp")

SEND_SECONDS = 25.0  # the back door gives 30
ONE_BY_ONE = 50_000  # ids of messages of one part that we remember, so that their receipts need no look-up
_CODINGS = {"gsm7": 0, "latin1": 0, "ucs2": 8}


class Outgoing:
    """Submits through one link, and knows which message a receipt is about."""

    def __init__(
        self, link: Link, store: Store, clock: Clock, *, sender: Address, default: str, receipts: bool, ids: str
    ) -> None:
        self._link, self._store, self._clock = link, store, clock
        self._sender, self._default, self._receipts, self._ids = sender, default, receipts, ids
        self._reference = int(clock().timestamp()) % 256
        self._alone: OrderedDict[str, None] = OrderedDict()
        self._sending: set[asyncio.Future[None]] = set()

    async def send(self, outbound: Outbound) -> Sending:
        """Submit all parts in order. Sent when all were accepted; after the first, a refusal is Unknown: some arrived."""
        try:
            bodies = self._bodies(outbound)
        except ValueError as error:  # Malformed among them
            return Failed("content", str(error))
        if bodies is None:
            return Failed("dead", "not a phone number")
        under_way: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sending.add(under_way)
        try:
            return await self._submit(bodies)
        finally:
            self._sending.discard(under_way)
            under_way.set_result(None)

    def _bodies(self, outbound: Outbound) -> list[bytes] | None:
        destination = address_of(outbound.address)
        if destination.ton == 5:
            return None
        coding, pieces = cut(sms_text.body(outbound.content), self._default)
        esm_class = UDHI if len(pieces) > 1 else 0
        if esm_class:
            self._reference = (self._reference + 1) % 256
            pieces = [wrap(self._reference, len(pieces), number, piece) for number, piece in enumerate(pieces, 1)]
        asked = int(self._receipts)
        return [encode(ShortMessage(self._sender, destination, piece, esm_class, coding, asked)) for piece in pieces]

    async def _submit(self, bodies: Sequence[bytes]) -> Sending:
        deadline = asyncio.get_running_loop().time() + SEND_SECONDS
        ids: list[str] = []
        for body in bodies:
            outcome = await self._submit_part(body, deadline, patient=bool(ids))
            if isinstance(outcome, Failed | Later) and ids:
                return Unknown(f"part {len(ids) + 1} of {len(bodies)}: {outcome.detail}")
            if not isinstance(outcome, Sent):
                return outcome
            ids.append(outcome.provider_id or "")
        await self._remember(ids)
        return Sent(ids[0] or None)

    async def _submit_part(self, body: bytes, deadline: float, *, patient: bool) -> Sending:
        """Submit one part; `patient` tries again in time what was throttled, since a part before it has gone."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                status, answer = await self._link.submit(body, within_seconds=max(0.0, deadline - loop.time()))
            except NotBound as error:
                return Later(5.0, str(error))
            except Lost as error:
                return Unknown(str(error))
            if status == OK:
                return Sent(canonical(message_id(answer), self._ids))
            if not (patient and status == THROTTLED and loop.time() + 1 < deadline):
                return refusal(status)
            await asyncio.sleep(1)

    async def _remember(self, ids: list[str]) -> None:
        if len(ids) == 1:
            self._alone[ids[0]] = None
            if len(self._alone) > ONE_BY_ONE:
                self._alone.popitem(last=False)
        elif self._receipts and all(ids):
            try:
                await parts.remember_sent(self._store, ids, self._clock())
            except Unavailable:
                log.warning("smpp.parts unrecorded")  # it is sent all the same; its receipts may go unmatched

    async def whole(self, receipt: SmscReceipt) -> str | None:
        """Return the id of the message that this receipt settles, or None while other parts have not arrived.

        One part that failed fails the message. Raises Unavailable.
        """
        if receipt.id in self._alone:
            return receipt.id
        if self._sending:  # it may have overtaken the answer to its submit, or the message's other parts
            await asyncio.wait(tuple(self._sending), timeout=SEND_SECONDS)
        if receipt.state == "failed":
            return await parts.whole_of(self._store, receipt.id)
        whole, complete = await parts.arrived(self._store, receipt.id)
        return whole if complete else None


def address_of(text: str, ton: int = -1, npi: int = -1) -> Address:
    """Return the address with the type that its form says: international, short code, or a name."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        digits, kind = text, (5, 0)
    else:
        kind = (1, 1) if len(digits) > 8 else (3, 0)
    return Address(kind[0] if ton < 0 else ton, kind[1] if npi < 0 else npi, digits)


def cut(text: str, default: str) -> tuple[int, list[bytes]]:
    """Return the data coding and the octets of each part. Raises ValueError past 255 parts."""
    kind = alphabet(text)
    if default == "latin1" and kind == "gsm7":
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            kind = "ucs2"  # a € or a Greek letter, which this SMSC could not be told otherwise
    pieces = list(segment(text, kind).parts)
    if default == "latin1" and kind == "gsm7":
        pieces = [decode_gsm7(piece).encode("latin-1") for piece in pieces]
    return _CODINGS[kind], pieces
