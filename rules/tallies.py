"""How often a rule sent, waited or did not send, and why: its decisions counted, by their codes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from profiles.store import Store
from rules.applying import DECISIONS

WAITING = frozenset({"held", "quiet", "window", "best_hour", "not_yet_valid", "complaints", "contended"})
"""Words of codes that tell that a message waits."""
ENDED = frozenset({"exit", "restarted", "edited", "goal", "superseded"})
"""Words of codes that tell why a contact left a rule, not why a message did not go out."""
FULL = frozenset({"capped", "grace"})


@dataclass(frozen=True, slots=True)
class Tally:
    """One rule's decisions. Reasons are codes without what changes from one contact to the next, the most frequent first."""

    sent: int = 0
    ghosts: int = 0
    """What would have been sent to those held out."""
    waited: tuple[tuple[str, int], ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
    ended: tuple[tuple[str, int], ...] = ()

    @property
    def held(self) -> int:
        """Return how many decisions were to wait."""
        return sum(number for _, number in self.waited)

    @property
    def skipped(self) -> int:
        """Return how many were not to send."""
        return sum(number for _, number in self.refused)

    @property
    def full(self) -> int:
        """Return how many messages a limit stood against."""
        return sum(number for code, number in self.refused if word_of(code) in FULL)

    @property
    def starved(self) -> float:
        """Return the share, 0 to 1, of what wanted to go out that a limit stopped."""
        return self.full / (self.full + self.sent) if self.full else 0.0


@dataclass(slots=True)
class _Counting:
    sent: int = 0
    ghosts: int = 0
    waited: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, number: int) -> None:
        word, code = word_of(reason), code_of(reason)
        if reason == "sent":
            self.sent += number
        elif word == "holdout":
            self.ghosts += number
        elif word in WAITING:
            self.waited[code] += number
        elif word in ENDED:
            self.ended[code] += number
        else:
            self.refused[code] += number


async def tallies(store: Store, rules: Iterable[str], since: datetime) -> Mapping[str, Tally]:
    """Return what these rules decided since an instant; a rule without decisions has an empty tally. Raises Unavailable."""
    wanted = list(rules)
    rows = await store.aggregate(
        DECISIONS,
        [
            {"$match": {"rule": {"$in": wanted}, "at": {"$gte": since}}},
            {"$group": {"_id": {"rule": "$rule", "reason": "$reason"}, "n": {"$sum": 1}}},
        ],
    )
    counted: defaultdict[str, _Counting] = defaultdict(_Counting)
    for row in rows:
        counted[row["_id"]["rule"]].add(str(row["_id"]["reason"]), int(row["n"]))
    return {rule: _tally(counted[rule]) for rule in wanted}


def word_of(code: str) -> str:
    """Return the first word of a code: capped of capped:label:promo, quiet of quiet->09:00."""
    return code.partition("->")[0].partition(":")[0]


def code_of(code: str) -> str:
    """Return a code without the hour until which it waits, which is another for each contact."""
    return code.partition("->")[0]


def _tally(found: _Counting) -> Tally:
    waited, refused, ended = map(_ordered, (found.waited, found.refused, found.ended))
    return Tally(found.sent, found.ghosts, waited, refused, ended)


def _ordered(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent first; equals by name, for the database gives groups in no order."""
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
