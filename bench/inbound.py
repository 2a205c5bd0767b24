"""How fast does a customer's message get onto the disk (and get its answer), against the obvious design in the same run?

Both servers run beside each other on one mongod, each on a database of its own, and take turns round by round, so that
whatever else the machine does meanwhile meets both. What counts: the ratios, and CPU per message.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from bench import commands, cpu, naive
from bench.audit import Audit, audit
from bench.bot_api import bot_api
from bench.database import driver, own_mongod
from bench.load import Result, drive
from bench.seed import seed
from bench.server import Design, Order, Running, running
from bench.settle import settle
from bench.webhooks import QUESTIONS, SMALL_TALK, Webhooks
from causerie.mongod import Mongod
from profiles import indexes

DESIGNS: tuple[Design, ...] = ("ours", "naive")
_SEARCHED = {"ours": indexes.INDEXES, "naive": naive.INDEXES}
REPEATED = 200  # requests posted a second time at the end, as a provider does that saw no answer
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much to measure."""

    clients: tuple[int, ...] = (1, 16, 128)
    rounds: int = 3
    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Round:
    """One design at one number of clients for some seconds."""

    design: Design
    clients: int
    per_second: float
    p50_ms: float
    p99_ms: float
    app_us: float
    db_us: float
    generator_us: float
    commands: float
    group: float
    """Messages per transaction; 1 for the control, which has none."""

    def __str__(self) -> str:
        return (
            f"{self.clients:4d} clients {self.design:5s} {self.per_second:7.0f} msg/s  p50 {self.p50_ms:6.1f}"
            f"  p99 {self.p99_ms:6.1f} ms  CPU us/msg app {self.app_us:5.0f} db {self.db_us:5.0f}"
            f" (generator {self.generator_us:.0f})  commands/msg {self.commands:.3f}  group {self.group:.0f}"
        )


@dataclass(slots=True)
class Study:
    """All rounds with conversations of one owner, and what was found in the databases afterwards."""

    owner: str
    rounds: list[Round] = field(default_factory=list)
    audits: dict[Design, Audit] = field(default_factory=dict)


async def study(owner: str, scale: Scale, *, folder: str = "") -> Study:
    """Return the measurements with conversations owned by `agent` or `bot`. Starts and stops all that it needs."""
    found = Study(owner)
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod(folder))
        client = await opened.enter_async_context(driver(database.url))
        api = await opened.enter_async_context(bot_api())
        benches: list[Bench] = []
        for design in DESIGNS:
            name = f"bench_{design}"
            await seed(client, database.url, name, owner=owner, indexes=_SEARCHED[design])
            server = await opened.enter_async_context(running(Order(design, database.url, name, api)))
            texts = QUESTIONS if owner == "bot" else SMALL_TALK
            benches.append(Bench(server, Webhooks(server.port, texts, seed=1), client, name, database))
        for clients in scale.clients:
            for bench in benches:
                await drive(bench.server.port, bench.webhooks, clients=clients, seconds=scale.seconds / 4)  # warm
            for _ in range(scale.rounds):
                for bench in benches:
                    one = await bench.round(clients, scale.seconds)
                    print(f"{owner:5s} {one}", flush=True)
                    found.rounds.append(one)
        for bench in benches:
            found.audits[bench.server.design] = await bench.audit(answered=owner == "bot")
    return found


@dataclass(slots=True)
class Bench:
    """One server under test, its traffic, its database."""

    server: Running
    webhooks: Webhooks
    client: AsyncIOMotorClient[Document]
    name: str
    mongod: Mongod

    async def round(self, clients: int, seconds: float) -> Round:
        """Measure one round, deliveries of its answers included."""
        before = await self._counted()
        result = await drive(self.server.port, self.webhooks, clients=clients, seconds=seconds)
        await settle(self.client[self.name])
        after = await self._counted()
        return _round(self.server.design, clients, result, before, after)

    async def audit(self, *, answered: bool) -> Audit:
        """Post some of the messages again, then look for everything that was sent in the database."""
        last = sorted(self.webhooks.sent)[-REPEATED:]
        again = iter(last)
        await drive(self.server.port, lambda: next((self.webhooks.again(one) for one in again), None), clients=16)
        await settle(self.client[self.name])
        return await audit(self.client[self.name], self.webhooks.sent, answered=answered)

    async def _counted(self) -> "_Counted":
        pid = self.mongod.pid
        assert pid
        return _Counted(
            cpu.seconds_of(self.server.pid), cpu.seconds_of(pid), await commands.counted(self.client)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Counted:
    app_seconds: float
    db_seconds: float
    commands: commands.Counts


def _round(design: Design, clients: int, result: Result, before: _Counted, after: _Counted) -> Round:
    if result.refused or not result.latencies:
        raise RuntimeError(f"{design} refused {result.refused} of {result.refused + len(result.latencies)} messages")
    count = len(result.latencies)
    ran = commands.between(before.commands, after.commands)
    return Round(
        design=design,
        clients=clients,
        per_second=result.per_second,
        p50_ms=result.percentile_ms(0.5),
        p99_ms=result.percentile_ms(0.99),
        app_us=(after.app_seconds - before.app_seconds) / count * 1e6,
        db_us=(after.db_seconds - before.db_seconds) / count * 1e6,
        generator_us=result.generator_cpu_seconds / count * 1e6,
        commands=sum(ran.values()) / count,
        group=count / ran.get("commitTransaction", count),
    )


def levels(found: Study, clients: Sequence[int]) -> list[dict[str, Any]]:
    """Return the medians of a study, one object per number of clients."""
    return [_level(found.rounds, number) for number in clients]


def _level(rounds: list[Round], clients: int) -> dict[str, Any]:
    ours, naive = ([one for one in rounds if (one.design, one.clients) == (design, clients)] for design in DESIGNS)

    def middle(of: list[Round], name: str) -> float:
        return float(median(getattr(one, name) for one in of))

    cost, control_cost = (median(one.app_us + one.db_us for one in of) for of in (ours, naive))
    return {
        "clients": clients,
        "ours": round(middle(ours, "per_second"), 1),
        "naive": round(middle(naive, "per_second"), 1),
        "ratio": round(middle(ours, "per_second") / middle(naive, "per_second"), 2),
        "p50_ms": round(middle(ours, "p50_ms"), 2),
        "p99_ms": round(middle(ours, "p99_ms"), 2),
        "naive_p50_ms": round(middle(naive, "p50_ms"), 2),
        "naive_p99_ms": round(middle(naive, "p99_ms"), 2),
        "app_us": round(middle(ours, "app_us")),
        "db_us": round(middle(ours, "db_us")),
        "naive_app_us": round(middle(naive, "app_us")),
        "naive_db_us": round(middle(naive, "db_us")),
        "cpu_ratio": round(control_cost / cost, 2) if cost else None,
        "commands_per_message": round(middle(ours, "commands"), 4),
        "naive_commands_per_message": round(middle(naive, "commands"), 3),
        "group": round(middle(ours, "group"), 1),
        "generator_us": round(middle(ours, "generator_us")),
    }
