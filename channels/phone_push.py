"""What Firebase and Apple have in common: the message as an app gets it, and its body cut to what they carry. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.channel import Outbound
from profiles.text import CUT, clean
from profiles.timeline import Content
from profiles.tracking import without_links

LARGEST = 4096  # octets of a payload, at Firebase and at Apple alike
LONGEST_TITLE, LONGEST_BODY = 250, 2_000  # characters; every phone cuts far sooner
MOST_BUTTONS = 4


def own_part(content: Content, message: str) -> dict[str, Any]:
    """Return what our part of the payload says to the app, under the key `causerie`: which message it is, and what to open.

    `link` counts the tap where links are counted; `target` is then where it leads, for an app that opens its own pages itself
    and reports the tap (channels/inapp_doors.py).
    """
    target = without_links(content).link if content.links else ""
    buttons = [
        {"title": clean(button.title, longest=60), **_said({"url": button.url or "", "payload": button.payload or ""})}
        for button in content.buttons if button.title
    ][:MOST_BUTTONS]  # fmt: skip
    return {
        "id": message,
        **_said({"link": content.link, "target": target, "image": content.image, "buttons": buttons}),
    }


def title_of(content: Content) -> str:
    """Return the headline, cut."""
    return clean(content.title, longest=LONGEST_TITLE)


def fitted(write: Callable[[str], bytes], text: str, largest: int = LARGEST) -> bytes | None:
    """Return what `write` makes of as much of the text as fits; None when not even none of it does."""
    text = clean(text, longest=LONGEST_BODY)
    octets = write(text)
    while len(octets) > largest:
        if not text:
            return None
        # each character takes one octet at least, so this many at least must go; a cut mark takes three
        left = len(text) - max((len(octets) - largest + 3) // 4, len(CUT) + 1)
        text = text.removesuffix(CUT)[:left].rstrip() + CUT if left > 0 else ""
        octets = write(text)
    return octets


def ends_at(outbound: Outbound, ttl: timedelta, now: datetime) -> datetime:
    """Return from when the message is not worth delivering any more: as it says itself, else after the channel's time."""
    return outbound.content.expires_at or (outbound.at or now) + ttl


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
