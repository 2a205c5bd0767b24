"""All that the pages of a person's own may use of the server, and the door that each of their requests passes through.

No session, no cookie: the signed link is the key. So no page of it is kept by a browser, found by a search engine, shown inside
another site or told to one as a referrer, and whoever guesses links is soon told to stop.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from admin.pages import render, version
from admin.texts import LANGUAGES, Texts, preferred, texts
from admin.throttle import Allowance, allowed
from channels.webchat_limits import caller, counted
from profiles.calendar import Clock
from profiles.consents import Consents, Said
from profiles.ledgers import Ledgers
from profiles.personal_links import Over, PersonalLinks
from profiles.profile import Profile
from profiles.store import Store, Unavailable
from profiles.survivor import survivor
from profiles.writer import Writer
from rules.policy import Policy
from rules.vocabulary_file import Words

PREFIX = "/p"  # where the server mounts these pages
WRONG_LINKS = Allowance(20, timedelta(minutes=1))
CHANGES = (Allowance(60, timedelta(minutes=1)), Allowance(400, timedelta(days=1)))

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Centre:
    """One per process. `policy` and `words` are asked at each request: the book may have changed."""

    store: Store
    writer: Writer
    clock: Clock
    links: PersonalLinks
    consents: Consents
    ledgers: Ledgers
    policy: Callable[[], Policy]
    words: Callable[[], Words]
    is_https: bool = False
    proxies: int = 0
    """How many proxies of our own stand before us; the address that proofs name is the one that the outermost saw."""


CENTRE: web.AppKey[Centre] = web.AppKey("centre", Centre)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer for a database that does not confirm, and dress every answer with what keeps it private."""
    centre = request.config_dict[CENTRE]
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        dress(centre, refusal)
        raise
    except Unavailable:
        response = notice(request, "busy", texts_for(request), status=503)
        response.headers["Retry-After"] = "5"
    dress(centre, response)
    return response


async def person_of(request: web.Request, whose: str | Over | None) -> Profile | web.Response:
    """Return the person whose link this is, or the page that says why it opens nothing."""
    if not isinstance(whose, str):
        return await refused(request, whose)
    profile = await survivor(request.config_dict[CENTRE].store, whose)
    return profile or notice(request, "gone", texts_for(request), status=404)


async def refused(request: web.Request, token: Over | None) -> web.Response:
    """Return the page for a link that opens nothing: its time is over, it is not ours, or it was tried too often."""
    centre = request.config_dict[CENTRE]
    if isinstance(token, Over):
        return notice(request, "over", texts_for(request), status=410)
    address = counted(request, centre.proxies)
    if not await allowed(centre.store, f"personal link|{address}", WRONG_LINKS, now=centre.clock()):
        return notice(request, "slow", texts_for(request), status=429)
    return notice(request, "wrong", texts_for(request), status=404)


async def may_change(request: web.Request, profile: Profile) -> bool:
    """Return whether this person's page was changed seldom enough; a no is never counted, it is always heard."""
    centre = request.config_dict[CENTRE]
    for allowance in CHANGES:
        if not await allowed(centre.store, f"personal page|{profile.id}", allowance, now=centre.clock()):
            return False
    return True


def texts_for(request: web.Request, profile: Profile | None = None) -> Texts:
    """Return the texts in the language they chose on the page, else their own, else their browser's."""
    chosen = request.query.get("lang", "")
    own = (profile.language or "").split("-")[0].lower() if profile else ""
    language = next((one for one in (chosen, own) if one in LANGUAGES), "")
    return texts(language or preferred(request.headers.get("Accept-Language", "")))


def said(request: web.Request, source: str, speaks: Texts) -> Said:
    """Return where a word of consent that this request brings came from."""
    centre = request.config_dict[CENTRE]
    return Said(source, speaks.language, caller(request, centre.proxies))


def show(request: web.Request, template: str, speaks: Texts, *, status: int = 200, **known: Any) -> web.Response:
    """Return one of these pages; `here` is its own address where a form of it is being answered."""
    page = str(known.get("here") or request.rel_url.path)
    languages = [(code, name, f"{page}?lang={code}", code == speaks.language) for code, name in LANGUAGES.items()]
    html = render(template, speaks, style=stylesheet(), languages=languages, **known)
    return web.Response(text=html, content_type="text/html", status=status)


def stylesheet() -> str:
    """Return the address of these pages' looks: the outside may ask for it, also where the console is closed to it."""
    return f"{PREFIX}/static/{version()}/preferences.css"


def notice(request: web.Request, what: str, speaks: Texts, *, status: int = 200, **known: Any) -> web.Response:
    """Return a page that only says something: over, wrong, slow, gone, busy, done, confirmed ..."""
    return show(request, "preferences_notice.html", speaks, status=status, what=what, **known)


def dress(centre: Centre, response: web.StreamResponse) -> None:
    """Give an answer the headers that keep it private, unless it has begun to leave."""
    if response.prepared:
        return
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if centre.is_https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
