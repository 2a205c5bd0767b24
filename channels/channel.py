"""The contract of a channel: what a provider's world and ours say to each other.

A channel is one file, `channels/<name>.py`, with a frozen dataclass `Options` and `async def connect(options, door) -> Channel`.
It is switched on by its section `[channels.<name>]`. docs/channels/write-your-own.md walks through one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from aiohttp import web

from profiles.calendar import Clock
from profiles.consents import Consents
from profiles.live import Feed
from profiles.passes import Cards
from profiles.snapshot import Outcome
from profiles.store import Store
from profiles.swift import swift
from profiles.timeline import Content
from profiles.topics import Topic
from profiles.writer import Writer

# -- what comes in


@dataclass(frozen=True, slots=True)
class Inbound:
    """A person said something. `id` is the provider's own id of the message, unique within the channel."""

    channel: str
    address: str
    id: str
    content: Content
    space: str = ""
    """The identity space of the address when it is not the channel's name: `sms` for every SMS provider."""
    sent_at: datetime | None = None
    language: str | None = None
    """What the provider says of the person's language, such as `fr`: a hint."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Attributes the provider tells about the person: `first_name`, `last_name`, `username`."""
    verified: bool = True
    """Whether the provider vouches for the address (a phone network does, an anonymous web visitor is nobody yet)."""
    answers: Literal["bot", "people", "nobody"] = "bot"
    """Who may answer: people, when the bot has answered this address too often of late; nobody, when a machine wrote."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changed a message said before."""

    channel: str
    address: str
    id: str
    content: Content
    at: datetime


@dataclass(frozen=True, slots=True)
class Reachable:
    """The provider says whether this address may be written to: False when the person blocked us, True when they came back."""

    channel: str
    address: str
    reachable: bool
    at: datetime
    space: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message we sent. Late and repeated receipts are harmless; a lower state never replaces a higher."""

    channel: str
    provider_id: str
    state: Literal["sent", "delivered", "read", "failed"]
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A person has read our messages up to this seq of their conversation."""

    channel: str
    address: str
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Identified:
    """A visitor proved who they are, by a token that the shop's own server signed: every handle in it is verified."""

    channel: str
    address: str
    at: datetime
    subject: str
    """The shop's own id of the person."""
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str | None = None


Arrival: TypeAlias = Inbound | Edited | Reachable | Receipt | Read | Identified


# -- what goes out


@swift
@dataclass(frozen=True, slots=True)
class Outbound:
    """A committed message on its way: the channel gives it the provider's form and hands it over once."""

    id: str
    address: str
    content: Content
    conversation: str
    seq: int
    language: str | None = None
    """The one it is written in, where whoever wrote it said so: `fr`."""
    reply_to: str | None = None
    author: str = ""
    """Who says it: `bot`, `agent:<id>`, `rule:<id>`."""
    profile: str = ""
    """Whose message it is: an unsubscribe link is made for them."""
    at: datetime | None = None
    """When it was committed: a message is not tried for ever."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the message says of itself: of a rule's, `rule`, `class`, `topic`."""


@swift
@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it. `delivered` when the channel knows that it also arrived."""

    provider_id: str | None = None
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider proved that it did not take it, and will not.

    dead: the address does not exist. opted_out: the person refuses us. window: only allowed after they write.
    config: our account or set-up is wrong, a person must act. content: this message is wrong.
    """

    reason: Literal["dead", "opted_out", "window", "config", "content"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """The provider proved that it did not take it, and asks to come back after so many seconds."""

    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or an answer that proves nothing: it may have arrived."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Nothing was handed over: of several processes only `process` may, such as the one that is bound to an SMSC."""

    process: str


Sending: TypeAlias = Sent | Failed | Later | Unknown | Elsewhere


@dataclass(frozen=True, slots=True)
class Limits:
    """What this channel can show and how fast it may be fed; what it can not show degrades (channels/degrade.py)."""

    text: int = 4096
    """Characters in one message; longer texts are split."""
    buttons: int = 0
    """Buttons it shows natively; 0: they become a numbered list that is understood when typed."""
    choices: int = 0
    """Where there are more: choices it shows natively as a list that opens (WhatsApp: 3 buttons, else a list of 10)."""
    title: int = 0
    """Characters of a title that it shows; longer ones make a numbered list of all. 0: unbounded."""
    links: bool = True
    """Whether a button may open a page; else links stand in the text."""
    attachments: tuple[str, ...] = ()
    """Kinds it can carry: image, audio, video, file."""
    attachment_bytes: int = 0
    per_second: float = 0.0
    """Messages a second over all people; 0: unbounded."""
    per_person_second: float = 0.0
    sole: bool = False
    """Whether one process sends for all (`Elsewhere`), so that its speed is not shared."""
    at_once: int = 16
    """Provider calls under way at once."""
    keywords: tuple[str, ...] = ()
    """Which of stop, start, help are obeyed here before any bot: SMS laws want all three."""
    stop_bans: bool = True
    """Whether STOP bans the address whatever is sent, as SMS laws want; else it ends what rules write here, and people who
    write are answered as ever (docs/preferences.md)."""
    whole: bool = False
    """Whether a message goes out as it is, in one: its channel has forms of its own for all that it may say (e-mail)."""
    repeats: bool = True
    """Whether a message that we do not take is brought again: what is said only once is taken however busy we are."""
    threads: bool = True
    """Whether people answer there, so that what we send belongs to a conversation; else it is a notice (push, wallet)."""


class Channel(Protocol):
    """One connected channel."""

    name: str
    space: str
    """The identity space of its addresses: its name, or `sms` for every SMS provider."""
    limits: Limits

    def routes(self) -> Sequence[web.RouteDef]:
        """Return its HTTP routes, paths relative to /channels/<name>."""

    async def send(self, outbound: Outbound) -> Sending:
        """Hand one message to the provider, within 30 seconds, once. Never raises for what a provider may answer."""

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Return a remote attachment's bytes and MIME type. Raises LookupError when it is gone or too large."""

    async def close(self) -> None:
        """Stop listening, finish what is under way, let go of connections."""


@runtime_checkable
class Tells(Protocol):
    """A channel that can also say what its provider is told beside the words; nobody needs it to send."""

    async def told(self, outbound: Outbound, at: datetime) -> Sequence[tuple[str, str]]:
        """Return the header fields of this message as it left at that instant, in order; what opens something is cut out."""


# -- what a channel is given


class Receive(Protocol):
    """The front door."""

    def __call__(self, arrival: Arrival) -> Awaitable[Outcome]:
        """Return when the arrival is on disk. Raises Unavailable: answer the provider so that it repeats (503)."""


@dataclass(frozen=True, slots=True)
class Door:
    """All that a channel may use of the server."""

    receive: Receive
    public_url: str
    """https://host without a slash at the end: what providers and visitors reach us by."""
    clock: Clock
    store: Store
    writer: Writer
    feed: Feed
    secret: bytes = b""
    """This installation's own signing secret, 32 bytes, the same in every process."""
    country: str = "FR"
    """Where a phone number without a country code belongs (ISO 3166)."""
    cards: Cards = field(default_factory=Cards)
    """The wallet cards that the rule book has now."""
    identity_secrets: tuple[str, ...] = ()
    """What the shop's own server signs identity tokens with (channels/webchat_tokens.py)."""
    consents: Consents | None = None
    """Where a yes or no is kept that a person says in the channel itself; None: it is not taken there."""
    topics: Callable[[], Mapping[str, Topic]] = dict
    """The topics of the rule book as it is now."""
