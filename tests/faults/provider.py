"""A strict provider with a journal of its own: Telegram's Bot API as tests/peers plays it, and the moods a real one has.

`taken` is what it accepted: what people have on their telephones. A mood that loses its answer has accepted, and nobody is told;
one that refuses has not. What it journals is on disk before it answers.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aiohttp import web

from tests.faults.journal import Journal, now
from tests.peers.bot_api import FAILURES, BotApi, Json
from tests.peers.bot_api_rules import Params

_began: ContextVar[float] = ContextVar("began")
TOKEN = "1000000:faultsfaultsfaultsfaults"
Mood = Literal["flood", "server_error", "bad_gateway", "reset", "lost_answer", "slow"]
FLOOD = {"retry_after": 1}


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the provider accepted: to whom, what, and when the hand-over began and ended."""

    to: int
    text: str
    began: float
    ended: float


class Provider(BotApi):
    """`moods` are chances, rolled for each message from the seed; everybody with a positive number has a telephone."""

    def __init__(self, journal: Path, *, seed: int = 0, moods: Mapping[Mood, float] | None = None) -> None:
        super().__init__(TOKEN)
        self.taken: list[Taken] = []
        self.met: Counter[str] = Counter()
        """How often each mood was met."""
        self.seconds = (0.0, 0.0)
        """How long a message takes to be answered, at least and at most: it is taken in the middle of that."""
        self.moods = dict(moods or {})
        self._journal, self._chance = Journal(journal), random.Random(seed)

    def of(self, person: int) -> list[str]:
        """Return all that this person was sent, in order."""
        return [one.text for one in self.taken if one.to == person]

    def by_person(self) -> Mapping[int, list[str]]:
        """Return what each person was sent."""
        found: defaultdict[int, list[str]] = defaultdict(list)
        for one in self.taken:
            found[one.to].append(one.text)
        return found

    async def stop(self) -> None:
        """Leave the network."""
        await super().stop()
        self._journal.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not request.match_info["method"].startswith("send"):
            return await super()._serve(request)
        mood, began = self._mood(), now()
        if mood in ("flood", "server_error", "bad_gateway", "reset"):
            self.fail(request.match_info["method"], mood)
            return await super()._serve(request)
        _began.set(began)  # of this request's own task
        takes = self._chance.uniform(*self.seconds) + (0.5 if mood == "slow" else 0.0)
        await asyncio.sleep(takes / 2)
        try:
            answer = await super()._serve(request)
        except ConnectionError:  # killed in the middle of its request: nothing was taken
            return web.Response()
        await asyncio.sleep(takes / 2)  # it is taken, and who sent it does not know yet
        if mood == "lost_answer":
            assert request.transport
            request.transport.abort()
        return answer

    def _say(self, method: str, params: Params) -> Json:
        shown = super()._say(method, params)
        said = self.said[-1]
        self.taken.append(Taken(int(said.chat), said.text, _began.get(), now()))
        self._journal.note(to=int(said.chat), text=said.text, began=_began.get(), ended=now())
        return shown

    def _mood(self) -> str:
        roll = self._chance.random()
        for mood, share in self.moods.items():
            roll -= share
            if roll < 0:
                self.met[mood] += 1
                return mood
        return ""

    def _known(self, params: Params) -> str:
        return str(params["chat_id"])


@asynccontextmanager
async def provider(
    journal: Path, *, seed: int = 0, moods: Mapping[Mood, float] | None = None
) -> AsyncIterator[Provider]:
    """Start it on a free port, stop it at the end."""
    FAILURES["flood"] = FAILURES["flood"].__class__(429, "Too Many Requests: retry after 1", FLOOD)
    opened = Provider(journal, seed=seed, moods=moods)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()
