"""The API's routes about conversations: list, read, and say something as the shop. Private notes are the agents' own."""

from typing import Any

from admin import api_answers as answers
from admin import api_bodies as bodies
from admin import api_kinds as kinds
from admin import api_schemas as shapes
from admin.api_profiles import LIMIT, PAGE
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import do
from admin.idempotency import Known
from admin.paging import Key, after_key, key_of
from admin.people import read_profile
from admin.schema import Choice, Field, Problem, Whole
from profiles.append import said
from profiles.conversation import Conversation
from profiles.ids import new_id
from profiles.record import from_document, matching
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import SYSTEM, Button, Content, Message


async def list_conversations(call: Call) -> Reply:
    """Answer conversations, the one that moved last first (to within a minute)."""
    limit, query = call.query.get("limit", PAGE), call.query
    where = matching(Conversation, **{name: query[name] for name in ("status", "owner", "channel") if name in query})
    if "profile" in query:
        profile = await read_profile(call.desk, query["profile"])
        if profile is None:
            raise Refused("unknown_profile")
        where["profile"] = {"$in": [profile.id, *profile.absorbed]}
    after = key_of(query.get("after"))
    if "after" in query and after is None:
        raise Refused("invalid", faults=(Problem("after", "expected the `after` of a page"),), in_query=True)
    documents = await call.desk.store.find(
        "conversations", after_key(where, "active_at", after), sort=[("active_at", -1), ("_id", 1)], limit=limit + 1
    )
    threads = [_thread(document) for document in documents[:limit]]
    last = threads[-1] if len(documents) > limit else None
    return Reply(200, {
        "items": [answers.conversation(thread) for thread in threads],
        "after": str(Key(last.active_at, last.id)) if last and last.active_at else None,
    })  # fmt: skip


async def get_conversation(call: Call) -> Reply:
    """Answer one conversation."""
    return Reply(200, answers.conversation(await _found(call)))


async def list_messages(call: Call) -> Reply:
    """Answer a conversation's messages in the order they were said."""
    thread = await _found(call)
    limit, after = call.query.get("limit", PAGE), call.query.get("after", 0)
    documents = await call.desk.store.find(
        "messages", {"conversation": thread.id, "seq": {"$gt": after}, "direction": {"$ne": "note"}},
        sort=[("seq", 1)], limit=limit + 1,
    )  # fmt: skip
    items = [answers.message(from_document(Message, document)) for document in documents[:limit]]
    return Reply(200, {"items": items, "after": str(items[-1]["seq"]) if len(documents) > limit else None})


async def get_message(call: Call) -> Reply:
    """Answer one message, with what became of its delivery."""
    document = await call.desk.store.get("messages", call.path["id"])
    if document is None or document["direction"] == "note":
        raise Refused("unknown_message")
    return Reply(200, answers.message(from_document(Message, document)))


async def send_message(call: Call) -> Reply:
    """Say something to the customer as the shop: whoever answers the conversation goes on answering it."""
    id = call.path["id"]
    buttons = tuple(
        Button(button["title"], button.get("payload"), button.get("url")) for button in call.body.get("buttons", [])
    )
    content = Content(call.body["text"], buttons)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        thread = snapshot.conversations.get(id)
        if thread is None:
            return Refusal("unknown_conversation")
        channel = call.desk.channels.get(thread.channel)
        if channel is None:
            return Refusal("no_channel", thread.channel)
        to, profile = f"{channel.space}:{thread.address}", snapshot.profile(thread.profile)
        identity = profile.identity(to) if profile else None
        if identity and identity.suppression:
            return Refusal("suppressed", identity.suppression.reason)
        after, message = said(
            thread, content, id=f"{thread.channel}:out:{new_id(snapshot.now)}", author=SYSTEM, now=snapshot.now, to=to,
            metadata={"by": call.key.actor},
        )  # fmt: skip
        return Changes(conversations=(after,), messages=(message,))

    def shown(changes: Changes) -> Known:
        message = changes.messages[0]
        return Known(201, answers.message(message), f"/messages/{message.id}")

    return await do(call, Work(think, conversations=(id,)), shown)


async def _found(call: Call) -> Conversation:
    document = await call.desk.store.get("conversations", call.path["id"])
    if document is None:
        raise Refused("unknown_conversation")
    return _thread(document)


def _thread(document: dict[str, Any]) -> Conversation:
    return from_document(Conversation, document)


ROUTES = (
    Route("GET", "/conversations", list_conversations, "conversations:read", "List conversations, the latest first.",
          "Lister les conversations, de la plus récente à la plus ancienne.", shapes.CONVERSATIONS, query={
              "status": Field(Choice(("open", "snoozed", "resolved")), "Only these."),
              "owner": Field(Choice(("bot", "queue", "agent")), "Only those answered so."),
              "channel": Field(kinds.SPACE, "Only those of this channel."),
              "profile": Field(kinds.ID, "Only those of this profile."),
              "limit": LIMIT, "after": Field(kinds.ID, "The `after` of the page before."),
          }, problems=("unknown_profile",)),
    Route("GET", "/conversations/{id}", get_conversation, "conversations:read", "Read one conversation.",
          "Lire une conversation.", shapes.CONVERSATION, problems=("unknown_conversation",)),
    Route("GET", "/conversations/{id}/messages", list_messages, "conversations:read", "Read its messages, in order.",
          "Lire ses messages, dans l'ordre.", shapes.MESSAGES,
          query={"limit": LIMIT, "after": Field(Whole(), "Only messages after this seq.")},
          problems=("unknown_conversation",)),
    Route("POST", "/conversations/{id}/messages", send_message, "messages:write", "Send a message as the shop.",
          "Envoyer un message au nom de la boutique.", shapes.MESSAGE, status=201, body=bodies.MESSAGE_IN,
          problems=("unknown_conversation", "no_channel", "suppressed")),
    Route("GET", "/messages/{id}", get_message, "conversations:read", "Read one message and its delivery.",
          "Lire un message et sa livraison.", shapes.MESSAGE, problems=("unknown_message",)),
)  # fmt: skip
