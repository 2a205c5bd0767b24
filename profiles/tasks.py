"""The end of tasks that run for as long as something else does."""

import asyncio
from contextlib import suppress
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and wait until they have ended. Raises what one of them broke on before.

    Who is cancelled while waiting here goes on after it: a page that hung up still has its presence to take back (admin/live.py).
    """
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
