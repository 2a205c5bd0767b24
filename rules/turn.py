"""A turn of the rules: some contacts are read, thought about, their sends put to the gate, and all of it committed.

It knows no database: live it works on the store and the one writer, in a simulation on contacts in memory.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from profiles.calendar import Clock
from profiles.expression import Expression
from profiles.record import replace
from profiles.snapshot import Done, Work
from profiles.snapshot import Outcome as Committed
from profiles.store import Unavailable
from profiles.swift import swift
from profiles.timeline import Event
from rules.applying import commitment, together
from rules.entry import Occasion, enter, is_once, name_of
from rules.gatekeeper import Gatekeeper
from rules.graph import graph
from rules.moves import Outcome, Skipped
from rules.person import Person
from rules.reading import Reads
from rules.rule import Rule
from rules.thinking import Edition, Editions, Thought, answered, think

log = logging.getLogger("rules.turn")

SENDS_IN_A_ROW = 20
"""Sends of one contact in one turn; what asks for more goes on when it is looked at again."""
IN_ONE_WORK = 25
"""Contacts that are committed as one piece of work: thinking of more holds up those who write to us."""
TRIES = 5
"""Times a contact is thought of again because their runs moved meanwhile."""


@swift
@dataclass(frozen=True, slots=True)
class News:
    """One thing to think about: an event of a contact, an occasion of one rule, or (with neither) a run that is due."""

    profile: str
    nudge: str = ""
    run: str = ""
    event: Event | None = None
    occasion: tuple[str, Occasion] | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What a turn could do nothing about."""

    nobody: tuple[News, ...] = ()
    """News of profiles that are gone."""
    idle: tuple[str, ...] = ()
    """Due runs that nothing came of: their rule is paused, or gone."""


class Persons(Protocol):
    """Reads contacts."""

    async def persons(self, ids: Iterable[str], reads: Reads, now: datetime) -> dict[str, Person]: ...

    async def begun(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the runs of these that were ever begun: id -> the occurrence that began it."""
        ...


class Commits(Protocol):
    """Writes works down."""

    async def commit(self, work: Work, *, patient: bool = False) -> Committed: ...


class Turn:
    """Thinks about contacts with one set of rules, never with a mix."""

    def __init__(self, reader: Persons, writer: Commits, gatekeeper: Gatekeeper, *, clock: Clock) -> None:
        self.editions = Editions({})
        self.baselined: frozenset[str] = frozenset()
        """Watched segments whose members are known, so that who differs has crossed."""
        self._reads = Reads()
        self._reader, self._writer, self._gatekeeper, self._clock = reader, writer, gatekeeper, clock

    def use(self, editions: Editions) -> None:
        """Go on with these rules."""
        self.editions = editions
        self._reads = Reads.of((edition.rule for edition in editions.every), editions.segments)

    def beside(self, edition: Edition) -> "Turn":
        """Return a turn with this one edition, on the same ground: runs of other rules stay as they are."""
        turn = Turn(self._reader, self._writer, self._gatekeeper, clock=self._clock)
        turn.use(self.editions.only(edition))
        return turn

    async def why_not(self, rule: Rule, profile: str, occasion: Occasion) -> str:
        """Return why this contact does not enter the rule now; empty: they would. Nothing is written."""
        now = self._clock()
        persons = await self._reader.persons([profile], Reads.of([rule]), now)
        for person in persons.values():
            entered = enter(rule, graph(rule.steps), person, occasion, control=self.editions.control)
            return entered.reason if isinstance(entered, Skipped) else ""
        return "nobody"

    @property
    def segments(self) -> Mapping[str, Expression]:
        """Return the segments that some rule watches."""
        return self.editions.segments

    async def work(self, news: Sequence[News]) -> Left:
        """Think about these contacts and commit what it comes to. Raises Unavailable: not all of it is committed.

        The same news may then be worked again: what was committed is not done twice.
        """
        left = list(news)
        nobody: tuple[News, ...] = ()
        idle: tuple[str, ...] = ()
        for _ in range(TRIES):
            if not left:
                break
            left, found = await self._once(left)
            nobody, idle = (*nobody, *found.nobody), (*idle, *found.idle)
        if left:
            log.warning("rules.contacts contended count=%d", len(left))
            if any(one.occasion for one in left):
                raise Unavailable("contacts changed faster than they could be thought of")
            # the others are looked at again when their leases run out; a schedule's contacts when its audience is walked on
        return Left(nobody, idle)

    async def _once(self, news: Sequence[News]) -> tuple[list[News], Left]:
        """Return the news of the contacts whose runs moved meanwhile, and what nothing can be done about."""
        editions, now = self.editions, self._clock()  # no other set before the commit
        persons = await self._reader.persons([one.profile for one in news], self._reads, now)
        ours = _by_person(news, persons)
        segments = {name: it for name, it in editions.segments.items() if name in self.baselined}
        thoughts = {id: _think(persons[id], editions, some, {}, segments) for id, some in ours.items()}
        for id, begun in (await self._begun(persons, thoughts, editions)).items():
            persons[id] = replace(persons[id], begun=begun)
            thoughts[id] = _think(persons[id], editions, ours[id], {}, segments)
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
            for who in {person.id for _, _, person in asked}:
                for ask in thoughts[who].asks:
                    outcomes[who].setdefault(ask.run.id, {}).update(answers.get(ask.run.id, {}))
                person, known = persons[who], outcomes[who]
                plain = answered(person, editions, thoughts[who], known)
                thoughts[who] = plain or _think(person, editions, ours[who], known, segments)
        again = await self._commit(persons, thoughts, outcomes, ours, editions)
        met = {one.profile for some in ours.values() for one in some}
        nobody = tuple(one for one in news if one.profile not in met)
        idle = tuple(one.run for who, some in ours.items() for one in some if one.run and _is_idle(one, thoughts[who]))
        return again, Left(nobody, idle)

    async def _begun(
        self, persons: Mapping[str, Person], thoughts: Mapping[str, Thought], editions: Editions
    ) -> Mapping[str, Mapping[str, str]]:
        """Return, of each contact, the runs that would begin now and began before: their key does so once and for all."""
        asked: dict[str, tuple[str, str]] = {}
        for who, thought in thoughts.items():
            for run in (move.run for move in thought.moves if move.run.version == 0 and move.run.key):
                rule = editions.rule_of(run)
                if rule and is_once(rule):
                    occasion = Occasion(run.occurrence, run.started_at, run.key)
                    names = (who, *persons[who].facts.profile.absorbed)
                    asked |= {name_of(rule, name, occasion): (who, run.id) for name in names}
        known: dict[str, dict[str, str]] = {}
        for stored, occurrence in (await self._reader.begun(asked) if asked else {}).items():
            who, id = asked[stored]
            known.setdefault(who, {})[id] = occurrence
        return known

    async def _commit(
        self,
        persons: Mapping[str, Person],
        thoughts: Mapping[str, Thought],
        outcomes: Mapping[str, Mapping[str, Mapping[str, Outcome]]],
        ours: Mapping[str, list[News]],
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
        offers = (self._offer(some) for some in _portions(works))
        again: list[News] = []
        for moved in await asyncio.gather(*offers, return_exceptions=True):
            if isinstance(moved, BaseException):
                raise moved
            again += [one for id in moved for one in ours[id]]
        return again

    async def _offer(self, works: Mapping[str, Work]) -> Sequence[str]:
        """Commit the works of these contacts and return those whose runs moved meanwhile."""
        try:
            done = await self._writer.commit(together(works))
        except Unavailable:
            raise  # nobody's oddity: whoever brought the news brings it again
        except Exception as error:  # noqa: BLE001 (one contact's oddity must not take others with it: each alone)
            if len(works) > 1:
                return [id for one, work in works.items() for id in await self._offer({one: work})]
            log.warning("rules.commit failed profile=%s error=%s", *works, type(error).__name__)
            return ()
        return done.changes.answer if isinstance(done, Done) else ()


def _is_idle(news: News, thought: Thought) -> bool:
    return all(move.run.id != news.run for move in thought.moves)


def _think(
    person: Person,
    editions: Editions,
    news: Iterable[News],
    outcomes: dict[str, dict[str, Outcome]],
    segments: Mapping[str, Expression],
) -> Thought:
    """Think about one contact, with what was answered so far."""
    news = tuple(news)
    return think(
        person,
        editions,
        [one.event for one in news if one.event],
        [one.occasion for one in news if one.occasion],
        outcomes,
        segments,
    )


def _by_person(news: Iterable[News], persons: dict[str, Person]) -> dict[str, list[News]]:
    """Return the news of each contact, under the profile that a merged one has become."""
    became = {old: person.id for person in persons.values() for old in (person.id, *person.facts.profile.absorbed)}
    found: dict[str, list[News]] = {}
    for one in news:
        if id := became.get(one.profile):
            found.setdefault(id, []).append(one)
    return found


def _portions(works: Mapping[str, Work]) -> Iterator[Mapping[str, Work]]:
    """Yield as many at a time as make one work."""
    left = iter(works.items())
    while some := dict(islice(left, IN_ONE_WORK)):
        yield some
