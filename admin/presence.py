"""Who is here: agents with an open page in whatever process, and which conversation each of them looks at.

Each process tells the others of its own visits (`told`), and takes in what they tell of theirs (`hear`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TYPING_FOR = timedelta(seconds=6)


@dataclass(eq=False, slots=True)
class Visit:
    """One open page of an agent."""

    agent: str
    session: str
    language: str = "en"
    looks_at: str | None = None
    typing_until: datetime | None = None


@dataclass(slots=True)
class Presence:
    """The visits of this process and of the others. Several pages of one agent count as one person."""

    visits: set[Visit] = field(default_factory=set)
    elsewhere: dict[str, tuple[Visit, ...]] = field(default_factory=dict)
    """process -> the visits there, as it told them last."""
    on_arrival: list[Callable[[], None]] = field(default_factory=list)
    """Called when an agent who was not here comes: the queue then gives out what waits."""

    def arrive(self, visit: Visit) -> bool:
        """Add a visit and return whether this agent had no page open in this process before."""
        is_new = visit.agent not in {one.agent for one in self.visits}
        self.visits.add(visit)
        if is_new:
            self.nudge()
        return is_new

    def nudge(self) -> None:
        """Say that somebody can take more: they came, or are back from away."""
        for call in self.on_arrival:
            call()

    def leave(self, visit: Visit) -> bool:
        """Remove a visit and return whether the agent is gone now."""
        self.visits.discard(visit)
        return visit.agent not in self.agents()

    def told(self) -> list[list[Any]]:
        """Return the visits of this process as the others are told of them."""
        return _as_told(self.visits)

    def hear(self, process: str, visits: list[list[Any]] | None) -> bool:
        """Take in what another process tells of its visits; None when it is gone. Return whether anything is new."""
        before = _as_told(self.elsewhere.pop(process, ()))
        if visits:
            self.elsewhere[process] = tuple(
                Visit(agent, "", looks_at=looks_at, typing_until=until) for agent, looks_at, until in visits
            )
        if visits is None:
            self.nudge()  # what it was about to give out is given out here
        return before != _as_told(self.elsewhere.get(process, ()))

    def agents(self) -> frozenset[str]:
        """Return the ids of the agents who are here."""
        return frozenset(visit.agent for visit in self._all())

    def at(self, conversation: str, now: datetime) -> Iterator[tuple[str, bool]]:
        """Yield (agent, is typing) once for each agent who looks at this conversation."""
        watching = [visit for visit in self._all() if visit.looks_at == conversation]
        for agent in sorted({visit.agent for visit in watching}):
            ends = [visit.typing_until for visit in watching if visit.agent == agent and visit.typing_until]
            yield agent, any(end > now for end in ends)

    def _all(self) -> Iterator[Visit]:
        yield from self.visits
        for visits in self.elsewhere.values():
            yield from visits


def _as_told(visits: Iterable[Visit]) -> list[list[Any]]:
    return sorted(([one.agent, one.looks_at, one.typing_until] for one in visits), key=str)
