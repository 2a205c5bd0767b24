"""Who wants to know right now: console pages and web-chat widgets hear of every commit of this process, in order.

What other processes commit comes in through profiles/neighbours.py, for those who say what of it they want (`Abroad`): late by
some hundredths of a second, and not in the order of our own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from profiles.hints import Hints
from profiles.snapshot import Changes

log = logging.getLogger("profiles.live")

Wanted = Callable[[Changes], bool]
Hear = Callable[[Changes], None]
LAG_LIMIT = 256  # a listener this far behind is cut off; it reconnects and asks for what it missed


def _never(*_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Abroad:
    """What somebody wants to hear of other processes' commits; asked before anything is read, so it must be quick."""

    row: Callable[[str], bool] = _never
    """(conversation): the record itself."""
    item: Callable[[str, str], bool] = _never
    """(conversation, profile), either may be empty: what was said there, or happened to them."""
    rest: Callable[[], bool] = _never
    """Whatever has no place: which messages were amended, who was mentioned."""


class Lagging(Exception):
    """This listener did not keep up and was let go; it must read what it missed and listen again."""


class Feed:
    """Hands each committed group to everybody who listens. A slow listener never slows a fast one, or a commit."""

    def __init__(self) -> None:
        self.hints = Hints()
        self._listeners: set[_Listener] = set()
        self._hearers: list[Hear] = []
        self._abroad: list[Abroad] = []
        self._told_of_gaps: list[Callable[[], None]] = []

    def announce(self, changes: list[Changes]) -> None:
        """Tell all listeners; called by the writer after its commit."""
        for offer in (*(listener.offer for listener in tuple(self._listeners)), *self._hearers):
            try:
                for change in changes:
                    offer(change)
            except Exception as error:  # noqa: BLE001 (one listener's mistake is not the others')
                log.error("feed.listener broke error=%s", type(error).__name__, exc_info=error)

    def hear(
        self, hear: Hear, *, abroad: Abroad | None = None, missed: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        """Call this with every change, in order, right after its commit; it must not raise or block. Returns how to stop.

        For one who hands the changes on to many at once, and so would be cut off by the limit of `listen`. `missed` is called
        when something of another process may never be heard: whoever needs it must read.
        """
        parts: list[tuple[list[Any], Any]] = [
            (self._hearers, hear), (self._abroad, abroad), (self._told_of_gaps, missed)
        ]  # fmt: skip
        return _entered([(place, one) for place, one in parts if one is not None])

    @contextmanager
    def listen(self, wanted: Wanted, *, abroad: Abroad | None = None) -> Iterator[AsyncIterator[Changes]]:
        """Within the block, iterate over the changes that are wanted.

        Raises Lagging past 256 unread ones, and to one who listens `abroad` when something there may never be heard.
        """
        listener = _Listener(wanted)
        self._listeners.add(listener)
        stop = _entered([(self._abroad, abroad), (self._told_of_gaps, listener.cut)]) if abroad else None
        try:
            yield listener.changes()
        finally:
            self._listeners.discard(listener)
            if stop:
                stop()

    def wants_row(self, conversation: str) -> bool:
        """Return whether anybody here wants this conversation's record when another process changes it."""
        return any(one.row(conversation) for one in self._abroad)

    def wants_item(self, conversation: str, profile: str) -> bool:
        """Return whether anybody here wants what another process adds to this conversation, or to this person's timeline."""
        return any(one.item(conversation, profile) for one in self._abroad)

    def wants_rest(self) -> bool:
        """Return whether anybody here wants what has no place of its own."""
        return any(one.rest() for one in self._abroad)

    def missed(self) -> None:
        """Tell all who listen abroad that they must read for themselves."""
        for tell in tuple(self._told_of_gaps):
            tell()


class _Listener:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._queue: asyncio.Queue[Changes | None] = asyncio.Queue(LAG_LIMIT + 1)
        self._cut = False

    def offer(self, changes: Changes) -> None:
        if self._cut or not self._wanted(changes):
            return
        if self._queue.qsize() >= LAG_LIMIT:
            self.cut()
        else:
            self._queue.put_nowait(changes)

    def cut(self) -> None:
        if not self._cut:
            self._cut = True
            self._queue.put_nowait(None)

    async def changes(self) -> AsyncIterator[Changes]:
        while True:
            changes = await self._queue.get()
            if changes is None:
                raise Lagging
            yield changes


def _entered(parts: list[tuple[list[Any], Any]]) -> Callable[[], None]:
    """Put each into its list, and return how to take them out again; safe to repeat."""
    for place, one in parts:
        place.append(one)

    def leave() -> None:
        for place, one in parts:
            if one in place:
                place.remove(one)

    return leave
