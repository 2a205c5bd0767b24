"""Was anybody sent too much? A checker that is fed with what the askers were told, never with our own tables.

It sweeps a window over the times of the grants. A grant of which it is proved that nothing was sent (given back) does not count.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """What one asker was told: this contact may be sent this, since `at` (milliseconds)."""

    contact: str
    rid: str
    at: float
    channel: str
    topic: str


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many within so many milliseconds, over all or of one `channel` or `topic`."""

    at_most: int
    within: float
    scope: str = ""
    name: str = ""

    def counts(self, grant: Grant) -> bool:
        """Return whether this grant is one that the limit is about."""
        return not self.scope or getattr(grant, self.scope) == self.name


def overs(grants: Iterable[Grant], limits: Iterable[Limit]) -> int:
    """Return how many grants were one too many for their contact, over all limits."""
    known = list(set(grants))  # the same grant told twice is one grant
    return sum(_over(known, limit) for limit in limits)


def doubles(grants: Iterable[Grant]) -> int:
    """Return how often one intent was granted a second time to the same contact."""
    return sum(count - 1 for count in Counter((grant.contact, grant.rid) for grant in set(grants)).values())


def _over(grants: list[Grant], limit: Limit) -> int:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for grant in grants:
        if limit.counts(grant):
            times[grant.contact].append(grant.at)
    found = 0
    for of_one in times.values():
        window: deque[float] = deque()
        for at in sorted(of_one):
            while window and window[0] <= at - limit.within:
                window.popleft()
            window.append(at)
            found += len(window) > limit.at_most
    return found
