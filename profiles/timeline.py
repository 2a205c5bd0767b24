"""What was said and what happened: messages and events, the two things a profile's timeline is made of.

An outbound message carries its own delivery: one document is what was said, the outbox row and the audit of the sending
(docs/decisions/0002-a-message-carries-its-delivery.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from profiles.swift import swift

Direction = Literal["inbound", "outbound", "note"]
DeliveryState = Literal["queued", "sending", "sent", "delivered", "read", "failed", "suppressed", "unknown"]

CUSTOMER = "customer"
BOT = "bot"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Button:
    """One choice offered: pressing it sends `payload` (or the title when there is none), or opens `url`."""

    title: str
    payload: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file said in a message: kept by us (`file`, an id in the files collection) or still at the provider (`remote`)."""

    kind: Literal["image", "audio", "video", "file"]
    name: str = ""
    mime: str = "application/octet-stream"
    size: int = 0
    file: str | None = None
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A location, in degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Card:
    """A contact that somebody shared: not proof of who they are."""

    name: str
    phone: str = ""


@swift
@dataclass(frozen=True, slots=True)
class Content:
    """What one message says, before a channel gives it its own form."""

    text: str = ""
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    place: Place | None = None
    card: Card | None = None
    payload: str | None = None
    """Inbound: the payload of the button that was pressed; the text is then the button's title."""
    title: str = ""
    """Of a notice: its headline, the subject of an e-mail."""
    html: str = ""
    """The body of an e-mail; `text` says the same without markup."""
    image: str = ""
    """Address of a picture that a notice shows."""
    link: str = ""
    """What a tap on a notice opens."""
    badge: int | None = None
    """The number on the app's icon; 0 takes it away. None: it stays as it is."""
    silent: bool = False
    """Whether the app is woken and the person sees nothing; then `data` is what is said."""
    data: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the app gets beside what the person reads."""
    banner: bool = False
    """Of a message in the app or on the site: shown by itself, not only among the others."""
    expires_at: datetime | None = None
    """From when it is not worth showing any more."""
    links: tuple[str, ...] = ()
    """Where the addresses that count clicks lead, by their number (profiles/tracking.py)."""

    def summary(self) -> str:
        """Return one line for lists and previews, at most 140 characters; no text gives a word for what there is."""
        line = " ".join((self.title or self.text).split())
        if not line and self.attachments:
            line = self.attachments[0].name or self.attachments[0].kind
        if not line and self.place:
            line = f"{self.place.latitude:.5f}, {self.place.longitude:.5f}"
        if not line and self.card:
            line = self.card.name
        return line if len(line) <= 140 else line[:139] + "…"


@swift
@dataclass(frozen=True, slots=True)
class Delivery:
    """The sending of one message to one identity: where it stands, who holds it, why it ended so, and when."""

    to: str
    """The identity key, channel:address."""
    state: DeliveryState = "queued"
    due_at: datetime | None = None
    leased_by: str | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    provider_id: str | None = None
    reason: str | None = None
    times: Mapping[str, datetime] = field(default_factory=dict)
    """state -> when it was reached."""


@swift
@dataclass(frozen=True, slots=True)
class Message:
    """One utterance. Inbound `id` is channel:provider id, so the same message twice meets itself on the unique key."""

    id: str
    conversation: str
    profile: str
    channel: str
    direction: Direction
    author: str
    """`customer`, `bot`, `system` or `agent:<id>`."""
    content: Content
    seq: int
    """Position in the conversation, counted from 1 without gaps."""
    at: datetime
    sent_at: datetime | None = None
    """The provider's own time, when it says one."""
    edited_at: datetime | None = None
    delivery: Delivery | None = None
    reply_to: str | None = None
    """Of an answer: the inbound message it answers."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@swift
@dataclass(frozen=True, slots=True)
class Event:
    """An immutable past fact about a profile, named noun.verb: `conversation.handed_over`, `order.paid`."""

    id: str
    profile: str
    name: str
    happened_at: datetime
    conversation: str | None = None
    by: str = SYSTEM
    source: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
