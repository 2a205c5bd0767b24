"""What does a message on Telegram cost, to Telegram's answer? The channel, beside python-telegram-bot with its own transport.

Both post to the same stand-in for the Bot API, in turn, and every message must have been taken.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from bench import cpu, sink
from causerie.garbage import collect_seldom
from channels import telegram
from channels.channel import Door, Outbound, Sent
from profiles.calendar import utc_now
from profiles.secret import Secret
from profiles.timeline import Content

TOKEN = "1000000:benchbenchbenchbenchbench"  # noqa: S105 (nobody's)
AT_ONCE = 32
WANTED_CPU_US = 500  # what the issue asks
TEXT = "Bonjour Élodie, votre commande est partie ce matin. Elle arrive demain avant 18 h."
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way."""

    per_second: float
    cpu_us: float


async def report(messages: int, rounds: int) -> dict[str, Any]:
    """Measure and return the figures; `messages` in each round of ours, a quarter of them in the control's."""
    async with sink.running("bench.telegram_sink") as port, contextlib.AsyncExitStack() as opened:
        api = f"http://127.0.0.1:{port}"
        channel = await telegram.connect(_options(api), _door())
        opened.push_async_callback(channel.close)
        bot = await _library(api, opened)
        collect_seldom()  # as the server does when it is ready

        async def ours() -> None:
            number = next(_numbers)
            id = f"rule:{number:030x}"
            outcome = await channel.send(
                Outbound(id, str(number), Content(TEXT), f"telegram:{number}", 1, at=utc_now())
            )
            assert isinstance(outcome, Sent), outcome

        async def control() -> None:
            await bot.send_message(next(_numbers), TEXT)

        found: dict[str, list[Round]] = {"ours": [], "control": []}
        counts = {"ours": messages, "control": max(messages // 4, 1)}
        await asyncio.gather(*(way() for way in (ours, control) for _ in range(AT_ONCE)))  # connections are made once
        before = await sink.taken(api)
        for _ in range(rounds):  # in turn, so that a busy machine is busy for both
            for name, way in (("ours", ours), ("control", control)):
                found[name].append(await _measured(way, counts[name]))
        taken = await sink.taken(api) - before
    figures: dict[str, Any] = {"messages": messages, "machine": cpu.machine()}
    for name, measured in found.items():
        figures[f"{name}_per_second"] = round(median(one.per_second for one in measured))
        figures[f"{name}_cpu_us"] = round(median(one.cpu_us for one in measured))
    figures["cpu_ratio"] = round(figures["control_cpu_us"] / figures["ours_cpu_us"], 1)
    figures["nothing_lost"] = taken == rounds * sum(counts.values())
    figures["cheap_enough"] = figures["ours_cpu_us"] <= WANTED_CPU_US
    return figures


async def _measured(way: Callable[[], Awaitable[None]], messages: int) -> Round:
    left = iter(range(messages))

    async def work() -> None:
        for _ in left:
            await way()

    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return Round(messages / (time.perf_counter() - began), (time.process_time() - spent) / messages * 1e6)


def _options(api: str) -> telegram.Options:
    return telegram.Options(enabled=True, token=Secret(TOKEN), webhook=True, api_url=api)


def _door() -> Door:
    """Return a door without a database: with a webhook the channel asks it for nothing before a message comes in."""
    nothing = cast(Any, None)
    writer = cast(Any, SimpleNamespace(process="bench"))
    return Door(nothing, "https://crm.shop.example", utc_now, nothing, writer, nothing, b"s" * 32)


async def _library(api: str, opened: contextlib.AsyncExitStack) -> Any:
    """Return the library's bot as its manual makes one, with connections enough for all who ask at once."""
    import telegram as ptb  # the peer
    from telegram.request import HTTPXRequest

    bot = ptb.Bot(TOKEN, base_url=f"{api}/bot", request=HTTPXRequest(connection_pool_size=AT_ONCE, pool_timeout=60))
    return await opened.enter_async_context(bot)
