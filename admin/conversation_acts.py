"""The edge of an agent's acts on a conversation: what the page's script posts, checked, becomes Work, and its answer."""

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from admin import acts, agents, inbox
from admin.answers import answer, refuse
from admin.composer import showing
from admin.desk import DESK, Desk
from admin.guard import agent_of, texts_of
from admin.incoming import body
from admin.pages import render
from admin.people import read_profile
from admin.roles import may
from channels.kept_files import claim
from profiles.conversation import Conversation
from profiles.record import from_document
from profiles.snapshot import Done, Outcome, Work
from profiles.text import clean
from profiles.timeline import Attachment, Content, Message

_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


@may("converse")
async def reply(request: web.Request) -> web.Response:
    """Say something to the customer; offered twice with the same id it is said once."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    fields = await body(request, id=str, text=str, files=list)
    conversation = await _conversation(desk, id)
    profile = await read_profile(desk, conversation.profile) if conversation else None
    if conversation is None or profile is None:
        return refuse(request, "unknown_conversation", 404)
    shows = showing(desk.channels, conversation, profile)
    text, files = clean(fields.get("text", "")).strip(), fields.get("files", [])
    if shows.blocked:
        return refuse(request, "no_channel" if shows.blocked == "no_channel" else "suppressed", 409)
    if problem := _problem(text, files, fields.get("id", "")):
        return refuse(request, problem)
    attachments: list[Attachment] = []
    for file in files:
        claimed = await claim(desk.store, str(file), conversation.id)
        if claimed is None or claimed.kind not in shows.attachments:
            return refuse(request, "no_attachments")
        attachments.append(claimed)
    content = Content(text, attachments=tuple(attachments))
    return await _say(request, acts.reply(id, content, agent, client_id=fields["id"]))


@may("converse")
async def note(request: web.Request) -> web.Response:
    """Keep a private note; whoever is named after @ hears of it."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    fields = await body(request, id=str, text=str)
    text = clean(fields.get("text", "")).strip()
    if problem := _problem(text, [], fields.get("id", "")):
        return refuse(request, problem)
    everyone = await agents.everyone(desk.store)
    mentioned = mentioned_in(text, {other.id: other.name for other in everyone.values() if other.is_active})
    return await _say(request, acts.note(id, text, agent, mentioned=mentioned, client_id=fields["id"]))


@may("converse")
async def take(request: web.Request) -> web.Response:
    """Answer this conversation from now on."""
    return await _do(request, acts.take(request.match_info["id"], agent_of(request)))


@may("converse")
async def give_back(request: web.Request) -> web.Response:
    """Let the bot answer again."""
    return await _do(request, acts.give_back(request.match_info["id"], agent_of(request)))


@may("converse")
async def resolve(request: web.Request) -> web.Response:
    """Close the conversation."""
    return await _do(request, acts.resolve(request.match_info["id"], agent_of(request)))


@may("converse")
async def reopen(request: web.Request) -> web.Response:
    """Open it again."""
    return await _do(request, acts.reopen(request.match_info["id"], agent_of(request)))


@may("converse")
async def assign(request: web.Request) -> web.Response:
    """Give it to another agent, or with an empty `to` back into the queue."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    fields = await body(request, to=str)
    if not fields.get("to"):
        return await _do(request, acts.unassign(id, agent))
    to = await agents.by_id(desk.store, fields["to"])
    if to is None or not to.may("converse"):
        return refuse(request, "unknown_profile", 404)
    return await _do(request, acts.assign(id, to, agent))


@may("converse")
async def snooze(request: web.Request) -> web.Response:
    """Let it sleep until an instant: `until` is seconds since 1970, worked out in the agent's own time zone."""
    fields = await body(request, until=int)
    try:
        until = datetime.fromtimestamp(fields.get("until", 0), UTC)
    except (OverflowError, OSError, ValueError):
        return refuse(request, "in_the_past")
    return await _do(request, acts.snooze(request.match_info["id"], until, agent_of(request)))


@may("converse")
async def read(request: web.Request) -> web.Response:
    """Count what was shown as seen."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    fields = await body(request, seq=int)
    await inbox.see_mentions(desk.store, agent.id, id, desk.clock())
    return await _do(request, acts.read(id, fields.get("seq", 0)))


def mentioned_in(text: str, names: dict[str, str]) -> tuple[str, ...]:
    """Return the ids of the agents whose whole name stands after an @, longest names first, each once."""
    rest, found = text.casefold(), []
    for id, name in sorted(names.items(), key=lambda pair: -len(pair[1])):
        called = re.compile(rf"@{re.escape(name.casefold())}(?!\w)")
        if called.search(rest):
            found.append(id)
            rest = called.sub(" ", rest)
    return tuple(found)


async def _say(request: web.Request, work: Work) -> web.Response:
    """Commit and answer with the message as the timeline shows it."""
    said: dict[str, Any] = {}
    desk = request.config_dict[DESK]

    async def commit() -> Outcome:
        outcome = await desk.writer.commit(work)
        if isinstance(outcome, Done) and isinstance(outcome.changes.answer, Message):
            message = outcome.changes.answer
            known = {agent_of(request).id: agent_of(request)}
            said["id"] = message.id
            said["html"] = render("_item.html", texts_of(request), item=message, agents=known, profile=None, read_seq=0)
        return outcome

    return await answer(request, commit(), said=said)


async def _do(request: web.Request, work: Work) -> web.Response:
    return await answer(request, request.config_dict[DESK].writer.commit(work))


async def _conversation(desk: Desk, id: str) -> Conversation | None:
    document = await desk.store.get("conversations", id)
    return from_document(Conversation, document) if document else None


def _problem(text: str, files: list[Any], client_id: str) -> str | None:
    if not _CLIENT_ID.fullmatch(client_id):
        return "bad_value"
    if not text and not files:
        return "empty"
    if len(files) > 5 or len(text) > acts.LONGEST_TEXT:
        return "too_long"
    return None
