"""How fast each recipient's domain takes our mail: learned by adding a little while it goes well, and halving at once when not.

The way TCP shares a line (AIMD). Each domain has a window of mails under way, a rate once it has complained, and a rest after a
complaint that doubles while complaints go on. One slow domain holds up nobody else: who would wait long comes back later. Pure
but for waiting; all instants are of the loop's clock.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

FIRST_WINDOW = 4.0
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 3_600.0
SLOWEST = 1 / 60  # a mail a minute
RECENT = 20  # mails by which the rate is measured when a domain complains first
RATE_GROWTH = 0.5  # mails a second, added for each second without complaint
PATIENCE_SECONDS = 2.0
DOMAINS_REMEMBERED = 10_000
COME_BACK_SECONDS = 61.0  # longer than what the back door waits out itself, so that it holds no place


@dataclass(slots=True)
class Domain:
    """What is known of one domain."""

    window: float = FIRST_WINDOW
    rate: float = 0.0
    """Mails a second; 0: it never complained."""
    under_way: int = 0
    next_at: float = 0.0
    rests_until: float = 0.0
    rest: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return how many seconds until the next mail may begin, as far as rate and rest say."""
        return max(self.rests_until - now, self.next_at - now, 0.0)

    def begin(self, now: float) -> None:
        """Count a mail that begins."""
        self.under_way += 1
        self.recent.append(now)
        if self.rate:
            self.next_at = max(now, self.next_at) + 1 / self.rate

    def went_well(self, most: float) -> None:
        """Grow: one more at once for each window that went well, half a mail a second more for each second."""
        self.window = min(self.window + 1 / self.window, most)
        self.rest = 0.0
        if self.rate:
            self.rate += RATE_GROWTH / self.rate

    def complained(self, now: float) -> None:
        """Halve the window and the rate, and rest. What was under way when it complained counts as one complaint."""
        if now < self.rests_until:
            return
        self.window = max(self.window / 2, 1.0)
        spent = now - self.recent[0] if self.recent else 0.0
        measured = len(self.recent) / spent if spent > 0 else 1.0
        self.rate = max((self.rate or measured) / 2, SLOWEST)
        self.rest = min(self.rest * 2 or FIRST_REST_SECONDS, LONGEST_REST_SECONDS)
        self.rests_until = now + self.rest


class Domains:
    """All domains, those written to longest ago forgotten first. `most`: mails under way to one domain at once."""

    def __init__(self, most: int) -> None:
        self._most = float(max(most, 1))
        self._known: OrderedDict[str, Domain] = OrderedDict()

    def of(self, name: str) -> Domain:
        """Return what is known of this domain."""
        domain = self._known.get(name)
        if domain is None:
            domain = self._known[name] = Domain(window=min(FIRST_WINDOW, self._most))
            if len(self._known) > DOMAINS_REMEMBERED:
                self._forget()
        else:
            self._known.move_to_end(name)
        return domain

    async def enter(self, name: str) -> float:
        """Return 0 when this mail may begin now (then `leave` must follow), else how many seconds later to come back."""
        domain, loop = self.of(name), asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            now = loop.time()
            wait = domain.wait(now)
            if now + wait > until:
                return max(wait, COME_BACK_SECONDS)
            if wait:
                await asyncio.sleep(wait)
            elif domain.under_way < int(domain.window):
                domain.begin(now)
                return 0.0
            else:
                await _place(domain, until - now)
                if loop.time() >= until:
                    return COME_BACK_SECONDS

    def leave(self, name: str, *, slows: bool, took: bool) -> None:
        """Count a mail that ended: `slows` when the domain asked for less, `took` when it took it."""
        domain = self.of(name)
        domain.under_way = max(domain.under_way - 1, 0)
        if slows:
            domain.complained(asyncio.get_running_loop().time())
        elif took:
            domain.went_well(self._most)
        free = int(domain.window) - domain.under_way
        while free > 0 and domain.waiting:
            first = domain.waiting.popleft()
            if not first.done():
                first.set_result(None)
                free -= 1

    def _forget(self) -> None:
        idle = (name for name, domain in self._known.items() if not domain.under_way and not domain.waiting)
        if (oldest := next(idle, None)) is not None:
            del self._known[oldest]


async def _place(domain: Domain, seconds: float) -> None:
    """Wait until a mail to this domain has ended, or the time is over."""
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    domain.waiting.append(turn)
    try:
        await asyncio.wait([turn], timeout=max(seconds, 0.0))
    finally:
        turn.cancel()
