"""The addresses by which one person decides for themselves, without signing in: their page, one topic's end, a confirmation.

Each token says its purpose, the person and its last instant, signed by this installation (profiles/links.py). It is bound to the
profile that it was made for: when that one is merged into another, the page is that other's. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.calendar import from_timestamp
from profiles.consent import CONFIRM_WITHIN
from profiles.ledger import key
from profiles.links import read, sign
from profiles.topics import EVERY

PAGE_FOR = timedelta(days=60)
"""How long the page opens by one link: it shows what is known of a person, so a forwarded message must not open it for ever."""
UNSUBSCRIBE_FOR = timedelta(days=1_100)
"""An unsubscribe link shows nothing, and people clean old mail: it must rather work too long."""

_PAGE, _UNSUBSCRIBE, _CONFIRM, _CARDS = "preferences", "unsubscribe", "confirm", "wallet"


@dataclass(frozen=True, slots=True)
class Offer:
    """What an unsubscribe link ends: a topic on a channel (`*`: all of them), and the message that it stood in."""

    profile: str
    channel: str
    topic: str = EVERY
    message: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a confirmation link confirms: the yes that waits under the proof's id."""

    profile: str
    channel: str
    topic: str
    proof: str


@dataclass(frozen=True, slots=True)
class Over:
    """The token is one of ours, and its time is over."""


class PersonalLinks:
    """Makes and reads these links. `base` is the server's public address, https://host without a slash at the end.

    Without `has_wallet` a template finds no `links.wallet`: the page of cards is not served.
    """

    def __init__(self, secret: bytes, base: str, *, has_wallet: bool = False) -> None:
        self._secret, self._base, self._has_wallet = secret, base, has_wallet

    def preferences(self, profile: str, now: datetime) -> str:
        """Return the address of this person's own page."""
        return f"{self._base}/p/{self._sign(_PAGE, now + PAGE_FOR, profile)}"

    def wallet(self, profile: str, now: datetime) -> str:
        """Return the address of the page where this person puts their cards into their phone."""
        return f"{self._base}/w/{self._sign(_CARDS, now + PAGE_FOR, profile)}"

    def unsubscribe(self, offer: Offer, now: datetime) -> str:
        """Return the address that ends this topic on this channel: by one POST (RFC 8058), or by a button."""
        key(offer.channel, offer.topic)
        parts = (offer.profile, offer.channel, offer.topic, offer.message)
        return f"{self._base}/u/{self._sign(_UNSUBSCRIBE, now + UNSUBSCRIBE_FOR, *parts)}"

    def confirm(self, asked: Asked, now: datetime) -> str:
        """Return the address whose button confirms a yes (double opt-in)."""
        parts = (asked.profile, asked.channel, asked.topic, asked.proof)
        return f"{self._base}/p/confirm/{self._sign(_CONFIRM, now + CONFIRM_WITHIN, *parts)}"

    def for_templates(
        self, profile: str, now: datetime, *, channel: str = "", topic: str = "", start: Mapping[str, Any] | None = None
    ) -> Mapping[str, str]:
        """Return what a template may name: `links.preferences`, `.wallet`, `.unsubscribe`, and `.confirm` where a yes waits.

        `start` is what began the run: the event `consent.asked` says which yes it is.
        """
        found = {"preferences": self.preferences(profile, now)}
        if self._has_wallet:
            found["wallet"] = self.wallet(profile, now)
        if channel:
            found["unsubscribe"] = self.unsubscribe(Offer(profile, channel, topic or EVERY), now)
        said = {name: str((start or {}).get(name) or "") for name in ("channel", "topic", "asked")}
        if all(said.values()):
            found["confirm"] = self.confirm(Asked(profile, said["channel"], said["topic"], said["asked"]), now)
        return found

    def page_of(self, token: str, now: datetime) -> str | Over | None:
        """Return whose page this token opens; None when it is not one of ours."""
        parts = self._read(_PAGE, token, now)
        return parts[0] if isinstance(parts, tuple) else parts

    def cards_of(self, token: str, now: datetime) -> str | Over | None:
        """Return whose cards this token shows; None when it is not one of ours."""
        parts = self._read(_CARDS, token, now)
        return parts[0] if isinstance(parts, tuple) else parts

    def offer_of(self, token: str, now: datetime) -> Offer | Over | None:
        """Return what this token ends; None when it is not one of ours."""
        parts = self._read(_UNSUBSCRIBE, token, now)
        return Offer(*parts) if isinstance(parts, tuple) else parts

    def asked_of(self, token: str, now: datetime) -> Asked | Over | None:
        """Return which yes this token confirms; None when it is not one of ours."""
        parts = self._read(_CONFIRM, token, now)
        return Asked(*parts) if isinstance(parts, tuple) else parts

    def _sign(self, purpose: str, until: datetime, *parts: str) -> str:
        return sign(self._secret, purpose, f"{int(until.timestamp()):x}", *parts)

    def _read(self, purpose: str, token: str, now: datetime) -> tuple[str, ...] | Over | None:
        parts = read(self._secret, purpose, token)
        if parts is None:
            return None
        return parts[1:] if now < from_timestamp(int(parts[0], 16)) else Over()
