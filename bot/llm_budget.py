"""How many tokens were used today, over all processes, and whether there are any left."""

import logging
from datetime import datetime

from bot.llm_client import Choice
from bot.llm_options import LlmOptions
from profiles.store import Store

log = logging.getLogger("bot.llm_budget")


class Budget:
    """Counted in the collection `settings`, a document a day (UTC)."""

    def __init__(self, options: LlmOptions, store: Store) -> None:
        self._options, self._store = options, store
        self.spent_on = ""
        """The day whose tokens are known to be used up."""

    async def has_room(self, now: datetime) -> bool:
        """Whether another question may be asked today."""
        document = await self._store.get("settings", _key(now))
        if int((document or {}).get("tokens", 0)) < self._options.tokens_per_day:
            return True
        if self.spent_on != _key(now):
            self.spent_on = _key(now)
            log.warning("llm.budget spent tokens_per_day=%d", self._options.tokens_per_day)
        return False

    async def spend(self, choice: Choice, conversation: str, now: datetime) -> None:
        """Count what a question has cost, and log it for its conversation."""
        tokens = choice.tokens_in + choice.tokens_out
        cost = (choice.tokens_in * self._options.price_in + choice.tokens_out * self._options.price_out) / 1_000_000
        await self._store.change("settings", {"_id": _key(now)}, {"$inc": {"tokens": tokens}}, upsert=True)
        log.info(
            "llm.used conversation=%s tool=%s in=%d out=%d cost=%.6f",
            conversation, choice.name[:40], choice.tokens_in, choice.tokens_out, cost,
        )  # fmt: skip

    def is_spent(self, now: datetime) -> bool:
        """Whether today's tokens are known to be used up; asks nobody."""
        return self.spent_on == _key(now)


def _key(now: datetime) -> str:
    return f"llm:{now:%Y-%m-%d}"
