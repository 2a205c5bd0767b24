"""What a person did with a message, as far as it is counted: nothing of somebody who wants nothing counted, a click once."""

from datetime import datetime

from channels.arrivals import mark
from channels.channel import Receipt
from profiles.reactions import NO_TRACKING
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import Message

ONE_CLICK_SECONDS = 600
"""The same link or message pressed again within this stretch of the clock is the same click."""


def may_count(snapshot: Snapshot, message: Message) -> bool:
    """Return whether it may be told what became of this message with its person."""
    profile = snapshot.profile(message.profile)
    return profile is not None and not profile.value(NO_TRACKING)


def opened(message: Message, now: datetime) -> Work:
    """Return the Work that notes that the message was read."""
    noted = mark(message.id, Receipt(message.channel, "", "read", now))

    def think(snapshot: Snapshot) -> Changes | Refusal:
        return noted.think(snapshot) if may_count(snapshot, message) else Changes()

    return Work(think, messages=noted.messages, profiles=(message.profile,))
