"""A message as Apple's push service takes it: headers and payload. Pure.

https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from channels.channel import Outbound
from channels.phone_push import fitted, own_part, title_of
from channels.webpush_payload import topic, urgency
from profiles.timeline import Content

CATEGORY = "causerie"
"""The category that an app declares to show our buttons; docs/channels/apns.md has the lines."""
_IDS = uuid.UUID("6d4f9a52-7c1e-4b7e-9a55-3f1f1c2f7c10")  # ours alone, so that nobody else's names make the same ids
_PRIORITY = {"high": "10", "normal": "5", "low": "1"}


def headers(outbound: Outbound, device: str, *, app: str, ends_at: datetime) -> dict[str, str]:
    """Return the headers of this push; `app` is the topic, the app's bundle id."""
    content, wakes = outbound.content, urgency(outbound.metadata)
    priority = "5" if content.silent and wakes == "high" else _PRIORITY[wakes]
    if is_background(content):
        priority = "5"  # Apple refuses any other for these
    found = {
        "apns-topic": app,
        "apns-push-type": "background" if is_background(content) else "alert",
        "apns-priority": priority,
        "apns-expiration": str(max(int(ends_at.timestamp()), 0)),
        "apns-id": str(uuid.uuid5(_IDS, f"{outbound.id}|{device}")),
    }
    if replaces := topic(outbound.metadata):
        found["apns-collapse-id"] = replaces
    return found


def payload(content: Content, message: str, *, thread: str, sound: str) -> bytes | None:
    """Return the payload; None when it does not fit although the body is cut."""
    if content.silent:
        aps: dict[str, Any] = {"content-available": 1}
        if content.badge is not None:
            aps["badge"] = content.badge
        return fitted(lambda _: _written(aps, content, message), "")
    shown = {"thread-id": thread, "sound": sound, "badge": content.badge}
    aps = {name: value for name, value in shown.items() if value not in ("", None)}
    if content.image:
        aps["mutable-content"] = 1  # lets the app's extension fetch the picture
    if any(button.title for button in content.buttons):
        aps["category"] = CATEGORY
    title = {"title": title_of(content)} if content.title else {}
    return fitted(lambda body: _written({"alert": {**title, "body": body}, **aps}, content, message), content.text)


def is_background(content: Content) -> bool:
    """Whether it only wakes the app. One that sets the badge shows something, and must be sent as an alert."""
    return content.silent and content.badge is None


def _written(aps: Mapping[str, Any], content: Content, message: str) -> bytes:
    return orjson.dumps({**content.data, "aps": aps, "causerie": own_part(content, message)})
