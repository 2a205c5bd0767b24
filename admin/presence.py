"""Who is here: agents with an open page in this process, and which conversation each of them looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
    """The visits of this process. Several pages of one agent count as one person."""

    visits: set[Visit] = field(default_factory=set)
    on_arrival: list[Callable[[], None]] = field(default_factory=list)
    """Called when an agent who was not here comes: the queue then gives out what waits."""

    def arrive(self, visit: Visit) -> bool:
        """Add a visit and return whether this agent was not here before."""
        is_new = visit.agent not in self.agents()
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

    def agents(self) -> frozenset[str]:
        """Return the ids of the agents who are here."""
        return frozenset(visit.agent for visit in self.visits)

    def at(self, conversation: str, now: datetime) -> Iterator[tuple[str, bool]]:
        """Yield (agent, is typing) once for each agent who looks at this conversation."""
        watching = [visit for visit in self.visits if visit.looks_at == conversation]
        for agent in sorted({visit.agent for visit in watching}):
            ends = [visit.typing_until for visit in watching if visit.agent == agent and visit.typing_until]
            yield agent, any(end > now for end in ends)
