"""Does somebody write faster than anybody can? Then what they say is kept, and not answered by the bot.

Two machines that answer each other would never end, and each answer by SMS costs money. Agents see all of it.
"""

import logging
import time
from collections.abc import Callable

from channels.webchat_limits import Buckets

log = logging.getLogger("channels.floods")

MOST_A_MINUTE = 60  # of one address, in each process


class Floods:
    """Counts what comes from each address. `seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._heard = Buckets(per_second=MOST_A_MINUTE / 60, burst=MOST_A_MINUTE)
        self._told = Buckets(per_second=1 / 60, burst=1)
        self.unanswered = 0

    def is_one(self, key: str, *, channel: str) -> bool:
        """Count one message of this address, and return whether it is one too many."""
        now = self._seconds()
        if not self._heard.take(key, now):
            return False
        self.unanswered += 1
        if not self._told.take(key, now):
            log.warning("inbound.flood channel=%s unanswered=%d", channel, self.unanswered)
        return True

    def take_back(self, key: str) -> None:
        """Let one that was counted not count: it was not kept, or was there already, and its provider repeats it."""
        self._heard.give_back(key)
