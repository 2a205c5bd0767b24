"""Where Telegram's updates arrive, pushed or fetched: judged, understood, on disk, and only then acknowledged."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from channels import telegram_form as form
from channels import telegram_wire as wire
from channels.channel import Door, Inbound
from profiles.record import from_document
from profiles.secret import is_one_of
from profiles.store import Unavailable, Unstorable
from profiles.timeline import Content, Message

log = logging.getLogger("channels.telegram")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST_UPDATE = 1_000_000  # bytes; Telegram's own are far below 100 kB


@dataclass(slots=True)
class Tally:
    """What came in since the start: taken, passed over (groups, unknown kinds), refused as malformed, with a wrong secret."""

    taken: int = 0
    ignored: int = 0
    refused: int = 0
    forged: int = 0


class Intake:
    """Takes updates that show one of these secrets. `answered` is told the id of each pressed key, and must not block."""

    def __init__(self, door: Door, *, secrets: Sequence[str], answered: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._door, self._secrets, self._answered = door, secrets, answered

    async def hook(self, request: web.Request) -> web.Response:
        """Answer a webhook: 200 on disk or nothing for us, 403 forged, 413 too large, 400 malformed, 503 repeat it."""
        if not is_one_of(
            request.headers.get(SECRET_HEADER, ""), self._secrets
        ):  # before anything of the body is looked at
            self.tally.forged += 1
            return web.Response(status=403)
        raw = await _bounded(request)
        if raw is None:
            self.tally.refused += 1
            return web.Response(status=413)
        try:
            await self._take(wire.read(raw))
        except wire.Malformed as error:
            self._refuse(error)
            return web.Response(status=400)
        except Unavailable:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return web.Response()

    async def take(self, update: Any) -> None:
        """Return when a fetched update is on disk, or nothing for us, or no update at all. Raises Unavailable."""
        try:
            await self._take(update)
        except wire.Malformed as error:
            self._refuse(error)

    async def _take(self, update: Any) -> None:
        arrival = wire.arrival(update)
        if arrival is None:
            self.tally.ignored += 1
            return
        key = ""
        if isinstance(arrival, Inbound) and arrival.id.startswith(wire.PRESS):
            key = arrival.id.removeprefix(wire.PRESS)
            arrival = await self._meant(arrival)
        try:
            await self._door.receive(arrival)
        except Unstorable as error:  # it never will be: repeating it would only hold up the rest
            self.tally.refused += 1
            log.error("telegram.update unstorable error=%s", type(error).__name__)
            return
        self.tally.taken += 1
        if key:
            self._answered(key)

    async def _meant(self, press: Inbound) -> Inbound:
        """Return the press with the payload that its key only refers to; where that is gone, the title has to do."""
        data = press.content.payload or ""
        seq = form.referred(data)
        if seq is None:
            return press if press.content.text != data else await self._found(press, data)
        found = await self._door.store.first("messages", {"conversation": f"{wire.NAME}:{press.address}", "seq": seq})
        button = form.meant(data, from_document(Message, found).content.buttons, seq) if found else None
        if button is None:
            return replace(press, content=Content(press.content.text if press.content.text != data else "…"))
        return replace(press, content=Content(button.title, payload=button.payload))

    async def _found(self, press: Inbound, data: str) -> Inbound:
        """Return a press whose message Telegram does not show us, as ours has it; else as words, for any app can send any data."""
        ours = {"delivery.provider_id": f"{wire.NAME}:{press.metadata['pressed']}"}
        found = await self._door.store.first("messages", ours)
        for button in from_document(Message, found).content.buttons if found else ():
            if not button.url and (button.payload or button.title) == data:
                return replace(press, content=Content(button.title, payload=button.payload))
        return replace(press, content=Content(data))

    def _refuse(self, error: wire.Malformed) -> None:
        self.tally.refused += 1
        log.warning("telegram.update malformed detail=%s", error)


async def _bounded(request: web.Request) -> bytes | None:
    """Return the body, or None as soon as it is longer than any update is."""
    if request.content.is_eof():  # it came with the head, as nearly all do
        whole = request.content.read_nowait()
        return whole if len(whole) <= LARGEST_UPDATE else None
    raw = bytearray()
    async for piece in request.content.iter_any():
        raw += piece
        if len(raw) > LARGEST_UPDATE:
            return None
    return bytes(raw)
