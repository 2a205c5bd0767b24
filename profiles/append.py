"""Appending to a conversation: each message takes the next seq, and the conversation remembers what lists show of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from profiles.conversation import Conversation, give_back, wake
from profiles.profile import Profile
from profiles.reactions import follow
from profiles.record import replace
from profiles.timeline import CUSTOMER, Content, Delivery, Direction, Message

LISTS_LAG = timedelta(minutes=1)  # moving the lists' index with every message cost the database 80 of 200 us


def begin(id: str, profile: Profile, *, channel: str, address: str, identity: str, now: datetime) -> Conversation:
    """Return a new, empty conversation of this profile; the bot answers it."""
    return Conversation(
        id=id,
        profile=profile.id,
        channel=channel,
        address=address,
        identity=identity,
        opened_at=now,
        language=profile.language,
    )


def heard(
    conversation: Conversation,
    content: Content,
    *,
    id: str,
    now: datetime,
    sent_at: datetime | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> tuple[Conversation, Message]:
    """Return the conversation and the message after a person said this. It reopens what was resolved or asleep."""
    if conversation.status == "resolved":
        conversation = replace(wake(give_back(conversation)), opened_at=now)
    elif conversation.status == "snoozed":
        conversation = wake(conversation)
    message = _message(
        conversation, content, id=id, now=now, author=CUSTOMER, direction="inbound", sent_at=sent_at, metadata=metadata
    )
    for_people = conversation.owner != "bot"
    conversation = _after(
        conversation,
        message,
        last_inbound_at=now,
        unread=conversation.unread + 1 if for_people else 0,
        waiting_since=(conversation.waiting_since or now) if for_people else None,
        offered=(),
    )
    return conversation, message


def said(
    conversation: Conversation,
    content: Content,
    *,
    id: str,
    author: str,
    now: datetime,
    to: str,
    reply_to: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> tuple[Conversation, Message]:
    """Return the conversation and the message after we said this; it will be delivered to the identity key `to`."""
    message = _message(
        conversation,
        content,
        id=id,
        now=now,
        author=author,
        direction="outbound",
        delivery=Delivery(to=to),
        reply_to=reply_to,
        metadata=metadata,
    )
    if metadata and "rule" in metadata:
        conversation = follow(conversation, message)
    seen: dict[str, Any] = {"unread": 0, "waiting_since": None} if author.startswith("agent:") else {}
    return _after(conversation, message, offered=content.buttons, **seen), message


def noted(
    conversation: Conversation,
    text: str,
    *,
    id: str,
    author: str,
    now: datetime,
    metadata: Mapping[str, Any] | None = None,
) -> tuple[Conversation, Message]:
    """Return the conversation and a private note: agents see it, it is never sent."""
    message = _message(conversation, Content(text), id=id, now=now, author=author, direction="note", metadata=metadata)
    return replace(conversation, seq=message.seq), message


def _message(
    conversation: Conversation,
    content: Content,
    *,
    id: str,
    now: datetime,
    author: str,
    direction: Direction,
    metadata: Mapping[str, Any] | None,
    sent_at: datetime | None = None,
    delivery: Delivery | None = None,
    reply_to: str | None = None,
) -> Message:
    return Message(
        id=id,
        conversation=conversation.id,
        profile=conversation.profile,
        channel=conversation.channel,
        direction=direction,
        author=author,
        content=content,
        seq=conversation.seq + 1,
        at=now,
        sent_at=sent_at,
        delivery=delivery,
        reply_to=reply_to,
        metadata=metadata or {},
    )


def _after(conversation: Conversation, message: Message, **changed: Any) -> Conversation:
    stands = conversation.active_at is not None and message.at - conversation.active_at < LISTS_LAG
    return replace(
        conversation,
        seq=message.seq,
        last_at=message.at,
        active_at=conversation.active_at if stands else message.at,
        last_text=message.content.summary(),
        last_author=message.author,
        **changed,
    )
