"""For custom actions: the person who is writing, to read and to change. `from bot.sdk import profile`.

    async def run(self, dispatcher, tracker, domain):
        person = profile(tracker)
        points = await person.get("points", 0)
        await person.update({"size": "M"})

Works while an action runs inside the server (or for an outside Rasa that calls /actions/webhook), never elsewhere. Bounded:
at most 20 changes a turn, sizes as in profiles/attributes.py. A turn may run twice after a crash: notes and consents are
then kept once.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

_LONGEST_NOTE = 5_000
_MOST_TAGS = 50

Answer = TypeVar("Answer")


class Desk(Protocol):
    """What stands behind a person while an action runs: bot/office.py, or a test's own."""

    loop: asyncio.AbstractEventLoop

    async def known(self) -> Mapping[str, Any]:
        """Return id, name, language, attributes and channels of the person, as plain values."""
        ...

    async def learn(self, values: Mapping[str, Any], source: str) -> Mapping[str, str]:
        """Keep these attributes; return what was refused, and why."""
        ...

    async def record(self, name: str, properties: Mapping[str, Any]) -> None:
        """Put a fact on the person's timeline."""
        ...

    async def note(self, text: str) -> None:
        """Put a private note into the conversation."""
        ...

    def hand_over(self, team: str | None) -> None:
        """Give the conversation to people when the action is done."""
        ...


class Person:
    """The person who writes. Every method is awaited."""

    __slots__ = ("_desk",)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def facts(self) -> Mapping[str, Any]:
        """Return what is known: id, name, language, channels (names only) and attributes."""
        return await self._there(self._desk.known())

    async def get(self, attribute: str, default: Any = None) -> Any:
        """Return the attribute's value, or the default when nobody knows it."""
        value = (await self.facts())["attributes"].get(attribute)
        return default if value is None else value

    async def update(self, values: Mapping[str, Any], *, source: str = "declared") -> Mapping[str, str]:
        """Learn these attributes and return what was refused, with the reason; empty when nothing was.

        `source`: declared (the person said so), inferred or tracked; None as a value forgets the attribute.
        """
        if source not in ("declared", "inferred", "tracked"):
            raise ValueError(f'source: expected declared, inferred or tracked; got "{source}"')
        return await self._there(self._desk.learn(dict(values), source))

    async def tag(self, *words: str) -> Mapping[str, str]:
        """Add words to the attribute `tags`; return what was refused, as `update` does."""
        known = await self.get("tags", [])
        known = list(known) if isinstance(known, list | tuple) else []
        tags = list(dict.fromkeys([*known, *(word.strip() for word in words if word.strip())]))
        if len(tags) > _MOST_TAGS:
            return {"tags": f"expected at most {_MOST_TAGS}"}
        return {} if tags == known else await self.update({"tags": tags}, source="inferred")

    async def untag(self, *words: str) -> Mapping[str, str]:
        """Take words out of the attribute `tags`."""
        known = await self.get("tags", [])
        left = [tag for tag in known if tag not in words]
        return {} if left == known else await self.update({"tags": left or None}, source="inferred")

    async def consent(self, topic: str, *, given: bool, wording: str) -> None:
        """Keep what the person agreed to, or took back, with the very words that asked: the proof."""
        if not topic.strip() or not wording.strip():
            raise ValueError("consent: expected a topic and the wording that was shown")
        name = "consent.given" if given else "consent.withdrawn"
        await self._there(self._desk.record(name, {"topic": topic[:100], "wording": wording[:2_000]}))

    async def note(self, text: str) -> None:
        """Leave a private note for the agents in this conversation."""
        if not text.strip():
            raise ValueError("note: expected a text")
        await self._there(self._desk.note(text[:_LONGEST_NOTE]))

    async def handover(self, why: str = "", *, team: str | None = None) -> None:
        """Give the conversation to people once the action is done; `why` becomes a note for them.

        A customer who was told nothing by the action hears the bot's usual words for it.
        """
        if why.strip():
            await self.note(why)
        self._desk.hand_over(team)

    async def _there(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Await work that belongs to the server's loop, from whichever loop the action runs on."""
        if asyncio.get_running_loop() is self._desk.loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._desk.loop))


_desk: ContextVar[Desk] = ContextVar("desk")


def profile(tracker: Any) -> Person:
    """Return the person whom this action's tracker is about. Raises RuntimeError outside a running action."""
    try:
        return Person(_desk.get())
    except LookupError:
        raise RuntimeError("profile(tracker) works while an action runs inside the server, not elsewhere") from None


@contextmanager
def working_at(desk: Desk) -> Iterator[None]:
    """While this lasts, `profile` gives the person of this desk."""
    token = _desk.set(desk)
    try:
        yield
    finally:
        _desk.reset(token)
