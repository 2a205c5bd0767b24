"""What an agent does about a contact's consents: record a no, record a yes with its evidence, say that a request was done."""

from aiohttp import web

from admin import consenting, own_requests
from admin.agents import audit_row
from admin.answers import answer, refuse
from admin.consenting import LONGEST_EVIDENCE, topics_of
from admin.desk import DESK, Desk
from admin.guard import agent_of
from admin.incoming import body
from admin.people import read_profile
from admin.roles import may
from profiles.consent import Proof
from profiles.consents import Consents, Said
from profiles.profile import Profile
from profiles.snapshot import Changes, Refusal, Work
from profiles.store import Unavailable
from profiles.text import clean
from profiles.topics import EVERY, WORD, Topic


@may("converse")
async def record(request: web.Request) -> web.Response:
    """Record what the contact said of a topic on a channel; a no to all of them is `*`."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    fields = await body(request, topic=str, channel=str, given=bool, evidence=str)
    topic, channel = str(fields.get("topic", "")), str(fields.get("channel", ""))
    evidence = clean(str(fields.get("evidence", ""))).strip()[:LONGEST_EVIDENCE]
    profile = await read_profile(desk, request.match_info["id"])
    if profile is None or desk.consents is None:
        return refuse(request, "unknown_profile", 404)
    if not all(name == EVERY or WORD.fullmatch(name) for name in (topic, channel)):
        return refuse(request, "unknown_topic")
    said = Said(f"agent:{agent.id}", profile.language or "en", evidence={"note": evidence} if evidence else {})
    try:
        if fields.get("given"):
            kept = await _yes(desk, desk.consents, profile, topic, channel, said)
        else:
            now, shown = desk.clock(), topics_of(desk).get(topic)
            kept = await desk.consents.withdraw(profile.id, channel, topic, said, now=now, shown=shown)
    except Unavailable:
        return refuse(request, "unavailable", 503)
    if isinstance(kept, Refusal):
        return refuse(request, kept.reason)
    act = "consent.recorded" if fields.get("given") else "consent.refused"
    row = audit_row(act, by=agent.id, about=profile.id, at=desk.clock(), topic=topic, channel=channel, proof=kept.id)
    await desk.store.insert("audit", row)
    return web.json_response({"ok": True, "asked": kept.change == "asked"})


@may("converse")
async def settle(request: web.Request) -> web.Response:
    """Say that what a contact had asked of people is done."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    row = await desk.store.get(own_requests.REQUESTS, id)
    if row is None:
        raise web.HTTPNotFound
    now = desk.clock()
    audit = audit_row("request.settled", by=agent.id, about=str(row["profile"]), at=now, kind=str(row["kind"]))
    changes = Changes(amends=(own_requests.settle(id, by=agent.id, now=now),), records=(("audit", audit),))
    return await answer(request, desk.writer.commit(Work(lambda snapshot: changes)))


async def _yes(
    desk: Desk, consents: Consents, profile: Profile, topic: str, channel: str, said: Said
) -> Proof | Refusal:
    known: Topic | None = topics_of(desk).get(topic)
    if known is None or channel == EVERY:
        return Refusal("unknown_topic")
    if not said.evidence:
        return Refusal("no_evidence")
    return await consenting.give(consents, desk.writer, profile.id, known, channel, said, now=desk.clock())
