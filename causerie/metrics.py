"""The figures of one process for Prometheus: what was committed, how large the groups are, what waits to be sent.

All are counted from what the writer announces and remembers, so no other part knows of them. Labels are names of channels and
states, never of persons. https://prometheus.io/docs/practices/naming/
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from channels.outbound import BackDoor
from channels.shedding import Shedding
from profiles.calendar import Clock
from profiles.neighbours import Neighbours
from profiles.plan import LEASE_FOR
from profiles.snapshot import Changes
from profiles.store import Store, Unavailable
from profiles.writer import Writer

GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 500)
QUEUE_WITHIN_SECONDS = 2.0
QUEUE_COUNTED_UP_TO = 10_000


class Metrics:
    """Counts while the server runs; `hear` is a listener of the writer, `exposition` is what Prometheus reads."""

    def __init__(self, store: Store, writer: Writer, back_door: BackDoor, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._registry = CollectorRegistry()
        self._messages = Counter(
            "causerie_messages", "Messages committed", ["direction", "channel"], registry=self._registry
        )
        self._deliveries = Counter(
            "causerie_deliveries", "Deliveries that reached a state", ["state"], registry=self._registry
        )
        self._events = Counter("causerie_events", "Events committed", ["name"], registry=self._registry)
        self._group = Histogram(
            "causerie_group_works", "Works in one commit", buckets=GROUP_SIZES, registry=self._registry
        )
        self._sockets = Gauge("causerie_sockets", "Sockets open now", ["kind"], registry=self._registry)
        self._queue = _Queue()
        self._registry.register(self._queue)
        self._registry.register(_Tallied(writer, back_door))

    def hear(self, changes: list[Changes]) -> None:
        """Count one committed group."""
        self._group.observe(len(changes))
        for change in changes:
            for message in change.messages:
                self._messages.labels(message.direction, message.channel).inc()
                if message.delivery:
                    self._deliveries.labels(message.delivery.state).inc()
            for amend in change.amends:
                if state := amend.put.get("delivery.state"):
                    self._deliveries.labels(str(state)).inc()
            if change.events:  # counted first: a label costs 10 us, and a batch has 500 events
                for name, number in Tally(_ours(event.name) for event in change.events).items():
                    self._events.labels(name).inc(number)

    def neighbours(self, neighbours: Neighbours) -> None:
        """Ask this, at each reading, how many processes share the database and what they told each other."""
        self._registry.register(_Company(neighbours))

    def shedding(self, gate: Shedding) -> None:
        """Ask this, at each reading, whether we shed, and how many were told to come back."""
        self._registry.register(_Shed(gate))

    def sockets(self, kind: str, count: Callable[[], int]) -> None:
        """Ask this, at each reading, how many sockets of a kind (`webchat`, `console`) are open."""
        self._sockets.labels(kind).set_function(count)

    async def exposition(self) -> bytes:
        """Return all figures as Prometheus text. Those of the queue are absent while the database does not answer."""
        try:
            async with asyncio.timeout(QUEUE_WITHIN_SECONDS):
                await self._look_at_the_queue()
        except (TimeoutError, Unavailable):
            self._queue.size = None
        return generate_latest(self._registry)

    async def _look_at_the_queue(self) -> None:
        """A delivery that is not finished has a lease; one that is planned for later has it in the future."""
        now = self._clock()
        waiting = {"delivery.lease_until": {"$lte": now + LEASE_FOR}}
        oldest = await self._store.find("messages", waiting, sort=[("delivery.lease_until", 1)], limit=1, only=["at"])
        self._queue.age = max((now - oldest[0]["at"]) if oldest else timedelta(0), timedelta(0))
        self._queue.size = await self._store.count("messages", waiting, at_most=QUEUE_COUNTED_UP_TO)


class _Queue(Collector):
    """Unfinished deliveries, as the last look found them."""

    def __init__(self) -> None:
        self.size: int | None = None
        self.age = timedelta(0)

    def collect(self) -> Iterator[Metric]:
        if self.size is not None:
            about = f"Deliveries not finished yet, counted up to {QUEUE_COUNTED_UP_TO}"
            yield GaugeMetricFamily("causerie_queue_deliveries", about, value=self.size)
            about = "Age of the delivery that waits longest"
            yield GaugeMetricFamily("causerie_queue_age_seconds", about, value=self.age.total_seconds())


class _Tallied(Collector):
    """What the writer and the back door count for themselves."""

    def __init__(self, writer: Writer, back_door: BackDoor) -> None:
        self._writer, self._back_door = writer, back_door

    def collect(self) -> Iterable[Metric]:
        tally = self._writer.tally
        yield CounterMetricFamily("causerie_commits", "Groups written", value=tally.groups)
        yield CounterMetricFamily("causerie_commit_works", "Works in those groups", value=tally.works)
        yield CounterMetricFamily("causerie_commit_seconds", "Time spent writing groups", value=tally.seconds)
        yield CounterMetricFamily("causerie_commit_conflicts", "Groups thought again", value=tally.conflicts)
        yield CounterMetricFamily("causerie_commit_failures", "Groups that failed", value=tally.failures)
        yield CounterMetricFamily("causerie_duplicates", "Works done before", value=tally.duplicates)
        yield GaugeMetricFamily("causerie_sending", "Deliveries in providers' hands now", value=self._back_door.sending)


class _Shed(Collector):
    """What the doors count for themselves."""

    def __init__(self, gate: Shedding) -> None:
        self._gate = gate

    def collect(self) -> Iterable[Metric]:
        gate = self._gate
        about = "Whether messages are refused because storing takes too long"
        yield GaugeMetricFamily("causerie_shedding", about, value=gate.is_on())
        yield CounterMetricFamily("causerie_shed", "Messages and events refused so", value=gate.load.refused)
        yield GaugeMetricFamily("causerie_arriving", "Messages and events being stored now", value=gate.load.under_way)


class _Company(Collector):
    """What the neighbours count for themselves."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    def collect(self) -> Iterable[Metric]:
        known = self._neighbours
        yield GaugeMetricFamily("causerie_processes", "Processes on this database", value=len(known.others) + 1)
        yield CounterMetricFamily("causerie_bulletins_told", "Bulletins given to other processes", value=known.told)
        yield CounterMetricFamily("causerie_bulletins_heard", "Bulletins of other processes", value=known.heard)
        about = "Times when something of another process may have been missed, and was read instead"
        yield CounterMetricFamily("causerie_bulletin_gaps", about, value=known.gaps)


def _ours(name: str) -> str:
    """Return the event's name if it is one of ours; names that API clients invent would make labels without end."""
    return name if name.split(".")[0] in ("conversation", "profile", "identity") else "other"
