"""The end of one topic on one channel by one click (RFC 8058), and the confirmation of a yes (double opt-in).

A GET never changes anything: mail providers and scanners open every link of a message. The POST does, and asks for nothing but
the link itself; a mail program's own "unsubscribe" sends it without a cookie and without a person looking at a page.
"""

from aiohttp import web

from admin.centre import CENTRE, Centre, door, notice, refused, said, show, texts_for
from admin.incoming import posted
from profiles.consent import verdict
from profiles.consents import Said
from profiles.personal_links import Asked, Offer, Over
from profiles.profile import Profile
from profiles.snapshot import Refusal
from profiles.survivor import survivor
from profiles.topics import EVERY, Topic

ONE_CLICK = "List-Unsubscribe"
"""The field that a mail program's POST has: List-Unsubscribe=One-Click."""


def unsubscribing(centre: Centre) -> web.Application:
    """Return these pages as an application to mount at /u."""
    app = web.Application(middlewares=[door])
    app[CENTRE] = centre
    app.add_routes([web.get("/{token}", show_offer), web.post("/{token}", unsubscribe)])
    return app


async def show_offer(request: web.Request) -> web.Response:
    """Show what the link ends, and the button that does."""
    centre = request.config_dict[CENTRE]
    offer, profile = await _offer(request, centre)
    if not isinstance(offer, Offer):
        return await refused(request, offer)
    if profile is None:
        return notice(request, "gone", texts_for(request), status=404)
    speaks, topic = texts_for(request, profile), _topic(centre, offer)
    return show(
        request, "preferences_end.html", speaks, offer=offer, title=topic.title(speaks.language) if topic else ""
    )


async def unsubscribe(request: web.Request) -> web.Response:
    """End it, whoever posts; the answer comes when it holds. Posted again it holds as before and is not proved again."""
    centre = request.config_dict[CENTRE]
    offer, profile = await _offer(request, centre)
    if not isinstance(offer, Offer):
        return await refused(request, offer)
    if profile is None:
        return notice(request, "gone", texts_for(request), status=404)
    speaks, topic, fields = texts_for(request, profile), _topic(centre, offer), await _fields(request)
    about = EVERY if fields.get("scope") == "channel" else offer.topic
    heard = said(request, "one_click" if ONE_CLICK in fields else "unsubscribe_page", speaks)
    evidence = {"message": offer.message} if offer.message else {}
    await _end(centre, profile, offer.channel, about, Said(heard.source, heard.language, heard.ip, evidence), topic)
    title = topic.title(speaks.language) if topic and about != EVERY else ""
    return notice(request, "unsubscribed", speaks, channel=offer.channel, title=title)


async def show_confirmation(request: web.Request) -> web.Response:
    """Show what is to be confirmed, in the words that were agreed to, and the button that does."""
    centre = request.config_dict[CENTRE]
    asked = centre.links.asked_of(request.match_info["token"], centre.clock())
    if not isinstance(asked, Asked):
        return await refused(request, asked)
    profile = await survivor(centre.store, asked.profile)
    topic = centre.policy().topics.get(asked.topic)
    if profile is None or topic is None:
        return notice(request, "gone", texts_for(request), status=404)
    speaks = texts_for(request, profile)
    return show(request, "preferences_confirm.html", speaks, asked=asked, title=topic.title(speaks.language),
                wording=topic.wording(speaks.language))  # fmt: skip


async def confirm(request: web.Request) -> web.Response:
    """Keep the yes. One that was used, refused since or waited too long is told so."""
    centre = request.config_dict[CENTRE]
    asked = centre.links.asked_of(request.match_info["token"], centre.clock())
    if not isinstance(asked, Asked):
        return await refused(request, asked)
    profile = await survivor(centre.store, asked.profile)
    speaks = texts_for(request, profile)
    heard = said(request, "confirmation", speaks)
    proof = await centre.consents.confirm(
        asked.profile, asked.channel, asked.topic, asked.proof, heard, now=centre.clock()
    )
    if isinstance(proof, Refusal):
        return notice(request, "nothing_to_confirm", speaks, status=409)
    topic = centre.policy().topics.get(asked.topic)
    return notice(request, "confirmed", speaks, title=topic.title(speaks.language) if topic else asked.topic)


async def _offer(request: web.Request, centre: Centre) -> tuple[Offer | Over | None, Profile | None]:
    offer = centre.links.offer_of(request.match_info["token"], centre.clock())
    return offer, await survivor(centre.store, offer.profile) if isinstance(offer, Offer) else None


async def _end(centre: Centre, profile: Profile, channel: str, about: str, heard: Said, topic: Topic | None) -> None:
    ledger = (await centre.ledgers.read([profile.id]))[profile.id]
    if verdict(ledger, channel, about, "not_withdrawn") is None:
        await centre.consents.withdraw(profile.id, channel, about, heard, now=centre.clock(), shown=topic)
    else:  # it holds already: a program that posts every day must not fill the proofs
        await centre.consents.acknowledged(profile.id)


async def _fields(request: web.Request) -> dict[str, str]:
    """Return the form's fields; a body that is none changes nothing: the link says it all."""
    try:
        return await posted(request)
    except (web.HTTPBadRequest, web.HTTPRequestEntityTooLarge):
        return {ONE_CLICK: ""}


def _topic(centre: Centre, offer: Offer) -> Topic | None:
    return centre.policy().topics.get(offer.topic)
