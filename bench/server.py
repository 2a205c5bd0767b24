"""A server under test as a process of its own: `python -m bench serve` reads its Order from stdin and says its port."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal, cast

from aiohttp import web

from bench.naive import ObviousWriter
from bench.seed import remember
from bench.under_test import serve_as_ordered, under_test
from bench.webhooks import SECRET
from bot.answering import BotOptions, answerer, load_brain
from causerie.app import CHANNELS, WRITER, build
from causerie.options import Options, ServerOptions
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
    """Within the block the server runs."""
    async with under_test("bench", "serve", order=asdict(order)) as (pid, port):
        yield Running(order.design, pid, port)


async def serve() -> None:
    """Be the server under test until stdin ends."""
    await serve_as_ordered(lambda order: _BUILDERS[order["design"]](Order(**order)))


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
