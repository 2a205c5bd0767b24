"""One outbound message, whole: what was said as it was sent, each state with its time, the provider's answer, and why it left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from admin import agents
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of
from admin.mail_body import framed, framing
from admin.pages import at, page
from admin.people import read_profile
from admin.roles import may
from channels.channel import Tells
from channels.email_letter import shown
from channels.outbound import outbound_of
from profiles.consent import PROOFS
from profiles.record import Document, from_document
from profiles.timeline import Event, Message
from profiles.topics import EVERY
from profiles.tracking import for_agents
from rules.applying import DECISIONS
from rules.signals import REACTIONS

TOLD = ("message.failed", "message.bounced", "message.complained", *REACTIONS)
SHOWN_BY_US = {"rule", "version", "run", "step", "class", "topic", "labels", "variant", "language", "basis", "trial"}
"""Keys of a message's metadata that the page says in words of its own."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One state that the message reached, or one thing that came back about it."""

    at: datetime
    what: str
    detail: str = ""


@may("people")
async def show(request: web.Request) -> web.Response:
    """Show one message that we sent, or tried to."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    message = await _message(request)
    profile = await read_profile(desk, message.profile)
    rule = str(message.metadata.get("rule", ""))
    answer = page(
        request, "delivery.html", message=message, profile=profile, rule=rule,
        is_known_rule=bool(desk.rules and rule in desk.rules.bookcase.book.rules),
        passed=await _passed(desk, message), decisions=await _decisions(desk, message),
        more={name: _plain(value) for name, value in sorted(message.metadata.items()) if name not in SHOWN_BY_US},
        body=at("deliveries", message.id, "body") if _page_of(message) else "",
        headers=await _headers(desk, message),
        agents=await agents.everyone(desk.store), **await frame(desk, agent),
    )  # fmt: skip
    return framing(answer)


@may("people")
async def show_body(request: web.Request) -> web.Response:
    """Give the HTML of an e-mail as it was sent, for a frame that can do nothing."""
    body = _page_of(await _message(request))
    if not body:
        raise web.HTTPNotFound
    return framed(body)


def _page_of(message: Message) -> str:
    """Return the page of a mail; what an agent opens in it does nothing for the contact."""
    content = for_agents(message.content)
    is_mail = message.delivery is not None and message.delivery.to.startswith("email:")
    return shown(content, str(message.metadata.get("language") or "")) if is_mail or content.html else ""


async def _message(request: web.Request) -> Message:
    document = await request.config_dict[DESK].store.get("messages", request.match_info["id"])
    if document is None or document.get("delivery") is None:
        raise web.HTTPNotFound
    return from_document(Message, document)


async def _headers(desk: Desk, message: Message) -> Sequence[tuple[str, str]]:
    """Return what the provider was told beside the words: written anew as it was at that instant, by the settings of today.

    They are not kept with the message: a campaign's would be as large as the campaign.
    """
    channel = desk.channels.get(message.channel)
    if message.delivery is None or not isinstance(channel, Tells):
        return ()
    left = message.delivery.times.get("sent") or message.delivery.times.get("sending") or message.at
    return await channel.told(outbound_of(message, message.content), left)


async def _passed(desk: Desk, message: Message) -> tuple[Passed, ...]:
    """Return what became of the message, in order of time."""
    assert message.delivery
    found = [Passed(message.at, "decided")]
    found += [Passed(when, state, message.delivery.reason or "" if state == message.delivery.state else "")
              for state, when in message.delivery.times.items()]  # fmt: skip
    where = {
        "profile": {"$eq": message.profile},
        "name": {"$in": list(TOLD)},
        "happened_at": {"$gte": message.at},
        "properties.message": {"$eq": message.id},
    }
    rows = await desk.store.find("events", where, sort=[("happened_at", 1)], limit=50)
    for event in (from_document(Event, row) for row in rows):
        found.append(Passed(event.happened_at, event.name, _detail(event)))
    left = {
        "profile": {"$eq": message.profile},
        "evidence.message": {"$eq": message.id},
        "source": {"$ne": "complaint"},
    }
    for proof in await desk.store.find(PROOFS, left, sort=[("at", 1)], limit=10):
        found.append(Passed(proof["at"], "message.unsubscribed", str(proof["topic"]).replace(EVERY, "")))
    return tuple(sorted(found, key=lambda one: one.at))


def _detail(event: Event) -> str:
    """Return what else is told of it; of a report about a mail, the words of who made it."""
    said = event.properties
    if event.name in ("message.bounced", "message.complained"):
        return _plain(said.get("detail") or said.get("status") or said.get("kind") or "")
    return ", ".join(f"{name}: {_plain(value)}" for name, value in said.items() if name != "message")


async def _decisions(desk: Desk, message: Message) -> list[Document]:
    """Return what its rule decided at the step that made it, also how often it waited before; oldest first."""
    run, step = message.metadata.get("run"), message.metadata.get("step")
    if not (isinstance(run, str) and isinstance(step, str)):
        return []
    where = {"run": {"$eq": run}, "step": {"$eq": step}}
    return await desk.store.find(DECISIONS, where, sort=[("at", 1)], limit=50)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)[:500]
