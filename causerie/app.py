"""The one place that knows everybody: every part is named once here, top to bottom, and nothing registers itself."""

import logging
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from admin.api import api
from admin.api_docs import docs
from admin.centre import Centre
from admin.codes import Codes
from admin.desk import Desk
from admin.desk import Options as ConsoleOptions
from admin.links import link_routes
from admin.live import LIVE
from admin.one_click import unsubscribing
from admin.preferences import preferences
from admin.routes import routes as console
from admin.tracker import TrackerOptions, tracker_routes
from bot.answering import BotOptions, answerer, copy_of, folder_of, semantic_of
from bot.idle import IdleReturn
from bot.live import LiveBrain, load_live
from bot.llm_options import LlmOptions
from bot.minds import drafting, mind_of
from bot.outside import Outside
from bot.rasa_routes import routes as rasa_routes
from bot.reminders import Reminders
from bot.remote_actions import performer
from bot.workshop import Workshop
from causerie.health import Health, health_routes
from channels import house
from channels.channel import Channel, Door, Limits
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from channels.sweeper import Sweeper
from channels.webchat import Options as WebchatOptions
from channels.webchat import Webchat
from profiles.calendar import Clock, utc_now
from profiles.consents import Consents
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.permits import Permits
from profiles.personal_links import PersonalLinks
from profiles.store import Store, Unavailable
from profiles.writer import Writer
from rules.choice import most_reactive
from rules.errands import Errands
from rules.options import RulesOptions
from rules.policy import Reach
from rules.running import Running, open_rules
from rules.schema_routes import schema_routes
from rules.tracking import Tracker

log = logging.getLogger("causerie.app")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where the server listens and who it serves."""

    host: str = field(default="127.0.0.1", metadata={"about": "address to listen on"})
    port: int = field(default=8080, metadata={"about": "port to listen on"})
    public_url: str = field(
        default="", metadata={"about": "how the world reaches this server, https://...; empty: http://host:port"}
    )
    language: str = field(default="fr", metadata={"about": "language to speak until a person's own is known: fr or en"})
    country: str = field(
        default="FR", metadata={"about": "where phone numbers without a country code belong (ISO 3166)"}
    )
    log_level: str = field(default="INFO", metadata={"about": "DEBUG, INFO, WARNING or ERROR"})


@dataclass(frozen=True, slots=True)
class Options:
    """The whole configuration, as far as the parts need it."""

    server: ServerOptions = ServerOptions()
    bot: BotOptions = BotOptions()
    llm: LlmOptions = LlmOptions()
    rules: RulesOptions = RulesOptions()
    console: ConsoleOptions = ConsoleOptions()
    tracker: TrackerOptions = TrackerOptions()
    channels: Mapping[str, Any] = field(default_factory=dict)
    database: str = "causerie"
    models: Path | None = None
    """Folder where trained models are kept; None: every start trains."""
    edits: Path | None = None
    """Folder of the copies that people change through the console where a bot's own folder is not to be written."""


STORE = web.AppKey("store", Store)
WRITER = web.AppKey("writer", Writer)
BRAIN = web.AppKey("brain", LiveBrain)
DESK = web.AppKey("desk", Desk)
LEDGERS = web.AppKey("ledgers", Ledgers)
CONSENTS = web.AppKey("consents", Consents)
CHANNELS: web.AppKey[dict[str, Channel]] = web.AppKey("channels", dict)
RULES = web.AppKey("rules", Running)
LISTENING = web.AppKey("listening", AsyncExitStack)
CLOSE = web.AppKey("close", AsyncExitStack)


async def build(options: Options, database_url: str, *, clock: Clock = utc_now) -> web.Application:
    """Return the whole server over this database, its tasks running; its cleanup closes all that was opened.

    Raises what a part raises that can not start (a bot's ContentErrors, a channel's wrong token), closing the others first.
    """
    process = secrets.token_hex(6)
    server = options.server
    public_url = (server.public_url or f"http://{server.host}:{server.port}").rstrip("/")
    async with AsyncExitStack() as opened:
        store = Store(database_url, options.database)
        opened.push_async_callback(store.close)
        await store.prepare(INDEXES)
        secret = await _signing_secret(store)
        personal = PersonalLinks(secret, public_url)

        writer = Writer(store, process=process, clock=clock)
        opened.push_async_callback(writer.close)  # closed last but one: whoever closes before may still write
        feed = Feed()
        writer.listen(feed.announce)

        brain = load_live(
            folder_of(options.bot, options.edits), options.models, semantic=semantic_of(options.bot), clock=clock
        )
        opened.push_async_callback(brain.close)
        mind = mind_of(options.bot, brain, options.llm, store, clock)
        opened.push_async_callback(mind.close)
        channels: dict[str, Channel] = {}
        limits: dict[str, Limits] = {}
        front_door = FrontDoor(
            writer,
            store,
            answer=answerer(mind, one_conversation=options.bot.one_conversation),
            limits=limits,
            country=server.country,
            language=server.language,
            page=personal.preferences,
        )
        opened.push_async_callback(front_door.close)
        ledgers = Ledgers(store)
        permits = Permits(store, ledgers, clock=clock)
        consents = Consents(store, ledgers, permits)
        opened.push_async_callback(permits.close)  # after the back door: it still settles
        back_door = BackDoor(channels, writer, clock=clock, permits=permits)
        sweeper = Sweeper(store, back_door, process=process, clock=clock)
        opened.push_async_callback(sweeper.close)  # after the back door: while it sends, our pulse says so
        opened.push_async_callback(back_door.close)
        writer.listen(back_door.take)

        door = Door(front_door.receive, public_url, clock, store, writer, feed, secret, server.country)
        channels.update(await house.connect(options.channels, door))
        listening = await opened.enter_async_context(AsyncExitStack())
        for channel in channels.values():
            listening.push_async_callback(channel.close)
            limits[channel.name] = channel.limits

        actions = performer(options.bot)
        opened.push_async_callback(actions.close)
        outside = Outside(mind, actions, writer, store, clock=clock, one_conversation=options.bot.one_conversation)
        opened.push_async_callback(outside.close)
        writer.listen(outside.hear)
        await outside.start()
        idle = IdleReturn(writer, store, after=timedelta(minutes=options.bot.idle_minutes), clock=clock)
        opened.push_async_callback(idle.close)
        await idle.start()
        reminders = Reminders(brain, actions, writer, store, clock=clock)
        opened.push_async_callback(reminders.close)
        await reminders.start()
        await sweeper.start()
        reaches = [Reach(channel.name, channel.space, channel.limits.threads) for channel in channels.values()]
        rules = await open_rules(
            store, writer, reaches, most_reactive, options.rules, language=server.language, clock=clock,
            tracker=Tracker(public_url, secret), personal=personal, words=house.words(),
        )  # fmt: skip
        opened.push_async_callback(rules.close)
        await rules.start()
        errands = Errands(store, options.rules, clock=clock)
        opened.push_async_callback(errands.close)
        await errands.start()
        await brain.start()

        workshop = Workshop(
            store, brain, copy=copy_of(options.bot, options.edits), is_shipped=not options.bot.folder, clock=clock
        )
        opened.push_async_callback(workshop.close)
        drafts = drafting(options.llm, mind, brain, store, clock)
        if drafts is not None and drafts is not mind:
            opened.push_async_callback(drafts.close)
        if options.bot.brain == "embedded":
            await workshop.start()

        desk = Desk(
            store, writer, feed, clock, secret, public_url, channels, options.console, country=server.country,
            workshop=workshop if options.bot.brain == "embedded" else None, drafts=drafts,
            rules=rules, consents=consents,
        )  # fmt: skip
        app = web.Application(middlewares=[_refusals])
        app[LEDGERS], app[CONSENTS] = ledgers, consents
        app[STORE], app[WRITER], app[DESK], app[CHANNELS], app[BRAIN] = store, writer, desk, channels, brain
        for channel in channels.values():
            app.add_subapp(f"/channels/{channel.name}", _mounted(channel))
        pages = console(desk)
        app.add_subapp("/console", pages)
        app.add_subapp("/api/v1", api(desk))
        app.add_subapp("/api/docs", docs(desk))
        app[RULES] = rules
        app.add_routes(rasa_routes(brain, actions, store, writer, token=options.bot.endpoint_token, clock=clock))
        health = Health(store, writer, back_door)
        for channel in channels.values():
            if isinstance(channel, Webchat):
                health.metrics.sockets(channel.name, channel.open_sockets)
        health.metrics.sockets("console", lambda: len(pages[LIVE].pages))
        app.add_routes(health_routes(health))
        app.add_routes(schema_routes())
        centre = Centre(
            store, writer, clock, personal, consents, ledgers, policy=lambda: rules.bookcase.book.policy,
            words=lambda: rules.bookcase.book.words, is_https=desk.is_https, proxies=_proxies(options),
        )  # fmt: skip
        app.add_subapp("/p", preferences(centre))
        app.add_subapp("/u", unsubscribing(centre))
        app.add_routes(link_routes(store, writer, secret, clock))
        codes = Codes(store, writer, public_url, clock=clock)
        opened.push_async_callback(codes.close)
        writer.listen(codes.hear)
        vouched = tuple(
            one.identity_secret.reveal() for one in options.channels.values() if isinstance(one, WebchatOptions)
        )
        app.add_routes(codes.routes())
        app.add_routes(tracker_routes(desk, options.tracker, identity_secrets=vouched, proxies=_proxies(options)))
        app.router.add_get("/", _home)

        app[LISTENING], app[CLOSE] = listening, opened.pop_all()
        app.on_shutdown.append(_stop_listening)
        app.on_cleanup.append(_close)
    return app


async def _signing_secret(store: Store) -> bytes:
    """Return this installation's own secret: made once, kept in the database, the same in every process."""
    fresh = {"$setOnInsert": {"value": secrets.token_bytes(32)}}
    document = await store.change("settings", {"_id": "secret"}, fresh, upsert=True)
    assert document
    return bytes(document["value"])


def _proxies(options: Options) -> int:
    """Return how many proxies of our own stand before us, as the web chat is told."""
    return max((getattr(one, "proxies", 0) for one in options.channels.values()), default=0)


def _mounted(channel: Channel) -> web.Application:
    routes = web.Application()
    routes.add_routes(channel.routes())
    return routes


async def _stop_listening(app: web.Application) -> None:
    """Before open requests are waited for: sockets are told to come back later, pollers and sessions end."""
    await app[LISTENING].aclose()


async def _close(app: web.Application) -> None:
    await app[CLOSE].aclose()


async def _home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/console")


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What no route answered: a database that does not confirm is 503 and worth repeating; a mistake of ours is a bare 500."""
    try:
        return await handler(request)
    except Unavailable as error:
        log.warning("http.unavailable path=%s reason=%s", _place(request), error)
        return web.json_response({"error": "unavailable"}, status=503, headers={"Retry-After": "2"})
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 (the last edge: nothing of the error may reach the outside)
        log.error("http.broke path=%s error=%s", _place(request), type(error).__name__, exc_info=error)
        return web.json_response({"error": "internal"}, status=500)


def _place(request: web.Request) -> str:
    """Return the route, not the path: a path may hold ids and tokens."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "-"
