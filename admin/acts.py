"""What an agent does to a conversation, as Work for the one writer: pure thinking, with its audit row in the same commit.

Each act refuses what makes no sense any more (somebody else was first), so that two agents never overwrite each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from admin.agents import Agent, audit_row
from profiles import conversation as thread
from profiles.append import noted, said
from profiles.conversation import Conversation, Handover
from profiles.ids import new_id
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import Content, Event, Message

LONGEST_TEXT = 16_000

Turn = Callable[[Conversation, datetime], "Conversation | Refusal"]


def reply(id: str, content: Content, agent: Agent, *, client_id: str) -> Work:
    """Say this to the customer. Whoever replies has taken the conversation. `client_id` makes a double click one message."""
    proof = f"reply:{agent.id}:{client_id}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None:
            return Refusal("unknown_conversation", id)
        profile = snapshot.profile(conversation.profile)
        identity = profile.identity(conversation.identity) if profile else None
        if identity and identity.suppression:
            return Refusal("suppressed", identity.suppression.reason)
        events = () if _has(conversation, agent) else (_event("conversation.taken", conversation, agent, snapshot.now),)
        taken = conversation if _has(conversation, agent) else thread.take(conversation, agent.id)
        taken, message = said(
            taken, content, id=f"{conversation.channel}:out:{new_id(snapshot.now)}", author=f"agent:{agent.id}",
            now=snapshot.now, to=conversation.identity,
        )  # fmt: skip
        audit = _audit("conversation.replied", conversation, agent, snapshot.now, message=message.id)
        return Changes(
            conversations=(taken,), messages=(message,), events=events, records=(("audit", {**audit, "_id": proof}),),
            answer=message,
        )  # fmt: skip

    return Work(think, conversations=(id,), key=proof, key_in="audit")


def note(id: str, text: str, agent: Agent, *, mentioned: tuple[str, ...], client_id: str) -> Work:
    """Keep a private note; each mentioned agent gets a row that counts until they have read it."""
    proof = f"note:{agent.id}:{client_id}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None:
            return Refusal("unknown_conversation", id)
        now = snapshot.now
        after, message = noted(
            conversation, text, id=f"note:{new_id(now)}", author=f"agent:{agent.id}", now=now,
            metadata={"mentioned": list(mentioned)} if mentioned else None,
        )  # fmt: skip
        audit = _audit("conversation.noted", conversation, agent, now, message=message.id)
        mentions = [("mentions", _mention(message, who, agent)) for who in mentioned]
        return Changes(
            conversations=(after,), messages=(message,), records=(("audit", {**audit, "_id": proof}), *mentions),
            answer=message,
        )  # fmt: skip

    return Work(think, conversations=(id,), key=proof, key_in="audit")


def take(id: str, agent: Agent) -> Work:
    """Answer this conversation from now on."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        return Refusal("already_yours") if _has(conversation, agent) else thread.take(conversation, agent.id)

    return _turning(id, agent, turn, "conversation.taken")


def assign(id: str, to: Agent, agent: Agent) -> Work:
    """Give the conversation to another agent."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        return Refusal("already_theirs") if _has(conversation, to) else thread.take(conversation, to.id)

    return _turning(id, agent, turn, "conversation.assigned", to=to.id)


def unassign(id: str, agent: Agent) -> Work:
    """Put the conversation back into the queue, for any agent to take."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        if conversation.owner == "queue":
            return Refusal("already_waiting")
        why = conversation.handover or Handover("agent", now)
        waiting = thread.hand_over(replace(conversation, owner="bot"), why)
        return replace(waiting, waiting_since=conversation.waiting_since or now, resolved_at=None)

    return _turning(id, agent, turn, "conversation.unassigned")


def give_back(id: str, agent: Agent) -> Work:
    """Let the bot answer again."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        return Refusal("already_bot") if conversation.owner == "bot" else thread.give_back(thread.wake(conversation))

    return _turning(id, agent, turn, "conversation.given_back")


def resolve(id: str, agent: Agent) -> Work:
    """Close the conversation; the customer's next message reopens it with the bot."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        return Refusal("already_resolved") if conversation.status == "resolved" else thread.resolve(conversation, now)

    return _turning(id, agent, turn, "conversation.resolved")


def reopen(id: str, agent: Agent) -> Work:
    """Open a resolved or sleeping conversation again, answered by this agent unless somebody has it."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        if conversation.is_open:
            return Refusal("already_open")
        return thread.wake(conversation) if conversation.owner == "agent" else thread.take(conversation, agent.id)

    return _turning(id, agent, turn, "conversation.reopened")


def snooze(id: str, until: datetime, agent: Agent) -> Work:
    """Put the conversation to sleep until then; a customer's message wakes it earlier."""

    def turn(conversation: Conversation, now: datetime) -> Conversation | Refusal:
        if until <= now:
            return Refusal("in_the_past")
        awake = conversation if _has(conversation, agent) else thread.take(conversation, agent.id)
        return thread.snooze(awake, until)

    return _turning(id, agent, turn, "conversation.snoozed", until=until)


def read(id: str, seq: int) -> Work:
    """Count the customer's messages up to this seq as seen. Nobody audits reading."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None:
            return Refusal("unknown_conversation", id)
        unread = min(conversation.unread, max(0, conversation.seq - seq))
        if unread == conversation.unread:
            return Changes()
        return Changes(conversations=(replace(conversation, unread=unread),))

    return Work(think, conversations=(id,))


def _turning(id: str, agent: Agent, turn: Turn, act: str, **details: Any) -> Work:
    """Return the Work that turns a conversation's state, with its event on the timeline and its audit row."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None:
            return Refusal("unknown_conversation", id)
        after = turn(conversation, snapshot.now)
        if isinstance(after, Refusal):
            return after
        return Changes(
            conversations=(after,),
            events=(_event(act, conversation, agent, snapshot.now, **details),),
            records=(("audit", _audit(act, conversation, agent, snapshot.now, **details)),),
        )

    return Work(think, conversations=(id,))


def _has(conversation: Conversation, agent: Agent) -> bool:
    return conversation.owner == "agent" and conversation.assignee == agent.id and conversation.status == "open"


def _event(name: str, conversation: Conversation, agent: Agent, now: datetime, **properties: Any) -> Event:
    return Event(
        new_id(now), conversation.profile, name, now, conversation.id, f"agent:{agent.id}", "console", properties
    )


def _audit(act: str, conversation: Conversation, agent: Agent, now: datetime, **details: Any) -> dict[str, Any]:
    return audit_row(act, by=agent.id, about=conversation.id, at=now, **details)


def _mention(message: Message, who: str, by: Agent) -> Mapping[str, Any]:
    return {
        "_id": f"{message.id}:{who}", "agent": who, "by": by.id, "at": message.at,
        "conversation": message.conversation, "profile": message.profile, "message": message.id, "seen_at": None,
    }  # fmt: skip
