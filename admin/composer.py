"""What an agent may send on a conversation's channel, said before they write: limits, segments, files, and why not at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from channels.channel import Channel
from profiles.conversation import Conversation
from profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Showing:
    """How a reply will look on its channel."""

    blocked: str | None = None
    """Why nothing can be sent: no_channel, or the reason of the identity's suppression."""
    text_limit: int = 4096
    in_segments: bool = False
    """SMS: counted and paid by segments of GSM-7 or UCS-2."""
    attachments: tuple[str, ...] = ()
    attachment_bytes: int = 0


def showing(channels: Mapping[str, Channel], conversation: Conversation, profile: Profile) -> Showing:
    """Return what a reply to this conversation may carry."""
    channel = channels.get(conversation.channel)
    if channel is None:
        return Showing(blocked="no_channel")
    identity = profile.identity(conversation.identity)
    suppression = identity.suppression if identity else None
    limits = channel.limits
    return Showing(
        blocked=suppression.reason if suppression else None,
        text_limit=limits.text,
        in_segments=channel.space == "sms",
        attachments=limits.attachments,
        attachment_bytes=limits.attachment_bytes,
    )
