"""What the server shows the world: every route, mounted over the parts that answer it."""

import logging
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.typedefs import Handler

from admin.api import api
from admin.api_docs import docs
from admin.centre import Centre
from admin.codes import Codes
from admin.desk import Desk
from admin.links import link_routes
from admin.live import LIVE
from admin.one_click import unsubscribing
from admin.preferences import preferences
from admin.refusal_page import refusals_shown
from admin.routes import routes as console
from admin.tracker import tracker_routes
from admin.wallet import wallet_pages
from bot.rasa_routes import routes as rasa_routes
from causerie.crowd import crowd
from causerie.headers import dress_all
from causerie.health import Health, health_routes
from causerie.options import Options
from causerie.packed import unpacked
from causerie.parts import Parts
from causerie.patience import patience
from channels.channel import Channel
from channels.wallet import Wallet
from channels.webchat import Webchat
from profiles.store import Unavailable, Unstorable
from rules.schema_routes import schema_routes

log = logging.getLogger("causerie.site")


def site(options: Options, parts: Parts, opened: AsyncExitStack) -> tuple[web.Application, Desk, Health]:
    """Return the application with all its routes, the desk that the console works at, and who says how we fare."""
    desk = _desk(options, parts)
    app = web.Application(middlewares=[refusals_shown, _refusals, crowd(options.proxies), unpacked, patience])
    dress_all(app, is_https=desk.is_https)
    for channel in parts.doors.channels.values():
        app.add_subapp(f"/channels/{channel.name}", _mounted(channel))
    pages = console(desk)
    app.add_subapp("/console", pages)
    app.add_subapp("/api/v1", api(desk))
    app.add_subapp("/api/docs", docs(desk))
    ground, bot = parts.ground, parts.bot
    tokens = options.bot.endpoint_tokens
    app.add_routes(rasa_routes(bot.brain, bot.actions, ground.store, ground.writer, tokens=tokens, clock=ground.clock))
    health = _health(parts, pages)
    app.add_routes(health_routes(health))
    app.add_routes(schema_routes())
    _let_customers_in(app, options, parts, desk, opened)
    app.router.add_get("/", _home)
    return app, desk, health


def _desk(options: Options, parts: Parts) -> Desk:
    ground, bot = parts.ground, parts.bot
    return Desk(
        ground.store, ground.writer, ground.feed, ground.clock, ground.secret, options.public_url,
        parts.doors.channels, options.console, country=options.server.country, workshop=bot.workshop,
        drafts=bot.drafts, rules=parts.rules, consents=parts.doors.consents, proxies=options.proxies,
        identity_secrets=options.identity_secrets(ground.secret), shedding=parts.doors.shedding,
    )  # fmt: skip


def _mounted(channel: Channel) -> web.Application:
    routes = web.Application()
    routes.add_routes(channel.routes())
    return routes


def _health(parts: Parts, pages: web.Application) -> Health:
    health = Health(parts.ground.store, parts.ground.writer, parts.doors.back_door)
    for channel in parts.doors.channels.values():
        if isinstance(channel, Webchat):
            health.metrics.sockets(channel.name, channel.open_sockets)
    health.metrics.neighbours(parts.ground.neighbours)
    health.metrics.shedding(parts.doors.shedding)
    health.metrics.sockets("console", lambda: len(pages[LIVE].pages))
    return health


def _let_customers_in(app: web.Application, options: Options, parts: Parts, desk: Desk, opened: AsyncExitStack) -> None:
    """Mount what people reach from a message or from the shop's pages: preferences, links, codes, the tracker."""
    ground, doors, rules = parts.ground, parts.doors, parts.rules
    centre = Centre(
        ground.store, ground.writer, ground.clock, ground.personal, doors.consents, doors.ledgers,
        policy=lambda: rules.bookcase.book.policy, words=lambda: rules.bookcase.book.words,
        is_https=desk.is_https, proxies=options.proxies,
    )  # fmt: skip
    app.add_subapp("/p", preferences(centre))
    app.add_subapp("/u", unsubscribing(centre))
    if isinstance(wallet := doors.channels.get(Wallet.name), Wallet):
        app.add_subapp("/w", wallet_pages(centre, wallet))
    app.add_routes(link_routes(ground.store, ground.writer, ground.secret, ground.clock))
    codes = Codes(ground.store, ground.writer, options.public_url, clock=ground.clock)
    opened.push_async_callback(codes.close)
    ground.writer.listen(codes.hear)
    app.add_routes(codes.routes())
    vouched = options.identity_secrets(ground.secret)
    app.add_routes(tracker_routes(desk, options.tracker, identity_secrets=vouched, proxies=options.proxies))


async def _home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/console")


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What no route answered: a database that does not confirm is 503 and worth repeating; a mistake of ours is a bare 500.

    Whoever hangs up in the middle is no mistake of ours.
    """
    try:
        return await handler(request)
    except Unavailable as error:
        log.warning("http.unavailable path=%s reason=%s", _place(request), error)
        return web.json_response({"error": "unavailable"}, status=503, headers={"Retry-After": "2"})
    except web.HTTPException:
        raise
    except (Unstorable, web.RequestPayloadError) as error:
        log.info("http.refused path=%s error=%s", _place(request), type(error).__name__)
        return web.json_response({"error": "expected text in Unicode, packed well if at all"}, status=400)
    except Exception as error:  # noqa: BLE001 (the last edge: nothing of the error may reach the outside)
        if isinstance(error, ConnectionError) and request.transport is None:
            log.info("http.gone path=%s", _place(request))
            return web.Response(status=400)  # they hung up before all was said: nobody reads it
        log.error("http.broke path=%s error=%s", _place(request), type(error).__name__, exc_info=error)
        return web.json_response({"error": "internal"}, status=500)


def _place(request: web.Request) -> str:
    """Return the route, not the path: a path may hold ids and tokens."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "-"
