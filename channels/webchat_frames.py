"""The words of the web chat's socket: what a browser may send, and how one message looks to it. Pure.

A frame is one JSON object of at most 64 kB with a `type`; docs/channels/webchat.md lists them all. Whatever comes in is
somebody's guess until it has passed `parse`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import urlsplit

import orjson

from profiles.timeline import Attachment, Button, Message

LONGEST_TEXT = 4000  # characters; the widget sends no more, and says how many are too many
LARGEST_SEQ = 2**53  # whole numbers that JavaScript keeps exact

Frame: TypeAlias = dict[str, Any]

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_FILE_ID = re.compile(r"[0-9A-Z]{26}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame: who this is, and up to where it has seen the conversation."""

    token: str = ""
    identity: str = ""
    last_seq: int | None = None
    language: str | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """The visitor says something: a text, a button of message `seq`, or a file that was uploaded before."""

    id: str
    text: str = ""
    payload: str | None = None
    seq: int = 0
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The visitor has read up to here."""

    seq: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """The visitor scrolls up: the page of messages before this one, please."""

    before: int


@dataclass(frozen=True, slots=True)
class Again:
    """One message once more: the links to its files are over."""

    seq: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Is anybody there? A browser can not see the protocol's own pings."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a frame. `id` is the client's message id where one could be read, so that the widget stops repeating it."""

    reason: str
    id: str | None = None


Incoming: TypeAlias = Hello | Say | Seen | Earlier | Again | Ping | Malformed


def parse(raw: str) -> Incoming:
    """Return what this frame says, or Malformed; never raises."""
    try:
        frame = orjson.loads(raw)  # refuses NaN and lone surrogates
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return Malformed("not_json")
    if not isinstance(frame, dict):
        return Malformed("not_an_object")
    reader = _READERS.get(str(frame.get("type")))
    return reader(frame) if reader else Malformed("unknown_type", _id(frame))


def spoken(message: Message, *, name: str, link: Callable[[str], str]) -> Frame:
    """Return the frame of a message. `name` is the agent's, `link` makes the address of a kept file."""
    content = message.content
    author = message.author.partition(":")[0]
    frame: Frame = {"type": "message", "seq": message.seq, "author": author, "at": message.at.isoformat()}
    if author == "customer":
        frame["id"] = message.id.rpartition(":")[2]
    if name:
        frame["name"] = name
    if content.text:
        frame["text"] = content.text
    if content.buttons:
        frame["buttons"] = [_button(button) for button in content.buttons]
    if content.attachments:
        frame["files"] = [_file(attachment, link) for attachment in content.attachments]
    if content.place:
        frame["place"] = [content.place.latitude, content.place.longitude]
    if content.card:
        frame["card"] = {"name": content.card.name, "phone": content.card.phone}
    return frame


def _hello(frame: Mapping[str, Any]) -> Incoming:
    token, identity = frame.get("token") or "", frame.get("identity") or ""
    last_seq, language = frame.get("last_seq"), frame.get("language")
    if not isinstance(token, str) or not isinstance(identity, str):
        return Malformed("token")
    if last_seq is not None and not _is_seq(last_seq):
        return Malformed("last_seq")
    known = isinstance(language, str) and len(language) <= 35 and _LANGUAGE.fullmatch(language)
    return Hello(token, identity, last_seq, str(language) if known else None, _page(frame.get("page")))


def _say(frame: Mapping[str, Any]) -> Incoming:
    id = _id(frame)
    if id is None:
        return Malformed("id")
    given = [name for name in ("text", "payload", "file") if frame.get(name) is not None]
    if len(given) != 1 or not isinstance(frame[given[0]], str):
        return Malformed("content", id)
    if given == ["payload"]:
        seq = frame.get("seq")
        return Say(id, payload=frame["payload"], seq=seq) if _is_seq(seq) else Malformed("seq", id)
    if given == ["file"]:
        return Say(id, file=frame["file"]) if _FILE_ID.fullmatch(frame["file"]) else Malformed("file", id)
    text = _clean(frame["text"])
    if not text:
        return Malformed("empty", id)
    return Say(id, text=text) if len(text) <= LONGEST_TEXT else Malformed("too_long", id)


def _number(name: str, make: Callable[[int], Incoming]) -> Callable[[Mapping[str, Any]], Incoming]:
    def read(frame: Mapping[str, Any]) -> Incoming:
        value = frame.get(name)
        return make(value) if _is_seq(value) else Malformed(name)

    return read


_READERS: dict[str, Callable[[Mapping[str, Any]], Incoming]] = {
    "hello": _hello,
    "say": _say,
    "read": _number("seq", Seen),
    "earlier": _number("before", Earlier),
    "again": _number("seq", Again),
    "ping": lambda frame: Ping(),
}


def _id(frame: Mapping[str, Any]) -> str | None:
    id = frame.get("id")
    return id if isinstance(id, str) and _CLIENT_ID.fullmatch(id) else None


def _is_seq(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEQ


def _clean(text: str) -> str:
    """Return the text without control characters (NUL among them); line breaks and tabs stay."""
    kept = (letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc")
    return "".join(kept).strip()


def _page(address: Any) -> str:
    """Return the page's address without query and fragment, which may hold what is nobody's business."""
    if not isinstance(address, str) or len(address) > 2000:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:500]


def _button(button: Button) -> Frame:
    if button.url is not None:
        return {"title": button.title, "url": button.url}
    return {"title": button.title, "payload": button.title if button.payload is None else button.payload}


def _file(attachment: Attachment, link: Callable[[str], str]) -> Frame:
    frame: Frame = {"kind": attachment.kind, "name": attachment.name, "mime": attachment.mime, "size": attachment.size}
    if attachment.file:
        frame["url"] = link(attachment.file)
    return frame
