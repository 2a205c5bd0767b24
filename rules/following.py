"""A rule saved through the console of one machine reaches the folders of the others: the database holds the text, each writes it.

Servers that share a folder find the file there already. A file that somebody changed by hand after the save is left alone, and one
that was taken away while this server was down stays away.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from profiles.calendar import from_timestamp
from profiles.every import Every
from profiles.hints import Hints
from profiles.store import Store, Unavailable
from rules.book_folder import write
from rules.bookcase import VERSIONS, Bookcase

log = logging.getLogger("rules.following")

SAVED = "rules.saved"
LOOK_SECONDS = 30.0  # a hint may be lost
CLOCKS_DIFFER = timedelta(minutes=10)
"""How far apart the clocks of two servers may be: what the slower one saves later is not passed over."""


class Following:
    """Keeps one server's folder up with what is saved elsewhere, from `start` to `close`."""

    def __init__(self, bookcase: Bookcase, store: Store, hints: Hints) -> None:
        self._bookcase, self._store = bookcase, store
        self._since: datetime | None = None
        self._seen: set[tuple[str, datetime]] = set()
        """What was looked at of the last CLOCKS_DIFFER: (row, when it was saved)."""
        self._is_first = True
        self._hurry = asyncio.Event()
        self._looking = Every(LOOK_SECONDS, self.look, name="rules.following")
        self._hurrying: asyncio.Task[None] | None = None
        bookcase.on_saved = lambda file: hints.tell(SAVED, {"file": file})
        hints.on(SAVED, lambda process, value: self._hurry.set() if value else None)

    async def start(self) -> None:
        """Begin to look."""
        await self._looking.start()
        self._hurrying = asyncio.create_task(self._at_once(), name="rules.following at once")

    async def close(self) -> None:
        """Stop looking."""
        await self._looking.close()
        if self._hurrying:
            self._hurrying.cancel()
            await asyncio.wait([self._hurrying])

    async def look(self) -> int:
        """Write what was saved since the last look, and return how many files that were. Raises Unavailable."""
        latest = await self._saved()
        is_first, self._is_first = self._is_first, False
        written = [row["file"] for row in latest.values() if await asyncio.to_thread(self._write, row, is_first)]
        if written:
            log.info("book.followed files=%d", len(written))
            await self._bookcase.look(at_once=True)
        return len(written)

    async def _saved(self) -> dict[str, Mapping[str, Any]]:
        """Return, of each file saved since the last look, the latest text."""
        where = {"saved_at": {"$gt": self._since - CLOCKS_DIFFER} if self._since else {"$exists": True}}
        since, latest = self._since, dict[str, Mapping[str, Any]]()
        seen: set[tuple[str, datetime]] = set()
        async for rows in self._store.stream(VERSIONS, [{"$match": where}, {"$sort": {"saved_at": 1}}]):
            for row in rows:
                mark = (row["_id"], row["saved_at"])
                seen.add(mark)
                if mark not in self._seen:
                    latest[str(row["file"])] = row
            since = rows[-1]["saved_at"]
        self._since = since  # not before all is read: the database may go away in the middle
        self._seen = {mark for mark in seen if since and mark[1] > since - CLOCKS_DIFFER}
        return latest

    async def _at_once(self) -> None:
        while True:
            await self._hurry.wait()
            self._hurry.clear()
            try:
                await self.look()
            except Unavailable as error:
                log.warning("book.follow failed reason=%s", error)

    def _write(self, row: Mapping[str, Any], only_known: bool) -> bool:
        path = Path(self._bookcase.folder) / row["file"]
        try:
            here, changed_at = path.read_text(encoding="utf-8-sig"), from_timestamp(path.stat().st_mtime)
        except (OSError, UnicodeDecodeError):
            if only_known or path.exists():
                return False
        else:
            if here == row["text"] or changed_at > row["saved_at"]:
                return False
        try:
            write(path, str(row["text"]))
        except OSError as error:
            log.error("book.follow broke file=%s error=%s", row["file"], error.strerror)
            return False
        return True
