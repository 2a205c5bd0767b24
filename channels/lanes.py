"""One lane a conversation: its messages go one after the other, first come first sent, and the lanes side by side.

Of a crowd only some lanes begin in each pass of the loop: what was sent is marked meanwhile, and answers are not kept waiting.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from profiles.timeline import Message

BEGIN_AT_ONCE = 100


@dataclass(slots=True)
class _Lane:
    waiting: deque[Message]
    task: asyncio.Task[None] | None = None


class Lanes:
    """`deliver` is called with one message of a conversation at a time, and must not raise."""

    def __init__(self, deliver: Callable[[Message], Awaitable[None]]) -> None:
        self._deliver = deliver
        self._lanes: dict[str, _Lane] = {}
        self._to_begin: tuple[deque[str], deque[str]] = deque(), deque()
        """Conversations whose lane has not begun: where somebody waits for it, and the others."""
        self._beginning: asyncio.Task[None] | None = None

    def __contains__(self, conversation: str) -> bool:
        return conversation in self._lanes

    def put(self, message: Message) -> bool:
        """Take the message behind those of its conversation; return whether its lane is under way already."""
        lane = self._lanes.setdefault(message.conversation, _Lane(deque()))
        lane.waiting.append(message)
        if lane.task is None:
            self._begin_soon(message)
            return False
        return True

    def behind(self, conversation: str) -> Iterable[Message]:
        """Return the messages that wait in this conversation's lane."""
        lane = self._lanes.get(conversation)
        return lane.waiting if lane else ()

    async def close(self, within_seconds: float) -> None:
        """Finish what is there; what does not finish in time is cancelled."""
        until = asyncio.get_running_loop().time() + within_seconds
        if self._beginning:
            await asyncio.wait([self._beginning], timeout=within_seconds)
            self._beginning.cancel()
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=max(until - asyncio.get_running_loop().time(), 0.0))
            for task in late:
                task.cancel()

    def _begin_soon(self, message: Message) -> None:
        """Begin its lane: at once where few are under way, else in one of the next passes of the loop."""
        if len(self._lanes) <= BEGIN_AT_ONCE:
            self._begin(message.conversation)
            return
        answers, others = self._to_begin
        (answers if is_answer(message) else others).append(message.conversation)
        if self._beginning is None or self._beginning.done():
            self._beginning = asyncio.create_task(self._begin_all(), name="lanes")

    async def _begin_all(self) -> None:
        """Begin a few lanes in each pass of the loop, those first where somebody waits."""
        while any(self._to_begin):
            for _ in range(BEGIN_AT_ONCE):
                if waiting := next((some for some in self._to_begin if some), None):
                    self._begin(waiting.popleft())
            await asyncio.sleep(0)

    def _begin(self, conversation: str) -> None:
        lane = self._lanes.get(conversation)
        if lane and lane.task is None:
            lane.task = asyncio.create_task(self._drain(conversation, lane), name="lane")

    async def _drain(self, conversation: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                await self._deliver(lane.waiting.popleft())
        finally:
            self._lanes.pop(conversation, None)


def is_answer(message: Message) -> bool:
    """Return whether somebody waits for it: what bot and agents say, and transactional messages of rules."""
    return message.metadata.get("class") in (None, "transactional")
