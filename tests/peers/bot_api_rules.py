"""What the Bot API asks of each call and answers to a wrong one: https://core.telegram.org/bots/api, stricter in one thing.

Telegram passes over a field that it does not know; here it is refused, so that a misspelt field can not hide.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

Params = dict[str, Any]

_SEND = {
    "reply_markup", "disable_notification", "protect_content", "reply_parameters", "message_thread_id",
    "business_connection_id", "message_effect_id", "allow_paid_broadcast",
}  # fmt: skip
_CAPTION = {"caption", "parse_mode", "caption_entities"}
FIELDS: dict[str, tuple[set[str], set[str]]] = {  # method -> needed fields, fields that may be there
    "getMe": (set(), set()),
    "setWebhook": (
        {"url"},
        {"secret_token", "max_connections", "allowed_updates", "drop_pending_updates", "ip_address", "certificate"},
    ),
    "deleteWebhook": (set(), {"drop_pending_updates"}),
    "getWebhookInfo": (set(), set()),
    "getUpdates": (set(), {"offset", "limit", "timeout", "allowed_updates"}),
    "sendMessage": ({"chat_id", "text"}, _SEND | {"parse_mode", "entities", "link_preview_options"}),
    "sendPhoto": ({"chat_id", "photo"}, _SEND | _CAPTION | {"has_spoiler", "show_caption_above_media"}),
    "sendDocument": ({"chat_id", "document"}, _SEND | _CAPTION | {"thumbnail", "disable_content_type_detection"}),
    "sendAudio": ({"chat_id", "audio"}, _SEND | _CAPTION | {"duration", "performer", "title", "thumbnail"}),
    "sendVoice": ({"chat_id", "voice"}, _SEND | _CAPTION | {"duration"}),
    "sendVideo": ({"chat_id", "video"}, _SEND | _CAPTION | {"duration", "width", "height", "supports_streaming"}),
    "sendLocation": ({"chat_id", "latitude", "longitude"}, _SEND | {"horizontal_accuracy", "live_period", "heading"}),
    "sendContact": ({"chat_id", "phone_number", "first_name"}, _SEND | {"last_name", "vcard"}),
    "editMessageReplyMarkup": (set(), {"chat_id", "message_id", "inline_message_id", "reply_markup"}),
    "answerCallbackQuery": ({"callback_query_id"}, {"text", "show_alert", "url", "cache_time"}),
    "sendChatAction": ({"chat_id", "action"}, {"message_thread_id", "business_connection_id"}),
    "getFile": ({"file_id"}, set()),
}
FILE_FIELDS = {"sendPhoto": "photo", "sendDocument": "document", "sendAudio": "audio", "sendVoice": "voice",
               "sendVideo": "video"}  # fmt: skip
ACTIONS = {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
           "choose_sticker", "find_location", "record_video_note", "upload_video_note"}  # fmt: skip
_INTEGERS = {"offset", "limit", "timeout", "max_connections", "message_id", "duration", "cache_time"}
_NUMBERS = {"latitude", "longitude"}
_OBJECTS = {
    "reply_markup",
    "allowed_updates",
    "reply_parameters",
    "link_preview_options",
    "caption_entities",
    "entities",
}


class BadCall(Exception):
    """The call is wrong: HTTP 400 with these words."""


def understood(method: str, raw: Mapping[str, Any]) -> Params:
    """Return the parameters with their types (a form carries only text). Raises BadCall."""
    needed, allowed = FIELDS[method]
    if unknown := set(raw) - needed - allowed:
        raise BadCall(f"Bad Request: unknown field {sorted(unknown)[0]}")
    for name in sorted(needed):
        if raw.get(name) in (None, ""):
            raise BadCall("Bad Request: message text is empty" if name == "text" else f"Bad Request: {name} is empty")
    params = {name: _typed(name, value) for name, value in raw.items()}
    _check(method, params)
    return params


def _typed(name: str, value: Any) -> Any:
    try:
        if name in _INTEGERS:
            return int(value)
        if name in _NUMBERS:
            return float(value)
        if name in _OBJECTS and isinstance(value, str):
            return json.loads(value)
    except ValueError:
        raise BadCall(f"Bad Request: can't parse {name}") from None
    return value


def _check(method: str, params: Params) -> None:
    if _units(params.get("text", "")) > 4096 and method == "sendMessage":
        raise BadCall("Bad Request: message is too long")
    if not str(params.get("text", "x")).strip():
        raise BadCall("Bad Request: message text is empty")
    if _units(params.get("caption", "")) > 1024:
        raise BadCall("Bad Request: message caption is too long")
    if "latitude" in params and not (abs(params["latitude"]) <= 90 and abs(params["longitude"]) <= 180):
        raise BadCall("Bad Request: location coordinates are invalid")
    if method == "sendChatAction" and params["action"] not in ACTIONS:
        raise BadCall("Bad Request: wrong parameter action in request")
    if method == "setWebhook":
        _check_webhook(params)
    if "reply_markup" in params:
        _check_markup(params["reply_markup"])


def _check_webhook(params: Params) -> None:
    if not re.match(r"https?://", params["url"]):  # plain http as a Bot API server of one's own allows
        raise BadCall("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", params.get("secret_token", "x")):
        raise BadCall("Bad Request: secret token contains unallowed characters")
    if not 1 <= params.get("max_connections", 40) <= 100:
        raise BadCall("Bad Request: max_connections must be between 1 and 100")


def _check_markup(markup: Any) -> None:
    if not isinstance(markup, dict) or set(markup) != {"inline_keyboard"}:
        raise BadCall("Bad Request: object expected as reply markup")
    keys = [key for row in markup["inline_keyboard"] for key in row]
    if len(keys) > 100:
        raise BadCall("Bad Request: reply markup is too long")
    for key in keys:
        if not key.get("text"):
            raise BadCall('Bad Request: can\'t parse inline keyboard button: Field "text" must be of type String')
        if set(key) not in ({"text", "callback_data"}, {"text", "url"}):
            raise BadCall("Bad Request: can't parse inline keyboard button: Text buttons are unallowed")
        if "callback_data" in key and not 1 <= len(key["callback_data"].encode()) <= 64:
            raise BadCall("Bad Request: BUTTON_DATA_INVALID")
        if "url" in key and not re.match(r"(https?|tg)://.", key["url"]):
            raise BadCall(f"Bad Request: inline keyboard button URL '{key['url']}' is invalid: Wrong HTTP URL")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
