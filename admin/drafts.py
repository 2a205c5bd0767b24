"""A reply proposed by the language model, put into the agent's composer: never sent by itself."""

from aiohttp import web

from admin.agents import audit_row
from admin.answers import refuse
from admin.desk import DESK, Desk
from admin.guard import agent_of
from admin.questions import names_of
from admin.roles import may
from bot.masking import masked
from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import from_document
from profiles.timeline import CUSTOMER, Message
from profiles.tracking import impersonal

MOST_MESSAGES = 10
LONGEST = 4_000  # characters of one that are masked; the model is shown fewer


@may("converse")
async def suggest(request: web.Request) -> web.Response:
    """Answer with a text for the composer, or why there is none."""
    desk, id = request.config_dict[DESK], request.match_info["id"]
    document = await desk.store.get("conversations", id)
    if document is None:
        return refuse(request, "unknown_conversation", 404)
    if desk.drafts is None:
        return refuse(request, "no_draft", 409)
    conversation = from_document(Conversation, document)
    where = {"conversation": id, "direction": {"$in": ["inbound", "outbound"]}}  # private notes stay in the house
    found = await desk.store.find("messages", where, sort=[("seq", -1)], limit=MOST_MESSAGES)
    messages = [from_document(Message, one) for one in reversed(found)]
    names = await _names(desk, conversation.profile)
    said = [
        (_by(message), masked(impersonal(message.content.text[:LONGEST]), names))
        for message in messages
        if message.content.text
    ]
    question = next((text for by, text in reversed(said) if by == CUSTOMER), "")
    if not question:
        return refuse(request, "no_draft", 409)
    text = await desk.drafts.draft(said, question, conversation.language or "fr", id)
    if text is None:
        return refuse(request, "no_draft", 409)
    row = audit_row("conversation.drafted", by=agent_of(request).id, about=id, at=desk.clock())
    await desk.store.insert("audit", row)
    return web.json_response({"ok": True, "text": text})


async def _names(desk: Desk, profile: str) -> tuple[str, ...]:
    document = await desk.store.get("profiles", profile)
    return names_of(from_document(Profile, document)) if document else ()


def _by(message: Message) -> str:
    """Return who said it without saying who: no agent's id leaves the house."""
    return "agent" if message.author.startswith("agent:") else message.author
