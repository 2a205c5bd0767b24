"""The form our messages take on Telegram: which calls, in which order, with which keys under the last one.

A key may carry 64 bytes (callback_data). A longer payload stays where it already is, in the committed message, and
the key carries a reference to it: the message's seq in its conversation and a digest of the payload.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from channels.channel import Limits
from channels.degrade import split, units
from profiles.timeline import Attachment, Button, Card, Content, Place

LIMITS = Limits(
    text=4096,
    buttons=30,  # Telegram takes 100; nobody reads them
    attachments=("image", "audio", "video", "file"),
    attachment_bytes=50_000_000,
    per_second=30,
    per_person_second=1,
    keywords=("stop", "start"),
    stop_bans=False,
)
LONGEST_CAPTION = 1024  # UTF-16 units, as for texts
LONGEST_DATA = 64  # bytes
LARGEST_PHOTO = 10_000_000  # bytes; a larger picture goes as a document
ROW_WIDTH = 30  # characters of titles that stay readable side by side on a telephone
ROW_KEYS = 3
REFERENCE = "~"

_REFERENCE = re.compile(re.escape(REFERENCE) + r"(\d{1,18})\.([\w-]{12})", re.ASCII)
_PHOTOS = ("image/jpeg", "image/png", "image/webp")

Method = Literal["text", "photo", "voice", "audio", "video", "document", "place", "card"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the inline keyboard: with data, or with the address it opens."""

    text: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Bot API; `text` is the caption where a file is sent."""

    method: Method
    text: str = ""
    file: Attachment | None = None
    place: Place | None = None
    card: Card | None = None
    keyboard: tuple[tuple[Key, ...], ...] = ()


def calls(content: Content, seq: int) -> list[Call]:
    """Return the calls that say this, in order; the keyboard hangs under the last."""
    planned = list(_planned(content))
    if not planned and content.buttons:
        planned = [Call("text", text="👇")]  # keys can not stand without a text
    if planned and content.buttons:
        planned[-1] = replace(planned[-1], keyboard=keyboard(content.buttons, seq))
    return planned


def keyboard(buttons: Sequence[Button], seq: int) -> tuple[tuple[Key, ...], ...]:
    """Return the keys in rows: short titles side by side, at most three."""
    rows: list[list[Key]] = []
    for button in buttons:
        key = Key(button.title, url=button.url) if button.url else Key(button.title, data=_data(button, seq))
        beside = rows[-1] if rows else []
        width = sum(len(other.text) for other in beside) + len(key.text)
        if beside and len(beside) < ROW_KEYS and width <= ROW_WIDTH:
            beside.append(key)
        else:
            rows.append([key])
    return tuple(tuple(row) for row in rows)


def referred(data: str) -> int | None:
    """Return the seq of the message that holds the payload of this key, or None when the key holds it itself."""
    found = _REFERENCE.fullmatch(data)
    return int(found[1]) if found else None


def meant(data: str, buttons: Sequence[Button], seq: int) -> Button | None:
    """Return which of a message's buttons this reference means, or None."""
    return next((button for button in buttons if not button.url and _data(button, seq) == data), None)


def _planned(content: Content) -> Iterator[Call]:
    files = content.attachments
    captioned = len(files) == 1 and units(content.text) <= LONGEST_CAPTION
    for file in files:
        yield Call(_method(file), file=file, text=content.text if captioned else "")
    if content.place:
        yield Call("place", place=content.place)
    if content.card:
        yield Call("card", card=content.card) if content.card.phone else Call("text", text=content.card.name)
    if not captioned:
        for part in split(content.text, LIMITS.text):
            yield Call("text", text=part)


def _method(file: Attachment) -> Method:
    """Return how to send this file: Telegram plays and shows few formats, the others go as documents."""
    mime = file.mime.partition(";")[0].strip().lower()
    if file.kind == "image" and mime in _PHOTOS and file.size <= LARGEST_PHOTO:
        return "photo"
    if file.kind == "audio" and mime in ("audio/ogg", "audio/opus"):
        return "voice"
    if file.kind == "audio" and mime in ("audio/mpeg", "audio/mp4", "audio/x-m4a"):
        return "audio"
    if file.kind == "video" and mime == "video/mp4":
        return "video"
    return "document"


def _data(button: Button, seq: int) -> str:
    """Return what the key carries. A payload that looks like a reference goes by reference too."""
    said = button.payload or button.title
    raw = said.encode(errors="replace")
    if len(raw) <= LONGEST_DATA and not said.startswith(REFERENCE):
        return said
    digest = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:9]).decode()
    return f"{REFERENCE}{seq}.{digest}"
