"""A server under test as a process of its own: `python -m bench serve` reads its Order from stdin and says its port."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal, cast

from aiohttp import web

from bench.naive import ObviousWriter
from bench.seed import remember
from bench.webhooks import SECRET
from bot.answering import BotOptions, answerer, load_brain
from causerie.app import CHANNELS, WRITER, build
from causerie.garbage import collect_seldom
from causerie.options import Options, ServerOptions
from causerie.threads import switch_soon
from channels import telegram
from channels.channel import Channel, Door, Limits, Outbound, Sending, Sent
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from profiles.calendar import utc_now
from profiles.live import Feed
from profiles.secret import Secret
from profiles.store import Store
from profiles.writer import Writer

Design = Literal["ours", "naive"]
LAUNCH = (sys.executable, "-m", "bench")
READY_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a server under test is to be."""

    design: Design
    url: str
    database: str
    bot_api: str
    """Where the stand-in for Telegram answers."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server under test that is ready."""

    design: Design
    pid: int
    port: int


@asynccontextmanager
async def running(order: Order) -> AsyncIterator[Running]:
    """Within the block the server runs. The order goes over stdin: it holds the database's password."""
    process = await asyncio.create_subprocess_exec(
        *LAUNCH, "serve", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server under test ({order.design}) did not start; see its error above")
        yield Running(order.design, process.pid, int(line))
    finally:
        process.stdin.close()  # the sign to stop
        try:
            async with asyncio.timeout(STOPS_WITHIN_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def serve() -> None:
    """Be the server under test until stdin ends."""
    loop = asyncio.get_running_loop()
    order = Order(**json.loads(await loop.run_in_executor(None, sys.stdin.readline)))
    app = await _BUILDERS[order.design](order)
    collect_seldom()  # as `causerie serve` does, for the control too
    switch_soon()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


async def _ours(order: Order) -> web.Application:
    """Return the product as causerie.app builds it; only the last step, the call to Telegram, is left out."""
    options = Options(
        server=ServerOptions(public_url="https://bench.example"),
        bot=BotOptions(idle_minutes=0),  # the seeded conversations stay with their agent
        channels={"telegram": _telegram(order)},
        database=order.database,
    )
    app = await build(options, order.url)
    app[CHANNELS]["telegram"] = cast(Channel, _Swallowing(app[CHANNELS]["telegram"]))
    await remember(app[WRITER].recent)
    return app


async def _naive(order: Order) -> web.Application:
    """Return the same parts around the control's writer."""
    store = Store(order.url, order.database)
    obvious = ObviousWriter(store)
    await remember(obvious.recent, addresses_only=True)
    writer = cast(Writer, obvious)
    limits: dict[str, Limits] = {}
    channels: dict[str, Channel] = {}
    # the obvious design writes the profile with every message
    front_door = FrontDoor(writer, store, answer=answerer(load_brain(BotOptions())), limits=limits, lag=timedelta())
    back_door = BackDoor(channels, writer, clock=utc_now)
    obvious.listen(back_door.take)
    door = Door(front_door.receive, "https://bench.example", utc_now, store, writer, Feed())
    channel = await telegram.connect(_telegram(order), door)
    limits[channel.name] = channel.limits
    channels[channel.name] = cast(Channel, _Swallowing(channel))
    app, mounted = web.Application(), web.Application()
    mounted.add_routes(channel.routes())
    app.add_subapp(f"/channels/{channel.name}", mounted)

    async def close(_: web.Application) -> None:
        await channel.close()
        await back_door.close()
        await store.close()

    app.on_cleanup.append(close)
    return app


_BUILDERS: dict[str, Callable[[Order], Awaitable[web.Application]]] = {"ours": _ours, "naive": _naive}


def _telegram(order: Order) -> telegram.Options:
    return telegram.Options(
        enabled=True,
        token=Secret("1000000:benchbenchbenchbenchbench"),
        webhook=True,
        secret_token=Secret(SECRET),
        api_url=order.bot_api,
    )


class _Swallowing:
    """The channel, but whatever it is given to send counts as sent: no provider's limits, no provider's time."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.name, self.space = channel.name, channel.space
        self.limits = replace(channel.limits, per_second=0, per_person_second=0, at_once=100_000)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def send(self, outbound: Outbound) -> Sending:
        return Sent(outbound.id)
