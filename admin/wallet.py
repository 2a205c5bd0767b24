"""The page where somebody puts their cards into their phone: /w/<signed link>, for the phone that opens it, or by a QR code.

An iPhone downloads the signed pass, an Android phone is led to Google; on a computer both stand there, and a code that a phone
scans to be here itself. Nothing is signed in, and the link alone is the key, as on the other pages of a person's own.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from aiohttp import web

from admin import qr
from admin.centre import CENTRE, Centre, door, notice, person_of, show, texts_for
from admin.codes import picture
from admin.pages import version
from admin.throttle import Allowance, allowed
from channels.wallet import Wallet
from channels.wallet_apple import MIME
from channels.wallet_face import Unshown
from channels.wallet_google_client import Trouble
from profiles.passes import Pass, Wish
from profiles.profile import Profile

log = logging.getLogger("admin.wallet")

PREFIX = "/w"  # where the server mounts these pages
STYLE = Path(__file__).parent / "static" / "wallet.css"
PULLS = Allowance(30, timedelta(minutes=1))
"""How often one person's passes may be fetched: each is signed anew."""
WALLET: web.AppKey[Wallet] = web.AppKey("wallet", Wallet)
Phone = Literal["apple", "google", "none"]


def wallet_pages(centre: Centre, wallet: Wallet) -> web.Application:
    """Return these pages as an application to mount at /w."""
    app = web.Application(middlewares=[door])
    app[CENTRE], app[WALLET] = centre, wallet
    app.add_routes([
        web.get("/static/{version}/wallet.css", _style),
        web.get("/static/{version}/cards.css", _colours),
        web.get("/{token}", _show),
        web.get("/{token}/{card}.pkpass", _download),
        web.get("/{token}/{card}/google", _save),
    ])  # fmt: skip
    return app


def phone_of(agent: str) -> Phone:
    """Return whose wallet the device has that a User-Agent line names; a Mac or a PC has none of its own."""
    if any(name in agent for name in ("iPhone", "iPad", "iPod")):
        return "apple"
    return "google" if "Android" in agent else "none"


async def _show(request: web.Request) -> web.Response:
    centre, wallet = request.config_dict[CENTRE], request.config_dict[WALLET]
    profile = await _opened(request, centre)
    if isinstance(profile, web.Response):
        return profile
    speaks = texts_for(request, profile)
    here, base = request.rel_url.path, f"{PREFIX}/static/{version()}"
    return show(
        request, "wallet.html", speaks, cards=await wallet.passes.offered(profile), organisation=wallet.organisation,
        phone=phone_of(request.headers.get("User-Agent", "")), has_google=wallet.has_google, is_try_out=wallet.is_try_out,
        quote=quote, sheets=(f"{base}/wallet.css", f"{base}/cards.css"), page=here,
        code=_code(centre.links.wallet(profile.id, centre.clock())),
    )  # fmt: skip


async def _download(request: web.Request) -> web.StreamResponse:
    """Give the signed pass to an Apple device, issued with this first download."""
    found = await _asked(request)
    if isinstance(found, web.Response):
        return found
    profile, held = found
    built = await request.config_dict[WALLET].build(held)
    if isinstance(built, Unshown):
        return notice(request, "busy", texts_for(request, profile), status=503)
    return web.Response(
        body=built, content_type=MIME, headers={"Content-Disposition": f'attachment; filename="{held.card}.pkpass"'}
    )


async def _save(request: web.Request) -> web.StreamResponse:
    """Lead an Android phone to Google, which has the pass by then."""
    found = await _asked(request)
    if isinstance(found, web.Response):
        return found
    profile, held = found
    link = await request.config_dict[WALLET].save_link(held)
    if isinstance(link, Trouble):
        log.warning("wallet.google untold pass=%s reason=%s", held.id, link.detail)
        response = notice(request, "busy", texts_for(request, profile), status=503)
        response.headers["Retry-After"] = str(int(link.seconds))
        return response
    raise web.HTTPFound(link)


async def _asked(request: web.Request) -> tuple[Profile, Pass] | web.Response:
    """Return the person and the pass of theirs that the address names; one of theirs, or a loyalty card that they may have."""
    centre, wallet = request.config_dict[CENTRE], request.config_dict[WALLET]
    profile = await _opened(request, centre)
    if isinstance(profile, web.Response):
        return profile
    if not await allowed(centre.store, f"wallet page|{profile.id}", PULLS, now=centre.clock()):
        return notice(request, "slow", texts_for(request, profile), status=429)
    card = request.match_info["card"]
    held = next((held for held, its, _ in await wallet.passes.offered(profile) if its.id == card), None)
    if held is None:
        return notice(request, "gone", texts_for(request, profile), status=404)
    if not held.tag:
        await wallet.passes.keep(Wish(profile.id, card))
        held = await wallet.passes.get(held.id) or held
    return profile, held


async def _opened(request: web.Request, centre: Centre) -> Profile | web.Response:
    return await person_of(request, centre.links.cards_of(request.match_info["token"], centre.clock()))


def _code(address: str) -> str:
    """Return the QR code of an address as a picture that stands in the page, or nothing when the address is too long."""
    drawn = picture(address) if len(address.encode()) <= qr.CAPACITY else None
    return f"data:image/svg+xml,{quote(drawn)}" if drawn else ""


async def _style(request: web.Request) -> web.Response:
    return _sheet(STYLE.read_text(encoding="utf-8"), for_ever=True)


async def _colours(request: web.Request) -> web.Response:
    """The colours of every card, as their files say: a style in the page itself is refused by its own rules."""
    cards = request.config_dict[WALLET].passes.cards.known.values()
    rules = []
    for card in cards:
        back, text = card.colours.get("background", "#2b2b2b"), card.colours.get("text", "#ffffff")
        label = card.colours.get("label", text)
        rules.append(
            f".pass-{card.id} {{ background: {back}; color: {text}; }}\n.pass-{card.id} dt {{ color: {label}; }}\n"
        )
    return _sheet("".join(rules), for_ever=False)


def _sheet(text: str, *, for_ever: bool) -> web.Response:
    cache = "public, max-age=31536000, immutable" if for_ever else "public, max-age=60"
    return web.Response(text=text, content_type="text/css", headers={"Cache-Control": cache})
