"""The legal gate at the moment of sending: a permit in the person's ledger for every hand-over of a rule's message.

An opt-out is acknowledged when no permit is live: then no hand-over is under way, and none begins. A permit names the message
and part that it is for, so whoever takes over from a process that died finds that a hand-over had begun: it is not made
twice. Those who ask while the database answers others are asked for together, in one command; when somebody is refused, a second
one tells who.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from profiles.calendar import Clock
from profiles.caps import literal
from profiles.consent import paused_until, verdict
from profiles.crash import crash_point
from profiles.ids import new_id
from profiles.ledger import COLLECTION, Ledger, mark
from profiles.ledgers import AT_ONCE, Ledgers
from profiles.permit_terms import Passage as Passage
from profiles.permit_terms import apart, for_all, for_each
from profiles.store import Alter, Filter, Store, Unavailable
from profiles.swift import swift
from profiles.timeline import Message
from profiles.topics import Basis

log = logging.getLogger("profiles.permits")

PERMIT_SECONDS = 15.0
"""How long a hand-over may take, and the longest that an opt-out waits for its acknowledgement."""
MARGIN_SECONDS = 2.0
POLL_SECONDS = 0.01
COMPANY_SECONDS = 0.03
"""What ended waits so long for others, to be settled in one command: so much later may a no be acknowledged."""
GATHER_SECONDS, BUSY = 0.01, 32
"""While so many hand-overs are under way, one more waits so long for company: a command costs as much for one as for twenty."""
_DEEPEST_MERGE = 8


@swift
@dataclass(frozen=True, slots=True)
class Pass:
    """The hand-over may begin, and must be given up at `until` (seconds of the loop's clock)."""

    id: str
    profile: str
    until: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """The hand-over must not begin: a code of `profiles.consent.verdict`, `suppressed`, `paused`, `contended`, or `begun`.

    `contended`: not now, for the ledger changes too fast, or the database's clock is doubted. `begun`: somebody began this very
    hand-over and never told its end. It may have arrived; nobody knows.
    """

    code: str


Leave: TypeAlias = Pass | Stopped


@dataclass(slots=True, eq=False)
class _Ending:
    """Hand-overs that ended and are settled together."""

    permits: list[Pass] = field(default_factory=list)
    is_due: asyncio.Event = field(default_factory=asyncio.Event)
    is_settled: asyncio.Event = field(default_factory=asyncio.Event)


def passage(message: Message, part: int = 0) -> Passage | None:
    """Return what must be asked before this part is sent; None for what is no rule's: replies have no topic to consent to.

    A rule's message says its `class`, `topic` and `basis` in its metadata.
    """
    kind = message.metadata.get("class")
    if kind is None or message.delivery is None:
        return None
    usual: dict[str, Basis] = {"service": "not_withdrawn", "transactional": "none"}
    return Passage(
        id=f"{message.id}/{part}",
        profile=message.profile,
        address=message.delivery.to,
        channel=message.delivery.to.partition(":")[0],
        topic=message.metadata.get("topic") or "none",
        kind=kind,
        basis=message.metadata.get("basis") or usual.get(kind, "given"),
    )


class Permits:
    """Asks for permits and settles them, for one process."""

    def __init__(self, store: Store, ledgers: Ledgers, *, clock: Clock, seconds: float = PERMIT_SECONDS) -> None:
        self._store, self._ledgers, self._clock, self._seconds = store, ledgers, clock, seconds
        self._asking: deque[tuple[Passage, asyncio.Future[Leave]]] = deque()
        self._ending: dict[str, _Ending] = {}
        """Permit -> those it is settled with."""
        self._gathering: _Ending | None = None
        self._settling: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the database's clock, by which permits run out, is believed."""
        return not self._store.steady.is_doubted

    async def ask(self, passage: Passage) -> Leave:
        """Return the permit, or why there is none. Raises Unavailable: then nothing may be sent."""
        for _ in range(_DEEPEST_MERGE):
            answer = await self._one(passage)
            if not (isinstance(answer, Stopped) and answer.code.startswith("merged>")):
                return answer
            passage = replace(passage, profile=answer.code.removeprefix("merged>"))
        return Stopped("merged")

    def settle(self, permits: Iterable[Pass]) -> None:
        """Say that these hand-overs have ended and are recorded; it is written soon, or the permits run out."""
        if self._gathering is None:
            self._gathering = _Ending()
            task = asyncio.create_task(self._settle(self._gathering), name="settling")
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        for permit in permits:
            self._under_way -= 1
            self._gathering.permits.append(permit)
            self._ending[permit.id] = self._gathering
        if len(self._gathering.permits) >= AT_ONCE:
            self._gathering.is_due.set()

    async def drained(self, profile: str, ids: Sequence[str] | None = None) -> None:
        """Return when no permit of this person (of these, when given) is live: no hand-over is under way."""
        if self._gathering:
            self._gathering.is_due.set()
        ours = [] if ids is None else [{"$in": ["$$p.r", literal(list(ids))]}]
        while await self._store.first(COLLECTION, self._live(profile, ours)):  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)  # another process's hand-over ends: nothing here could tell us

    def _live(self, profile: str, ours: Sequence[Filter]) -> Filter:
        """A clock that leapt ahead ends no permit: by how long this process has run, its hand-over may still be under way."""
        latest = self._store.steady.latest()
        now: Any = {"$min": ["$$NOW", literal(latest)]} if latest else "$$NOW"
        live = {"$and": [{"$gt": ["$$p.e", now]}, *ours]}
        held = {"$filter": {"input": {"$ifNull": ["$p", []]}, "as": "p", "cond": live}}
        return {"_id": {"$eq": profile}, "$expr": {"$gt": [{"$size": held}, 0]}}

    async def close(self) -> None:
        """Write what is still to be written."""
        for ending in set(self._ending.values()):
            ending.is_due.set()
        await asyncio.gather(*self._settling)
        self._wake()
        if self._task:
            await self._task

    async def _one(self, passage: Passage) -> Leave:
        while ending := self._ending.get(passage.id):  # it would find itself begun
            ending.is_due.set()
            await ending.is_settled.wait()
        future: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()
        self._asking.append((passage, future))
        self._wake()
        return await future

    def _wake(self) -> None:
        if (self._task is None or self._task.done()) and self._asking:
            self._task = asyncio.create_task(self._work(), name="permits")

    async def _work(self) -> None:
        while self._asking:
            if self._under_way >= BUSY and len(self._asking) < BUSY:
                await asyncio.sleep(GATHER_SECONDS)
            await self._answer([self._asking.popleft() for _ in range(min(len(self._asking), AT_ONCE))])

    async def _settle(self, ending: _Ending) -> None:
        """Take away the permits of what has ended, all that end within a moment in one change."""
        timer = asyncio.get_running_loop().call_later(COMPANY_SECONDS, ending.is_due.set)
        await ending.is_due.wait()
        timer.cancel()
        self._gathering = None if self._gathering is ending else self._gathering
        profiles, ids = {permit.profile for permit in ending.permits}, [permit.id for permit in ending.permits]
        over = {"$pull": {"p": {"r": {"$in": ids}}}}
        try:
            await self._store.change_many(COLLECTION, {"_id": {"$in": list(profiles)}}, over)
            crash_point("permit.settled")
        except Unavailable as error:
            log.warning("permits.settle failed count=%d reason=%s", len(ids), error)
        finally:
            self._ending = {id: one for id, one in self._ending.items() if one is not ending}
            ending.is_settled.set()

    async def _answer(self, asking: Sequence[tuple[Passage, asyncio.Future[Leave]]]) -> None:
        if not asking:
            return
        try:
            answers = await self._decide([passage for passage, _ in asking])
        except Exception as error:  # noqa: BLE001 (handed to those who asked)
            for _, future in asking:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(asking, answers, strict=True):
            if not future.done():
                self._under_way += isinstance(answer, Pass)
                future.set_result(answer)

    async def _decide(self, passages: Sequence[Passage]) -> list[Leave]:
        """One bulk update and one look; what was refused is read once to say why, and what had no ledger asked once more."""
        token = new_id(self._clock())  # tells the permits of this very call from all others, of another process too
        until = (
            asyncio.get_running_loop().time() + self._seconds - MARGIN_SECONDS
        )  # before the update, so never too long
        answers: dict[int, Leave] = {}
        left = list(range(len(passages)))
        for attempt in range(2):
            held = await self._write(passages, left, token, is_first=attempt == 0)
            for place in left:
                if (passages[place].profile, passages[place].id) in held:
                    answers[place] = Pass(passages[place].id, passages[place].profile, until)
            left = [place for place in left if place not in answers]
            if not left:
                break
            ledgers = await self._ledgers.read({passages[place].profile for place in left})
            again = []
            for place in left:
                reason = self._why(ledgers[passages[place].profile], passages[place])
                if reason is None:
                    again.append(place)
                else:
                    answers[place] = Stopped(reason)
            left = again
            await self._ledgers.make({passages[place].profile for place in left})
        return [answers.get(place, Stopped("contended")) for place in range(len(passages))]

    async def _write(
        self, passages: Sequence[Passage], places: Sequence[int], token: str, *, is_first: bool
    ) -> set[tuple[str, str]]:
        asked = [passages[place] for place in places]
        alike, single = apart(asked) if is_first else ([], asked)
        latest = self._store.steady.latest()
        granted = await self._store.write_many(COLLECTION, for_each(single, token, self._seconds, latest))
        for several in alike:
            granted += await self._change_all(for_all(several, token, self._seconds, latest))
        crash_point("permit.written")
        if granted == len(asked):  # each change is of one person: all have theirs, as nearly always
            return {(one.profile, one.id) for one in asked}
        ids = list({one.profile for one in asked})
        mine = {"p": {"$filter": {"input": {"$ifNull": ["$p", []]}, "as": "p", "cond": {"$eq": ["$$p.n", token]}}}}
        found = await self._store.find(COLLECTION, {"_id": {"$in": ids}}, only=mine, at_once=len(ids) + 1)
        return {(document["_id"], permit["r"]) for document in found for permit in document.get("p", ())}

    async def _change_all(self, change: tuple[Filter, Alter]) -> int:
        """The driver repeats no change of many after a lost connection; who has a permit of this call is then looked up."""
        try:
            return await self._store.change_many(COLLECTION, *change)
        except Unavailable as error:
            log.warning("permits.ask unsure reason=%s", error)
            return 0

    def _why(self, ledger: Ledger, asked: Passage) -> str | None:
        if ledger.into:
            return f"merged>{ledger.into}"
        objection = self._objection(ledger, asked)
        if _has_begun(ledger, asked.id) and (objection or asked.kind != "transactional"):
            return "begun"  # whatever was said since: it may have arrived, and nobody must be told that it did not
        return objection

    def _objection(self, ledger: Ledger, asked: Passage) -> str | None:
        if mark(asked.address) in ledger.banned:
            return "suppressed"
        if reason := verdict(ledger, asked.channel, asked.topic, asked.basis):
            return reason
        if asked.kind == "marketing" and paused_until(ledger, asked.channel, asked.topic, self._clock()):
            return "paused"
        return None


def _has_begun(ledger: Ledger, id: str) -> bool:
    return any(permit.id == id for permit in ledger.permits)
