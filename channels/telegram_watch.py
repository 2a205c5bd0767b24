"""Does Telegram reach our webhook? What it can not deliver never comes here, so nothing else would tell.

Telegram keeps for 24 hours what it can not deliver, and gives up "after a reasonable amount of attempts"
(core.telegram.org/bots/api#setwebhook): after an hour somebody must look.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from yarl import URL

from profiles.calendar import Clock
from profiles.every import Every

log = logging.getLogger("channels.telegram")

LOOK_SECONDS = 600.0
RECENT = timedelta(minutes=30)  # it tries again ever more seldom; an older error is over
ALARM_AFTER = timedelta(hours=1)
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Webhook:
    """What Telegram says of a bot's webhook (core.telegram.org/bots/api#webhookinfo)."""

    url: str
    waiting: int
    """Updates that it has not delivered."""
    failed_at: datetime | None = None
    reason: str = ""


class Watch:
    """Asks now and then, from `start` to `close`: a WARNING when updates do not arrive, an ERROR once that lasts an hour.

    `ask` gives None where Telegram does not answer.
    """

    def __init__(self, ask: Callable[[], Awaitable[Webhook | None]], *, url: str, clock: Clock) -> None:
        self._ask, self._url, self._clock = ask, url, clock
        self._since: datetime | None = None
        self._looking = Every(LOOK_SECONDS, self.look, name="telegram webhook")

    async def start(self) -> None:
        """Begin to ask."""
        await self._looking.start()

    async def close(self) -> None:
        """Ask no more. Not begun is fine."""
        await self._looking.close()

    async def look(self) -> None:
        """Ask once, and say what is wrong."""
        webhook = await self._ask()
        if webhook is None:
            return
        if _as_reached(webhook.url) != _as_reached(self._url):
            log.error("telegram.webhook is another's Hint: somebody else uses this bot's token; start again to set it")
            return
        now = self._clock()
        if not webhook.waiting or webhook.failed_at is None or now - webhook.failed_at > RECENT:
            self._since = None
            return
        self._since = self._since or now
        lasts = now - self._since
        told = log.error if lasts >= ALARM_AFTER else log.warning
        told(
            "telegram.webhook fails waiting=%d minutes=%d reason=%s Hint: can the internet reach public_url?",
            webhook.waiting, lasts // timedelta(minutes=1), webhook.reason[:LONGEST_REASON],
        )  # fmt: skip


def _as_reached(url: str) -> str:
    """Return the address as it is connected to: Telegram may tell `https://Bücher.example:443` as it writes that itself."""
    try:
        return str(URL(url))
    except ValueError:
        return url
