"""The rules at work: takes nudges as they are committed and runs as they come due, a batch of contacts at a time.

Every process runs one. Which of them acts on a nudge or a run is said by its lease; that nothing is done twice, by the
version of the run in its commit. A run costs nothing until it is due: it is found by its index.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from profiles.calendar import Clock
from profiles.every import Every
from profiles.ids import new_id
from profiles.record import Document, from_document
from profiles.snapshot import Changes, Done, Refusal
from profiles.store import Store, Unavailable
from profiles.timeline import Event
from profiles.writer import Writer
from rules.applying import CHANGED, RUNS, commitment
from rules.entry import Occasion
from rules.gatekeeper import Gatekeeper
from rules.moves import Outcome
from rules.person import Person
from rules.reaction import LEASE_FOR, NUDGES, Reaction, Watch
from rules.reading import Reader, Reads
from rules.thinking import Editions, Thought, think

log = logging.getLogger("rules.engine")

AT_ONCE = 200
"""Contacts in one batch: the commands are what costs, and a batch holds up those that come after it."""
LOOK_SECONDS = 1.0
LET_LIE = timedelta(minutes=15)
"""A due run that nothing came of is looked at again after this."""
SENDS_IN_A_ROW = 20
"""Sends of one contact in one turn; what asks for more goes on at the next look."""
TRIES = 5
"""Times a contact is thought of again because their runs moved meanwhile."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to think about: an event of a contact, an occasion of one rule, or (with neither) a run that is due."""

    profile: str
    nudge: str = ""
    run: str = ""
    event: Event | None = None
    occasion: tuple[str, Occasion] | None = None


class Engine:
    """Decides and commits; the back door sends what it committed. `hear` is a listener of the writer."""

    def __init__(
        self, store: Store, writer: Writer, reader: Reader, gatekeeper: Gatekeeper, reaction: Reaction, *, clock: Clock
    ) -> None:
        self.editions = Editions({})
        self._reads = Reads()
        self._store, self._writer, self._reader, self._gatekeeper = store, writer, reader, gatekeeper
        self._reaction, self._clock = reaction, clock
        self._waiting: deque[News] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._working: asyncio.Task[None] | None = None
        self._looking = Every(LOOK_SECONDS, self.look, name="rules")

    def use(self, editions: Editions) -> None:
        """Go on with these rules: a contact is thought upon one set of them, never upon a mix."""
        rules = [edition.rule for edition in editions.every]
        self.editions, self._reads, self._reaction.watch = editions, Reads.of(rules), Watch.of(rules)

    async def start(self) -> None:
        """Begin to work, and to look every second for what is due or was left by a process that is gone."""
        self._working = asyncio.create_task(self._for_ever(), name="rules")
        await self._looking.start()

    async def close(self) -> None:
        """Stop after the batch under way; what is left keeps its lease and is found later."""
        await self._looking.close()
        task, self._working = self._working, None
        self._news.set()
        if task:
            await asyncio.wait([task], timeout=10)
            task.cancel()

    def hear(self, committed: list[Changes]) -> None:
        """Take the nudges of a commit from memory."""
        for changes in committed:
            for collection, row in changes.records:
                if collection == NUDGES and row["leased_by"] == self._writer.process:
                    event = next((event for event in changes.events if event.id == row["_id"]), None)
                    if event:
                        self.tell(News(event.profile, event.id, event=event))

    def tell(self, news: News) -> None:
        """Have this thought about soon."""
        self._waiting.append(news)
        self._idle.clear()
        self._news.set()

    async def settled(self) -> None:
        """Return when nothing waits and nothing is being thought: for tests, and for the end of a simulation."""
        await self._idle.wait()

    async def look(self) -> int:
        """Claim what is due and what others left, have it thought about, and return how much that was."""
        runs = await self._claim(RUNS, {"due_at": {"$lte": self._clock()}}, sort="due_at")
        for run in runs:
            self.tell(News(str(run["profile"]), run=str(run["_id"])))
        nudges = await self._claim(NUDGES, {}, sort="lease_until")
        events = await self._store.get_many("events", [nudge["_id"] for nudge in nudges]) if nudges else []
        known = {event["_id"]: from_document(Event, event) for event in events}
        for nudge in nudges:
            self.tell(News(str(nudge["profile"]), str(nudge["_id"]), event=known.get(nudge["_id"])))
        return len(runs) + len(nudges)

    async def work(self, news: Sequence[News]) -> None:
        """Think about these contacts and commit what it comes to."""
        left = list(news)
        for _ in range(TRIES):
            if not left:
                return
            left = await self._once(left)
        log.warning(
            "rules.contacts contended count=%d", len(left)
        )  # their leases run out, and they are looked at again

    # -- one batch

    async def _once(self, news: Sequence[News]) -> list[News]:
        """Return the news of the contacts whose runs moved meanwhile."""
        editions, now = self.editions, self._clock()
        persons = await self._reader.persons([one.profile for one in news], self._reads, now)
        ours = _by_person(news, persons)
        await self._forget([one for one in news if not any(one in some for some in ours.values())])
        thoughts = {id: _think(persons[id], editions, some, {}) for id, some in ours.items()}
        outcomes: dict[str, dict[str, dict[str, Outcome]]] = {id: {} for id in ours}
        for _ in range(SENDS_IN_A_ROW):
            asked = [
                (ask, rule, persons[id])
                for id, thought in thoughts.items()
                for ask in thought.asks
                if (rule := editions.rule_of(ask.run))
            ]
            if not asked:
                break
            answers = await self._gatekeeper.answer(asked)
            for id in {person.id for _, _, person in asked}:
                for ask in thoughts[id].asks:
                    outcomes[id].setdefault(ask.run.id, {}).update(answers.get(ask.run.id, {}))
                thoughts[id] = _think(persons[id], editions, ours[id], outcomes[id])
        return await self._commit(persons, thoughts, outcomes, ours, editions)

    async def _commit(
        self,
        persons: dict[str, Person],
        thoughts: dict[str, Thought],
        outcomes: dict[str, dict[str, dict[str, Outcome]]],
        ours: dict[str, list[News]],
        editions: Editions,
    ) -> list[News]:
        works = {
            id: commitment(
                persons[id],
                thought,
                outcomes[id],
                [one.nudge for one in ours[id] if one.nudge],
                editions,
                self._gatekeeper.reaches,
            )
            for id, thought in thoughts.items()
        }
        results = await asyncio.gather(*(self._writer.commit(work) for work in works.values()), return_exceptions=True)
        again: list[News] = []
        for id, result in zip(works, results, strict=True):
            if isinstance(result, Refusal) and result.reason == CHANGED:
                again += ours[id]
            elif not isinstance(result, Done):
                log.warning("rules.commit failed profile=%s result=%s", id, type(result).__name__)
        idle = [
            one.run
            for id, some in ours.items()
            for one in some
            if one.run and all(move.run.id != one.run for move in thoughts[id].moves)
        ]
        if idle:  # of a rule that is paused, or gone
            await self._store.change_many(
                RUNS, {"_id": {"$in": idle}}, {"$set": {"lease_until": self._clock() + LET_LIE}}
            )
        return again

    async def _forget(self, news: Sequence[News]) -> None:
        """Take away what speaks of nobody: the profile was erased."""
        if nudges := [one.nudge for one in news if one.nudge]:
            await self._store.remove(NUDGES, {"_id": {"$in": nudges}})
        if runs := [one.run for one in news if one.run]:
            await self._store.remove(RUNS, {"_id": {"$in": runs}})

    # -- the loop

    async def _for_ever(self) -> None:
        while self._working is not None:
            await self._news.wait()
            self._news.clear()
            while self._waiting and self._working is not None:
                try:
                    await self.work(self._take())
                except Unavailable as error:
                    log.warning("rules.work failed reason=%s", error)  # their leases run out
                except Exception as error:  # noqa: BLE001 (one contact's oddity must not end the work of all)
                    log.error("rules.work broke error=%s", type(error).__name__, exc_info=error)
            self._idle.set()

    def _take(self) -> list[News]:
        batch: list[News] = []
        contacts: set[str] = set()
        while self._waiting and len(contacts) < AT_ONCE:
            batch.append(self._waiting.popleft())
            contacts.add(batch[-1].profile)
        return batch

    async def _claim(self, collection: str, where: Document, *, sort: str) -> list[Document]:
        """Lease what matches and nobody holds, at most a batch of it."""
        now = self._clock()
        free = {**where, "$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}
        found = await self._store.find(collection, free, sort=[(sort, 1)], limit=AT_ONCE, only=["_id"])
        if not found:
            return []
        token = f"{self._writer.process}/{new_id(now)}"
        ids = {"_id": {"$in": [document["_id"] for document in found]}}
        lease = {"leased_by": token, "lease_until": now + LEASE_FOR}
        await self._store.change_many(collection, {**ids, **free}, {"$set": lease})
        return await self._store.find(collection, {**ids, "leased_by": token})


def _think(
    person: Person, editions: Editions, news: Iterable[News], outcomes: dict[str, dict[str, Outcome]]
) -> Thought:
    """Think about one contact, with what was answered so far."""
    news = tuple(news)
    return think(
        person,
        editions,
        [one.event for one in news if one.event],
        [one.occasion for one in news if one.occasion],
        outcomes,
    )


def _by_person(news: Iterable[News], persons: dict[str, Person]) -> dict[str, list[News]]:
    """Return the news of each contact, under the profile that a merged one has become."""
    became = {old: person.id for person in persons.values() for old in (person.id, *person.facts.profile.absorbed)}
    found: dict[str, list[News]] = {}
    for one in news:
        if id := became.get(one.profile):
            found.setdefault(id, []).append(one)
    return found
