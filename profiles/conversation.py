"""The thread with a profile in one channel, and the one state machine that says who answers it.

    bot --handover--> queue --assign or reply--> agent --give back, resolve or idle--> bot

The owner stands in the record and is checked in the same commit that sends, so a bot and an agent never both answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from profiles.followed import Followed
from profiles.swift import swift
from profiles.timeline import Button

Owner = Literal["bot", "queue", "agent"]
Status = Literal["open", "snoozed", "resolved"]


@dataclass(frozen=True, slots=True)
class Handover:
    """Why the bot gave the conversation to people, and what the agent should know before reading it all."""

    reason: Literal["asked", "not_understood", "action", "agent", "rule", "file"]
    at: datetime
    summary: str = ""
    team: str | None = None


@swift
@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread. Its id is the identity key channel:address, so two first messages at once meet on one record."""

    id: str
    profile: str
    channel: str
    address: str
    opened_at: datetime
    identity: str = ""
    """The identity key that our messages go to; it differs from the id where channels share an identity space (SMS)."""
    status: Status = "open"
    owner: Owner = "bot"
    assignee: str | None = None
    team: str | None = None
    seq: int = 0
    """The seq of its last message."""
    last_at: datetime | None = None
    active_at: datetime | None = None
    """Where it stands in long lists: `last_at` to within a minute, for an index that moves with each message is dear."""
    last_text: str = ""
    last_author: str = ""
    last_inbound_at: datetime | None = None
    unread: int = 0
    """Customer's messages that no agent has seen, counted only while people own it."""
    waiting_since: datetime | None = None
    """Since when the customer waits for a person's answer; None when nobody waits."""
    customer_read_seq: int = 0
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    language: str | None = None
    handover: Handover | None = None
    bot: Mapping[str, Any] = field(default_factory=dict)
    """The bot's own memory of this thread (its tracker), opaque to everybody else."""
    pending: tuple[str, ...] = ()
    """Inbound messages acknowledged but still owed an answer by a brain that needs the outside world."""
    offered: tuple[Button, ...] = ()
    """The buttons of our last message: a person who types "2" or a title means one of these."""
    labels: tuple[str, ...] = ()
    followed: tuple[Followed, ...] = ()
    """What rules said here of late, oldest first, until it is answered (profiles/reactions.py)."""
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it asks for attention: not resolved, not asleep."""
        return self.status == "open"


def hand_over(conversation: Conversation, handover: Handover) -> Conversation:
    """Return the conversation waiting for a person. A thread that people already own stays with them."""
    if conversation.owner == "agent":
        return conversation
    return replace(
        conversation,
        owner="queue",
        status="open",
        assignee=None,
        team=handover.team or conversation.team,
        handover=handover,
        waiting_since=conversation.waiting_since or handover.at,
        snoozed_until=None,
        pending=(),
    )


def take(conversation: Conversation, agent: str) -> Conversation:
    """Return the conversation answered by this agent from now on, whoever had it."""
    return replace(
        conversation, owner="agent", assignee=agent, status="open", snoozed_until=None, resolved_at=None, pending=()
    )


def give_back(conversation: Conversation) -> Conversation:
    """Return the conversation answered by the bot again."""
    return replace(
        conversation, owner="bot", assignee=None, handover=None, waiting_since=None, unread=0, snoozed_until=None
    )


def resolve(conversation: Conversation, now: datetime) -> Conversation:
    """Return the conversation closed; the customer's next message reopens it with the bot."""
    return replace(give_back(conversation), status="resolved", resolved_at=now)


def snooze(conversation: Conversation, until: datetime) -> Conversation:
    """Return the conversation asleep until then; a customer's message wakes it earlier."""
    return replace(conversation, status="snoozed", snoozed_until=until)


def wake(conversation: Conversation) -> Conversation:
    """Return the conversation open again with whoever owned it."""
    return replace(conversation, status="open", snoozed_until=None, resolved_at=None)
