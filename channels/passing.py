"""A message that another process was given to send, because only this one may: it is sent as soon as we hear of it.

The hint may be lost; the message is then found by its lease (channels/sweeper.py).
"""

import asyncio
import logging
from typing import Any

from channels.outbound import BackDoor
from profiles.hints import Hints
from profiles.record import from_document
from profiles.store import Store, Unavailable
from profiles.timeline import Message

log = logging.getLogger("channels.passing")

PASSED = "outbound.passed"


class Passing:
    """Tells other processes what was given to them, and takes what they give."""

    def __init__(self, store: Store, back_door: BackDoor, hints: Hints, *, process: str) -> None:
        self._store, self._back_door, self._process = store, back_door, process
        self._given: list[str] = []
        self._taking: asyncio.Task[None] | None = None
        back_door.passed_on = lambda other, message: hints.tell(PASSED, {"to": other, "message": message})
        hints.on(PASSED, self._hear)

    async def close(self) -> None:
        """Take nothing more."""
        if self._taking:
            self._taking.cancel()
            await asyncio.wait([self._taking])

    def _hear(self, process: str, value: Any) -> None:
        if value and value["to"] == self._process:
            self._given.append(str(value["message"]))
            if self._taking is None or self._taking.done():
                self._taking = asyncio.create_task(self._take(), name="passing")

    async def _take(self) -> None:
        while self._given:
            ids, self._given = self._given, []
            try:
                found = await self._store.get_many("messages", ids)
            except Unavailable as error:
                log.warning("passing.take failed reason=%s", error)
                return
            place = {id: number for number, id in enumerate(ids)}
            for document in sorted(found, key=lambda document: place[document["_id"]]):
                message = from_document(Message, document)
                if message.delivery and message.delivery.leased_by == self._process:
                    self._back_door.send(message)
