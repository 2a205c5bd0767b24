"""The contract between who hears a message and who answers it: the front door asks, the bot (or a rule) answers.

Both are strangers to each other; what they exchange is made of the nouns below them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.snapshot import Snapshot
from profiles.swift import swift
from profiles.timeline import Content, Event, Message


@swift
@dataclass(frozen=True, slots=True)
class Answer:
    """What answering one message came to."""

    profile: Profile
    conversation: Conversation
    says: tuple[Content, ...] = ()
    events: tuple[Event, ...] = ()
    unfinished: bool = False
    """The answer needs the outside world: keep the message as pending; a task outside the commit finishes it."""


Answerer: TypeAlias = Callable[[Snapshot, Profile, Conversation, Message], Answer]
"""Pure: answers a message of a conversation that the bot owns."""


def nobody(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Answer nothing: for conversations that only people answer."""
    return Answer(profile, conversation)
