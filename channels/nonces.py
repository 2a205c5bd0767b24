"""What a provider says once, by the word it marks it with: a webhook that somebody repeats later is known by that word."""

from contextlib import suppress
from datetime import datetime

from profiles.store import AlreadyThere, Store

COLLECTION = "nonces"


class Nonces:
    """Remembers words, in the database: of all processes, each until its end."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def is_used(self, word: str) -> bool:
        """Return whether this word was used. Raises Unavailable."""
        return await self._store.get(COLLECTION, word) is not None

    async def use(self, word: str, *, until: datetime) -> None:
        """Remember it, once what it marked is on disk: who dies in between hears it again. Raises Unavailable."""
        with suppress(AlreadyThere):
            await self._store.insert(COLLECTION, {"_id": word, "ends_at": until})
