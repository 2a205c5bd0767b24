"""What came back to a rule's message, as events: delivered, read, clicked, answered. Messages of people and of the bot make none.

Receipts name their message. A read mark and a reply name only the thread, so the thread itself remembers what rules said in it
of late: an ordinary message costs a look at an empty tuple.
"""

from datetime import datetime, timedelta
from typing import Any

from profiles.conversation import Conversation
from profiles.followed import Followed
from profiles.ids import new_id
from profiles.record import replace
from profiles.timeline import CUSTOMER, Event, Message

DELIVERED, READ, CLICKED, ANSWERED = "message.delivered", "message.read", "message.clicked", "message.answered"
SCANNED = "message.scanned"
"""A machine looked at a link or a picture: told apart, so that nothing counts it by mistake."""
DISMISSED = "message.dismissed"
"""The person put a notice away unread: no sign of interest, so it is no reaction that rules wait for."""
BY_STATE = {"delivered": DELIVERED, "read": READ}
"""delivery state -> the event that it makes."""

ANSWERS_WITHIN = timedelta(hours=72)
"""A reply so soon after a rule's message answers it."""
NO_TRACKING = "no_tracking"
"""The attribute of a contact who wants nothing of this counted."""
MOST_FOLLOWED = 10  # messages in one thread; of more, the oldest are no longer followed


def reaction(name: str, message: Message, at: datetime, *, id: str, source: str = "", **more: Any) -> Event | None:
    """Return the event that tells of this reaction, or None when no rule made the message."""
    rule, step = message.metadata.get("rule"), message.metadata.get("step", "")
    if not rule:
        return None
    space = message.delivery.to.partition(":")[0] if message.delivery else message.channel
    thread = None if message.conversation == message.id else message.conversation  # a notice has none
    properties = {"message": message.id, "rule": rule, "step": step, "channel": space, **more}
    return Event(id, message.profile, name, at, thread, CUSTOMER, source or message.channel, properties)


def follow(thread: Conversation, message: Message) -> Conversation:
    """Return the thread remembering this message of a rule, and no longer those that nothing can come back to."""
    known = [one for one in thread.followed if message.at - one.at < ANSWERS_WITHIN][1 - MOST_FOLLOWED :]
    rule, step = str(message.metadata["rule"]), str(message.metadata.get("step", ""))
    return replace(thread, followed=(*known, Followed(message.id, message.seq, message.at, rule, step)))


def read_to(thread: Conversation, seq: int, at: datetime) -> tuple[Conversation, tuple[Event, ...]]:
    """Return the thread and what to tell after its person read it up to this seq."""
    fresh = [one for one in thread.followed if one.seq <= seq and not one.is_read]
    if not fresh:
        return thread, ()
    followed = tuple(replace(one, is_read=True) if one in fresh else one for one in thread.followed)
    return replace(thread, followed=followed), tuple(_told(READ, one, thread, at, at) for one in fresh)


def answered(thread: Conversation, at: datetime, now: datetime) -> tuple[Conversation, tuple[Event, ...]]:
    """Return the thread and what to tell after its person wrote: the last message of a rule is answered, and once only."""
    if not thread.followed:
        return thread, ()
    last = thread.followed[-1]
    told = (_told(ANSWERED, last, thread, at, now),) if at - last.at <= ANSWERS_WITHIN else ()
    return replace(thread, followed=()), told


def _told(name: str, one: Followed, thread: Conversation, at: datetime, now: datetime) -> Event:
    space = (thread.identity or thread.id).partition(":")[0]
    properties = {"message": one.message, "rule": one.rule, "step": one.step, "channel": space}
    return Event(new_id(now), thread.profile, name, at, thread.id, CUSTOMER, thread.channel, properties)
