"""What a wallet card is (a file of the book says so) and what one person's pass of it is: facts that rules and channels share.

Rules read the files and ask for passes, the channel builds, signs and updates them; they are strangers, so both nouns live here.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal

from profiles.personalize import Text

CardKind = Literal["loyalty", "coupon", "event ticket", "generic"]
Spot = Literal["header", "primary", "secondary", "auxiliary", "back"]
BarcodeFormat = Literal["qr", "pdf417", "aztec", "code128"]
ImageRole = Literal["icon", "logo", "strip", "thumbnail"]

PASSES = "passes"
"""The collection of people's passes."""
MESSAGE = "message"
"""The field that every pass has: what it tells on the lock screen."""
SPACE = "wallet"
"""The identity space of passes that are on a device: a pass's address is its serial number."""


@dataclass(frozen=True, slots=True)
class CardField:
    """One field of a card: its label and its value, each in one text for all languages ("") or in fr and en."""

    id: str
    spot: Spot
    label: Mapping[str, str] = field(default_factory=dict)
    value: Mapping[str, Text] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    """What the lock screen says when the value changes, %@ standing for it; none: it changes in silence."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """What a till reads from the pass."""

    format: BarcodeFormat
    value: Text
    shown: Text | None = None
    """What stands below it; None: nothing."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and where a ticket is for."""

    at: Text | None = None
    """An instant such as 2026-12-24T20:00+01:00."""
    place: Mapping[str, Text] = field(default_factory=dict)
    address: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """One card of the book: passes/<id>.yml."""

    id: str
    kind: CardKind
    title: Mapping[str, str]
    """Its name, for people, in each language."""
    about: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
    """background, text and label -> #rrggbb."""
    images: Mapping[ImageRole, str] = field(default_factory=dict)
    """role -> file in passes/images, a PNG."""
    fields: tuple[CardField, ...] = ()
    barcode: Barcode | None = None
    link: Text | None = None
    expires: Text | None = None
    """The day or instant after which it is worth nothing."""
    occasion: Occasion | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """One person's pass of a card. There is one of each card: its id, the serial number, is worked out from both."""

    id: str
    profile: str
    card: str
    made_at: datetime
    changed_at: datetime
    """When what it shows last changed, in whole seconds: HTTP's Last-Modified knows no others."""
    tag: int
    """Which change of all passes its latest was: what a device has seen is told by the highest tag it saw."""
    language: str = ""
    put: Mapping[str, str] = field(default_factory=dict)
    """field -> what a rule wrote in place of the card's own text."""
    message: str = ""
    message_id: str = ""
    state: Literal["active", "expired"] = "active"
    seen: str = ""
    """A digest of what it showed at its latest change: what shows the same again is no change."""
    devices: int = 0
    """On how many Apple devices it is."""
    saved: bool = False
    """Whether it is in somebody's Google Wallet, as far as Google told us."""
    is_google: bool = False
    """Whether Google knows the object: it was made there when somebody asked for a link."""
    told: str = ""
    """The message_id that Google was last given."""
    notified: tuple[datetime, ...] = ()
    """When Google last notified of its messages."""
    due_at: datetime | None = None
    """When the wallets must be told of its change; None: they know."""
    attempts: int = 0
    trouble: str = ""
    """Why the wallets could not be told at the last attempt."""
    version: int = 0

    @property
    def is_held(self) -> bool:
        """Whether it is on somebody's device at all, as far as we know."""
        return self.devices > 0 or self.saved


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody's pass is to become: made if they have none, else brought up to what is known of them now."""

    profile: str
    card: str
    put: Mapping[str, str] = field(default_factory=dict)
    """field -> text in place of the card's own; an empty one gives the card's own back."""
    message: str = ""
    """Told on the lock screen; empty: the pass keeps the one it has."""
    id: str = ""
    """Whose message it is: told once, however often it is wished for."""
    ends: bool = False


Kept = Literal["changed", "same", "nobody", "no_card", "unshown"]
"""What came of a wish: shown from now on; shown already; there is no such person, no such card; a text of it is broken."""
Keep = Callable[[Wish], Awaitable[Kept]]
"""Keeps a pass as it is wished for, on disk when it returns. Raises Unavailable: wish again."""


@dataclass(slots=True)
class Cards:
    """The cards that there are now, and where their pictures stand: told anew whenever the book changes."""

    known: Mapping[str, Card] = field(default_factory=dict)
    images: Path = Path("rules/book/passes/images")
    language: str = "fr"
    """What is spoken to whoever's own language is not known."""
    zone: tzinfo = UTC
    """Where contacts live whose zone is not known."""


def serial_of(secret: bytes, profile: str, card: str) -> str:
    """Return the serial number of this person's pass of this card: always the same, and nobody else can work it out."""
    return hmac.digest(secret, f"wallet serial\n{profile}\n{card}".encode(), "sha256").hex()[:32]


def token_of(secret: bytes, serial: str) -> str:
    """Return what a device must show to read or register this pass (Apple's authenticationToken, 16 characters at least)."""
    return hmac.digest(secret, f"wallet token\n{serial}".encode(), "sha256").hex()


def number_of(serial: str) -> str:
    """Return the number of a pass as people and tills read it: twelve digits."""
    return f"{int(hashlib.sha256(serial.encode()).hexdigest()[:16], 16) % 10**12:012d}"
