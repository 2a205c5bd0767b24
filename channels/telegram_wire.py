"""What Telegram tells us: one update, as the plain JSON object it comes as, becomes one arrival, or none.

Read from the plain dict: a message costs 10 us here, 84 us through python-telegram-bot's Update.de_json.
Shapes: https://core.telegram.org/bots/api#update. Groups and channels are passed over: a profile is one person.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import orjson

from channels.channel import Arrival, Edited, Inbound, Reachable
from profiles.calendar import from_timestamp
from profiles.text import clean
from profiles.timeline import Attachment, Card, Content, Place

NAME = "telegram"
PRESS = "callback."  # before the id of a pressed button, so that it never meets a message's id
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")

_FILES = {  # field -> kind, name and type where Telegram does not say
    "animation": ("video", "animation.mp4", "video/mp4"),
    "document": ("file", "document", "application/octet-stream"),
    "audio": ("audio", "audio.mp3", "audio/mpeg"),
    "voice": ("audio", "voice.ogg", "audio/ogg"),
    "video": ("video", "video.mp4", "video/mp4"),
    "video_note": ("video", "video.mp4", "video/mp4"),
}
_PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
_OF_A_TEXT = frozenset({"message_id", "from", "chat", "date", "text", "entities"})
_NAMED_ONLY = ("poll", "game", "story", "invoice", "checklist", "paid_media", "giveaway")

Json = Mapping[str, Any]
Kind = TypeVar("Kind")


class Malformed(ValueError):
    """Not what the Bot API sends."""


def read(raw: bytes) -> Any:
    """Return what this JSON says; lone surrogates pass (orjson alone would refuse them). Raises Malformed."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {type(error).__name__}") from None


def arrival(update: Any) -> Arrival | None:
    """Return what happened, or None for what we do not follow (groups, service messages). Raises Malformed."""
    if not isinstance(update, dict):
        raise Malformed(f"update: expected an object, got {type(update).__name__}")
    _need(update, "update_id", int)
    if message := _may(update, "message", dict):
        return _inbound(message)
    if edited := _may(update, "edited_message", dict):
        return _edited(edited)
    if query := _may(update, "callback_query", dict):
        return _press(query)
    if change := _may(update, "my_chat_member", dict):
        return _reachable(change)
    return None


def chat_of(update: Any) -> str:
    """Return whose update this is, so that one person's are taken in order; "" where it can not be told."""
    for kind in KINDS:
        body = update.get(kind) if isinstance(update, dict) else None
        sender = body.get("from") if isinstance(body, dict) else None
        if isinstance(sender, dict):
            return str(sender.get("id", ""))
    return ""


def _inbound(message: Json) -> Inbound | None:
    chat = _private_chat(message)
    sender = _may(message, "from", dict) or {}
    content = _content(message)
    if chat is None or content is None or sender.get("is_bot"):
        return None
    metadata = _metadata(message)
    if content.text.startswith("/start "):  # a deep link: https://core.telegram.org/bots/features#deep-linking
        metadata["start"] = content.text.removeprefix("/start ").strip()[:64]
        content = Content("/start")
    return Inbound(
        channel=NAME,
        address=chat,
        id=f"{chat}.{_need(message, 'message_id', int)}",
        content=content,
        sent_at=_instant(message, "date"),
        language=_text(sender, "language_code") or None,
        declared=_declared(sender),
        metadata=metadata,
    )


def _edited(message: Json) -> Edited | None:
    chat, content = _private_chat(message), _content(message)
    if chat is None or content is None:
        return None
    at = _instant(message, "edit_date" if "edit_date" in message else "date")
    return Edited(channel=NAME, address=chat, id=f"{chat}.{_need(message, 'message_id', int)}", content=content, at=at)


def _press(query: Json) -> Inbound | None:
    """A button: the title stands in the message it hangs on, unless Telegram no longer shows us that (48 h)."""
    id, data, message = _need(query, "id", str), _text(query, "data"), _may(query, "message", dict)
    if not data or message is None or (chat := _private_chat(message)) is None:
        return None
    title = _title(message, data)
    sender = _may(query, "from", dict) or {}
    return Inbound(
        channel=NAME,
        address=chat,
        id=f"{PRESS}{clean(id, longest=64)}",
        content=Content(title or data, payload=None if data == title else data),
        language=_text(sender, "language_code") or None,
        declared=_declared(sender),
        metadata={"pressed": f"{chat}.{_need(message, 'message_id', int)}"},
    )


def _title(message: Json, data: str) -> str:
    rows = (_may(message, "reply_markup", dict) or {}).get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for key in row if isinstance(row, list) else ():
            if isinstance(key, dict) and key.get("callback_data") == data:
                return _text(key, "text")
    return ""


def _reachable(change: Json) -> Reachable | None:
    chat = _private_chat(change)
    status = _need(change, "new_chat_member", dict).get("status")
    if chat is None or status not in ("kicked", "member"):
        return None
    return Reachable(channel=NAME, address=chat, reachable=status == "member", at=_instant(change, "date"))


def _private_chat(of: Json) -> str | None:
    chat = _need(of, "chat", dict)
    return str(_need(chat, "id", int)) if chat.get("type") == "private" else None


def _content(message: Json) -> Content | None:
    """Return what the message says, or None when it is no utterance (pinned a message, changed a picture)."""
    if message.keys() <= _OF_A_TEXT:  # nearly every message: a third of the time that looking for all else takes
        words = _text(message, "text")
        return Content(words) if words else None
    venue, contact = _may(message, "venue", dict), _may(message, "contact", dict)
    sticker, dice = _may(message, "sticker", dict), _may(message, "dice", dict)
    text = _text(message, "text") or _text(message, "caption")
    text = text or _text(venue or {}, "title") or _text(sticker or dice or {}, "emoji")
    content = Content(
        text=text or next((f"[{kind}]" for kind in _NAMED_ONLY if kind in message), ""),
        attachments=tuple(_files(message)),
        place=_place(_may(message, "location", dict)),
        card=_card(contact) if contact else None,
    )
    return None if content == Content() else content


def _files(message: Json) -> Iterator[Attachment]:
    if sizes := _may(message, "photo", list):  # the same picture in several sizes, the largest last
        if not isinstance(sizes[-1], dict):
            raise Malformed("photo: expected a list of objects")
        yield _file(sizes[-1], "image", "photo.jpg", "image/jpeg")
    for field, (kind, name, mime) in _FILES.items():
        file = _may(message, field, dict)
        if file and not (field == "document" and "animation" in message):  # an animation is told twice
            yield _file(file, kind, name, mime)
    sticker = _may(message, "sticker", dict)
    if sticker and not sticker.get("is_animated") and not sticker.get("is_video"):  # those: their emoji says it
        yield _file(sticker, "image", "sticker.webp", "image/webp")


def _file(file: Json, kind: Any, name: str, mime: str) -> Attachment:
    mime = _text(file, "mime_type") or mime
    return Attachment(
        kind="image" if kind == "file" and mime in _PICTURES else kind,
        name=_text(file, "file_name")[:200] or name,
        mime=mime[:100],
        size=_may(file, "file_size", int) or 0,
        remote=clean(_need(file, "file_id", str), longest=256),
    )


def _place(location: Json | None) -> Place | None:
    if location is None:
        return None
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if not isinstance(latitude, float | int) or not isinstance(longitude, float | int):
        raise Malformed("location: expected numbers")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # asked so, NaN is refused too
        raise Malformed("location: expected degrees")
    return Place(float(latitude), float(longitude))


def _card(contact: Json) -> Card:
    name = " ".join(filter(None, (_text(contact, "first_name"), _text(contact, "last_name"))))
    return Card(name=name[:200], phone=_text(contact, "phone_number")[:40])


def _metadata(message: Json) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if album := _text(message, "media_group_id"):
        metadata["album"] = album[:64]
    if (answered := _may(message, "reply_to_message", dict)) and (chat := _private_chat(answered)):
        metadata["reply_to"] = f"{chat}.{_need(answered, 'message_id', int)}"
    return metadata


def _declared(sender: Json) -> dict[str, str]:
    told = {name: _text(sender, name)[:200] for name in ("first_name", "last_name", "username")}
    return {name: value for name, value in told.items() if value}


def _instant(of: Json, name: str) -> Any:
    try:
        return from_timestamp(_need(of, name, int))
    except ValueError:
        raise Malformed(f"{name}: expected a Unix time") from None


def _text(of: Json, name: str) -> str:
    return clean(_may(of, name, str) or "")


def _need(of: Json, name: str, kind: type[Kind]) -> Kind:
    value = _may(of, name, kind)
    if value is None:
        raise Malformed(f"{name}: expected {kind.__name__}, got nothing")
    return value


def _may(of: Json, name: str, kind: type[Kind]) -> Kind | None:
    value = of.get(name)
    if value is None or type(value) is kind:  # not isinstance: True is no message id
        return value
    raise Malformed(f"{name}: expected {kind.__name__}, got {type(value).__name__}")
