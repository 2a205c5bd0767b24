"""Looking again and again in the background: one task that outlives an absent database and its own mistakes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from profiles.store import Unavailable
from profiles.tasks import end

log = logging.getLogger("profiles.every")


class Every:
    """Calls `look` at once and then every so many seconds, from `start` to `close`."""

    def __init__(self, seconds: float, look: Callable[[], Awaitable[object]], *, name: str) -> None:
        self._seconds, self._look, self._name = seconds, look, name
        self._task: asyncio.Task[None] | None = None
        self._is_due = asyncio.Event()

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._for_ever(), name=self._name)

    def hurry(self) -> None:
        """Look again at once; in the middle of a look, right after it."""
        self._is_due.set()

    async def close(self) -> None:
        """Stop, also in the middle of a look. Not begun, or stopped before, is fine."""
        task, self._task = self._task, None
        if task:
            await end(task)

    async def _for_ever(self) -> None:
        while True:
            self._is_due.clear()
            try:
                await self._look()
            except Unavailable as error:
                log.warning("every.look failed name=%s reason=%s", self._name, error)
            except Exception as error:  # noqa: BLE001 (one bad look must not end all later ones)
                log.error("every.look broke name=%s error=%s", self._name, type(error).__name__, exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._is_due.wait()
