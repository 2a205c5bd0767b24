"""What the open pages must hear, gathered while the last news was still told: a row per conversation, once."""

from collections import OrderedDict
from dataclasses import dataclass, field

from admin.timeline import decided
from profiles.conversation import Conversation
from profiles.snapshot import Changes
from profiles.timeline import Event, Message
from rules.applying import DECISIONS

MOST = 2_000  # beyond, pages are told to load afresh: cheaper for everybody than so much news
COLLECTIONS = ("messages",)


@dataclass(slots=True)
class News:
    """What happened since the pages were last told."""

    conversations: dict[str, Conversation] = field(default_factory=dict)
    items: dict[str, Message | Event] = field(default_factory=dict)
    amended: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    is_too_much: bool = False

    def add(self, changes: Changes) -> None:
        """Take in what one work changed."""
        self.conversations |= {conversation.id: conversation for conversation in changes.conversations}
        self.items |= {message.id: message for message in changes.messages}
        self.items |= {event.id: event for event in changes.events}
        decisions = [row for collection, row in changes.records if collection == DECISIONS and row["reason"] != "sent"]
        self.items |= {event.id: event for event in map(decided, decisions)}
        self.amended |= {amend.message for amend in changes.amends if amend.collection in COLLECTIONS}
        self.profiles |= {profile.id for profile in changes.profiles}
        self.mentioned |= {str(row["agent"]) for collection, row in changes.records if collection == "mentions"}
        if len(self.conversations) + len(self.items) + len(self.amended) > MOST:
            self.forget()
            self.is_too_much = True

    def forget(self) -> None:
        """Drop all: whoever needs it reads it afresh."""
        for part in (self.conversations, self.items, self.amended, self.profiles):
            part.clear()

    def __bool__(self) -> bool:
        return bool(
            self.is_too_much or self.conversations or self.items or self.amended or self.profiles or self.mentioned
        )


@dataclass(slots=True)
class Announced:
    """Which handovers the agents were told of, so that each rings once."""

    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def is_new(self, conversation: Conversation) -> bool:
        """Return whether this conversation was handed over and nobody was told yet."""
        if conversation.owner != "queue" or conversation.handover is None:
            return False
        key = f"{conversation.id}|{conversation.handover.at.isoformat()}"
        if key in self._known:
            return False
        self._known[key] = None
        if len(self._known) > 5_000:
            self._known.popitem(last=False)
        return True
