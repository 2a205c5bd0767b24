"""The one place that knows everybody: its parts are opened (causerie/parts.py) and shown to the world (causerie/site.py)."""

from contextlib import AsyncExitStack

from aiohttp import web

from admin.desk import Desk
from bot.live import LiveBrain
from causerie.contents import Content
from causerie.ground import GROUND
from causerie.health import Health
from causerie.options import Options
from causerie.parts import open_parts
from causerie.site import site
from channels.channel import Channel
from profiles.calendar import Clock, utc_now
from profiles.consents import Consents
from profiles.ledgers import Ledgers
from profiles.store import Store
from profiles.writer import Writer
from rules.running import Running

STORE = web.AppKey("store", Store)
WRITER = web.AppKey("writer", Writer)
BRAIN = web.AppKey("brain", LiveBrain)
DESK = web.AppKey("desk", Desk)
LEDGERS = web.AppKey("ledgers", Ledgers)
CONSENTS = web.AppKey("consents", Consents)
CHANNELS: web.AppKey[dict[str, Channel]] = web.AppKey("channels", dict)
RULES = web.AppKey("rules", Running)
HEALTH = web.AppKey("health", Health)
LISTENING = web.AppKey("listening", AsyncExitStack)
CLOSE = web.AppKey("close", AsyncExitStack)


async def build(
    options: Options, database_url: str, *, clock: Clock = utc_now, content: Content | None = None
) -> web.Application:
    """Return the whole server over this database, its tasks running; its cleanup closes all that was opened.

    `content` was read before of the same options; None: it is read now.
    Raises what a part raises that can not start (a bot's ContentErrors, a channel's wrong token), closing the others first.
    """
    async with AsyncExitStack() as opened:
        parts = await open_parts(options, database_url, clock, opened, content)
        app, desk, health = site(options, parts, opened)
        app[HEALTH] = health
        app[DESK], app[RULES], app[BRAIN] = desk, parts.rules, parts.bot.brain
        app[GROUND] = parts.ground
        app[STORE], app[WRITER], app[CHANNELS] = parts.ground.store, parts.ground.writer, parts.doors.channels
        app[LEDGERS], app[CONSENTS] = parts.doors.ledgers, parts.doors.consents
        app[LISTENING], app[CLOSE] = parts.doors.listening, opened.pop_all()
    app.on_shutdown.append(_stop_listening)
    app.on_cleanup.append(_close)
    return app


async def _stop_listening(app: web.Application) -> None:
    """Before open requests are waited for: sockets are told to come back later, pollers and sessions end."""
    await app[LISTENING].aclose()


async def _close(app: web.Application) -> None:
    await app[CLOSE].aclose()
