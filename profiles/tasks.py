"""The end of tasks that run for as long as something else does."""

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and wait until they have ended. Raises what the first of them broke on.

    Who waits here can be cancelled too, which waiting for a cancelled task by itself would hide.
    """
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
