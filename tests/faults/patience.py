"""Waiting for what comes true in seconds on a free machine: here others work beside us, and time proves nothing."""

from collections.abc import Callable
from typing import Any

from tests import waiting

PATIENCE_SECONDS = 180.0


async def until(claim: Callable[[], Any]) -> Any:
    """Return what `claim` (plain or async) gives as soon as it is true. Raises AssertionError after three minutes."""
    return await waiting.until(claim, within_seconds=PATIENCE_SECONDS)
