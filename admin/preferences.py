"""A person's own page, by a signed link and without signing in: what they agree to, how often, when, and what is known of them.

Every form works without a script, says what it showed, and leads back to the page with one sentence about what was done. A no is
answered when it holds: nothing is under way against it any more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from admin import one_click, own_data, own_export, own_requests
from admin.centre import CENTRE, Centre, door, dress, may_change, notice, person_of, said, show, texts_for
from admin.choices import (
    MOST,
    PERIODS,
    Form,
    Limits,
    Wrong,
    caps,
    changed,
    channels_of,
    is_stopped,
    limits,
    table,
    wishes,
)
from admin.consenting import give
from admin.incoming import form
from admin.texts import Texts
from profiles.consent import Proof
from profiles.ledger import Ledger, key, mark
from profiles.profile import Profile
from profiles.snapshot import Refusal
from profiles.topics import EVERY
from rules.reading import zone_of

STYLE = Path(__file__).parent / "static" / "preferences.css"
SOURCE = "preference_centre"

Act = Callable[[web.Request, Centre, Profile, Texts, Form], Awaitable[str | Wrong]]
"""Does what a form asks; returns the word for what was done, or the field that can not be kept."""


def preferences(centre: Centre) -> web.Application:
    """Return these pages as an application to mount at /p."""
    app = web.Application(middlewares=[door])
    app[CENTRE] = centre
    app.add_routes([
        web.get("/static/{version}/preferences.css", _style),
        web.get("/confirm/{token}", one_click.show_confirmation),
        web.post("/confirm/{token}", one_click.confirm),
        web.get("/{token}", _show),
        web.get("/{token}/data.json", _download),
        web.post("/{token}/choices", _posted(_choose)),
        web.post("/{token}/none", _posted(_refuse_all)),
        web.post("/{token}/limits", _posted(_limit)),
        web.post("/{token}/data", _posted(_correct)),
        web.post("/{token}/removal", _posted(_ask_removal)),
        web.post("/{token}/erasure", _posted(_ask_erasure)),
    ])  # fmt: skip
    return app


async def _show(request: web.Request) -> web.Response:
    centre = request.config_dict[CENTRE]
    opened = await _opened(request, centre)
    if isinstance(opened, web.Response):
        return opened
    return await _page(request, centre, opened, texts_for(request, opened))


async def _download(request: web.Request) -> web.StreamResponse:
    """Give everything that is known of them, section by section, however much it is."""
    centre = request.config_dict[CENTRE]
    opened = await _opened(request, centre)
    if isinstance(opened, web.Response):
        return opened
    if not await own_export.may_read(centre.store, opened, "themselves", now=centre.clock()):
        return notice(request, "taken", texts_for(request, opened), status=429)
    response = web.StreamResponse(headers={"Content-Disposition": 'attachment; filename="my-data.json"'})
    response.content_type = "application/json"
    response.charset = "utf-8"
    dress(centre, response)  # now: once its first bytes are out, the door could no more
    await response.prepare(request)
    async for piece in own_export.written(centre.store, centre.consents, centre.ledgers, opened):
        await response.write(piece)
    await response.write_eof()
    return response


def _posted(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of a form: it lets in, does, and leads back."""

    async def handle(request: web.Request) -> web.Response:
        centre = request.config_dict[CENTRE]
        opened = await _opened(request, centre)
        if isinstance(opened, web.Response):
            return opened
        speaks = texts_for(request, opened)
        if act is not _refuse_all and not await may_change(request, opened):
            return notice(request, "slow", speaks, status=429)
        asked = await form(request)
        done = await act(request, centre, opened, speaks, asked)
        if isinstance(done, Wrong):
            return await _page(request, centre, opened, speaks, wrong=done.field, asked=asked)
        query = {"done": done, **({"lang": request.query["lang"]} if "lang" in request.query else {})}
        page = request.rel_url.path.rpartition("/")[0]
        raise web.HTTPSeeOther(str(request.rel_url.with_path(page).with_query(query)) + "#done")

    return handle


async def _opened(request: web.Request, centre: Centre) -> Profile | web.Response:
    return await person_of(request, centre.links.page_of(request.match_info["token"], centre.clock()))


async def _page(
    request: web.Request,
    centre: Centre,
    profile: Profile,
    speaks: Texts,
    *,
    wrong: str = "",
    asked: Form | None = None,
) -> web.Response:
    policy, words, now = centre.policy(), centre.words(), centre.clock()
    ledger = (await centre.ledgers.read([profile.id]))[profile.id]
    channels, zone = channels_of(profile, ledger), zone_of(profile, policy.zone)
    until = ledger.paused.get(key(EVERY, EVERY))
    requests = await own_requests.requests_of(centre.store, profile)
    language = speaks.language
    return show(
        request,
        "preferences.html",
        speaks,
        status=422 if wrong else 200,
        wrong=wrong,
        asked=asked or {},
        done=request.query.get("done", "") if not wrong else "",
        here=request.rel_url.path if request.method == "GET" else request.rel_url.path.rpartition("/")[0],
        lang=request.query.get("lang", ""),
        profile=profile,
        channels=channels,
        rows=table(policy.topics, channels, ledger),
        stopped=[channel for channel in channels if is_stopped(profile.identities, channel)],
        caps=caps(ledger, channels),
        periods=tuple(PERIODS),
        most=MOST,
        quiet=ledger.quiet[0] if ledger.quiet else None,
        zone=str(zone),
        paused=until.astimezone(zone).date().isoformat() if until and until > now else "",
        tomorrow=(now.astimezone(zone).date() + timedelta(days=1)).isoformat(),
        own=own_data.own(profile, words, language),
        others=own_data.others(profile, words, language),
        identities=[(one, mark(one.key)) for one in profile.identities],
        removals={str(row.get("identity")) for row in requests.values() if row["kind"] == "removal"},
        erasure=next((row for row in requests.values() if row["kind"] == "erasure"), None),
        spoken=(profile.language or policy.language).split("-")[0].lower(),
    )


async def _choose(request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form) -> str | Wrong:
    ledger = (await centre.ledgers.read([profile.id]))[profile.id]
    rows = table(centre.policy().topics, channels_of(profile, ledger), ledger)
    wanted = wishes(asked, rows)
    heard, now = said(request, SOURCE, speaks), centre.clock()
    await asyncio.gather(
        *(
            centre.consents.withdraw(profile.id, wish.channel, wish.topic.id, heard, now=now, shown=wish.topic)
            for wish in wanted
            if not wish.is_on
        )
    )
    answers = [
        await give(centre.consents, centre.writer, profile.id, wish.topic, wish.channel, heard, now=now)
        for wish in wanted
        if wish.is_on
    ]
    return "asked" if any(isinstance(one, Proof) and one.change == "asked" for one in answers) else "choices"


async def _refuse_all(
    request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form
) -> str | Wrong:
    await centre.consents.withdraw(profile.id, EVERY, EVERY, said(request, SOURCE, speaks), now=centre.clock())
    return "none"


async def _limit(request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form) -> str | Wrong:
    ledger: Ledger = (await centre.ledgers.read([profile.id]))[profile.id]
    now = centre.clock()
    zone = zone_of(profile, centre.policy().zone)
    wanted = limits(asked, ledger, channels_of(profile, ledger), zone=zone, now=now)
    if isinstance(wanted, Wrong):
        return wanted
    return await _keep(centre, profile, ledger, wanted, request, speaks)


async def _keep(
    centre: Centre, profile: Profile, ledger: Ledger, wanted: Limits, request: web.Request, speaks: Texts
) -> str | Wrong:
    heard, now, new = said(request, SOURCE, speaks), centre.clock(), set(changed(ledger, wanted))
    if "limits" in new:
        kept = await centre.consents.limit(profile.id, wanted.own, wanted.quiet, heard, now=now)
        if isinstance(kept, Refusal):
            return Wrong("limits")
    if "pause" in new:
        await centre.consents.pause(profile.id, EVERY, EVERY, wanted.paused_until, heard, now=now)
    return "limits"


async def _correct(request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form) -> str | Wrong:
    work = own_data.corrected(profile.id, asked, centre.words(), now=centre.clock())
    if isinstance(work, Wrong):
        return work
    outcome = await centre.writer.commit(work)
    if isinstance(outcome, Refusal):
        return Wrong(f"data.{outcome.detail}")
    return "data"


async def _ask_removal(
    request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form
) -> str | Wrong:
    chosen = next((one for one in profile.identities if mark(one.key) == asked.get("identity")), None)
    if chosen is None:
        return Wrong("identity")
    ip = said(request, SOURCE, speaks).ip
    await centre.writer.commit(own_requests.ask(profile.id, "removal", chosen.key, ip=ip))
    return "removal"


async def _ask_erasure(
    request: web.Request, centre: Centre, profile: Profile, speaks: Texts, asked: Form
) -> str | Wrong:
    if "sure" not in asked:
        return Wrong("sure")
    await centre.writer.commit(own_requests.ask(profile.id, "erasure", ip=said(request, SOURCE, speaks).ip))
    return "erasure"


async def _style(request: web.Request) -> web.Response:
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=STYLE.read_bytes(), content_type="text/css", charset="utf-8", headers=headers)
