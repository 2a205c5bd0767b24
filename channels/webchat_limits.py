"""How much one browser, one visitor and one address of the internet may ask of us."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address

from aiohttp import web

Seconds = Callable[[], float]
"""A clock that never goes back, such as the event loop's."""


class Bucket:
    """A token bucket: so many at once, so many a second in the long run."""

    __slots__ = ("_burst", "_full_at", "_per_second")

    def __init__(self, *, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._full_at = 0.0

    def take(self, now: float, amount: float = 1.0) -> float:
        """Take this much and return 0.0; or take nothing and return after how many seconds it may be tried again."""
        begins = max(self._full_at, now)
        missing = begins + (amount - self._burst) / self._per_second - now
        if missing > 1e-9:
            return missing
        self._full_at = begins + amount / self._per_second
        return 0.0

    def give_back(self, amount: float = 1.0) -> None:
        """Undo a take of this much."""
        self._full_at -= amount / self._per_second

    def is_full(self, now: float) -> bool:
        """Return whether nothing was taken lately, so that the bucket may be forgotten."""
        return self._full_at <= now


class Buckets:
    """One bucket per key, remembering only those that were used lately."""

    def __init__(self, *, per_second: float, burst: float, remembered: int = 50_000) -> None:
        self._per_second, self._burst, self._remembered = per_second, burst, remembered
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, now: float, amount: float = 1.0) -> float:
        """Take from this key's bucket; see Bucket.take."""
        bucket = self._buckets.pop(key, None) or Bucket(per_second=self._per_second, burst=self._burst)
        self._buckets[key] = bucket
        while len(self._buckets) > self._remembered or next(iter(self._buckets.values())).is_full(now):
            if len(self._buckets) == 1:
                break
            self._buckets.popitem(last=False)
        return bucket.take(now, amount)

    def give_back(self, key: str, amount: float = 1.0) -> None:
        """Undo a take from this key's bucket."""
        if bucket := self._buckets.get(key):
            bucket.give_back(amount)


class Places:
    """At most so many at once per key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    @contextmanager
    def place(self, key: str) -> Iterator[bool]:
        """Hold a place within the block; gives False, and holds none, when all of this key's are taken."""
        if not self.take(key):
            yield False
            return
        try:
            yield True
        finally:
            self.leave(key)

    def take(self, key: str) -> bool:
        """Return whether there was a place, which is this key's now until it leaves."""
        taken = self._taken.get(key, 0)
        if taken >= self._most:
            return False
        self._taken[key] = taken + 1
        return True

    def leave(self, key: str) -> None:
        """Give one place back."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]


def caller(request: web.Request, proxies: int) -> str:
    """Return the internet address that asks: the one that the outermost of our own `proxies` saw.

    Each proxy adds whom it saw at the end of X-Forwarded-For; what stands further left is the caller's own invention.
    """
    seen = [part.strip() for value in request.headers.getall("X-Forwarded-For", []) for part in value.split(",")]
    if 0 < proxies <= len(seen):
        return _without_port(seen[-proxies])
    return request.remote or ""


def counted(request: web.Request, proxies: int) -> str:
    """Return what a request is counted under where we count by internet address."""
    return line_of(caller(request, proxies))


def line_of(address: str) -> str:
    """Return the address, of IPv6 its first 64 bits: one line has all that begin so, and may come from another each time."""
    if ":" not in address:
        return address
    try:
        ip = IPv6Address(address)
    except ValueError:
        return address
    return str(ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64))


def _without_port(seen: str) -> str:
    """Return the address alone: some proxies write 9.9.9.9:51234 and [2001:db8::1]:443."""
    if seen.startswith("["):
        return seen[1:].partition("]")[0]
    return seen.partition(":")[0] if seen.count(":") == 1 else seen
