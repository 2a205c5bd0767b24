"""A message as Firebase takes it (HTTP v1, projects.messages.send): one form for Android, Apple and browsers. Pure.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from channels.apns_form import CATEGORY
from channels.channel import Outbound
from channels.phone_push import fitted, own_part, title_of
from channels.webpush_payload import topic, urgency
from profiles.timeline import Content

LONGEST_TTL_SECONDS = 28 * 24 * 3600  # Firebase keeps nothing for longer
_APPLES = {"high": "10", "normal": "5", "low": "1"}


@dataclass(frozen=True, slots=True)
class Looks:
    """How the app wants its messages to look and sound."""

    sound: str = "default"
    android_channel: str = ""


def message(outbound: Outbound, *, now: datetime, ends_at: datetime, looks: Looks) -> dict[str, Any] | None:
    """Return the message but for its token; None when it does not fit although the body is cut."""
    made: list[dict[str, Any]] = []

    def write(body: str) -> bytes:
        made[:] = [_written(outbound, body, now, ends_at, looks)]
        # what travels to the phone, at Google and, through Google, at Apple: without our orders to Google
        parts = (made[0].get("notification"), made[0].get("data"), made[0]["apns"].get("payload"))
        return orjson.dumps(parts)

    is_fitting = fitted(write, "" if outbound.content.silent else outbound.content.text) is not None
    return made[0] if is_fitting else None


def _written(outbound: Outbound, body: str, now: datetime, ends_at: datetime, looks: Looks) -> dict[str, Any]:
    content = outbound.content
    ttl = min(max(int((ends_at - now).total_seconds()), 0), LONGEST_TTL_SECONDS)
    said: dict[str, Any] = {
        "data": {**content.data, "causerie": orjson.dumps(own_part(content, outbound.id)).decode()},
        "android": _android(outbound, ttl, looks),
        "apns": _apns(outbound, ends_at, looks),
    }
    if content.silent:
        return said
    shown = {"title": title_of(content), "body": body, "image": content.image}
    said["notification"] = {name: text for name, text in shown.items() if text}
    said["webpush"] = _webpush(outbound, ttl)
    return said


def _android(outbound: Outbound, ttl: int, looks: Looks) -> dict[str, Any]:
    content = outbound.content
    said: dict[str, Any] = {
        "priority": "HIGH" if urgency(outbound.metadata) == "high" else "NORMAL",
        "ttl": f"{ttl}s",
    }
    if replaces := topic(outbound.metadata):
        said["collapseKey"] = replaces
    if content.silent:
        return said
    shown: dict[str, Any] = {"sound": looks.sound, "channelId": looks.android_channel, "tag": replaces}
    shown = {name: value for name, value in shown.items() if value}
    if content.badge is not None:
        shown["notificationCount"] = content.badge
    return {**said, "notification": shown} if shown else said


def _apns(outbound: Outbound, ends_at: datetime, looks: Looks) -> dict[str, Any]:
    content, wakes = outbound.content, urgency(outbound.metadata)
    headers = {"apns-priority": _APPLES[wakes], "apns-expiration": str(int(ends_at.timestamp()))}
    if replaces := topic(outbound.metadata):
        headers["apns-collapse-id"] = replaces
    aps: dict[str, Any] = {} if content.badge is None else {"badge": content.badge}
    if content.silent:
        headers |= {"apns-push-type": "background", "apns-priority": "5"} if content.badge is None else {}
        return {"headers": headers, "payload": {"aps": {**aps, "content-available": 1}}}
    shown = {"sound": looks.sound, "thread-id": str(outbound.metadata.get("topic") or "")}
    aps |= {name: text for name, text in shown.items() if text}
    if any(button.title for button in content.buttons):
        aps["category"] = CATEGORY
    said: dict[str, Any] = {"headers": headers}
    if content.image:
        aps["mutable-content"] = 1
        said["fcmOptions"] = {"image": content.image}
    return {**said, "payload": {"aps": aps}} if aps else said  # Google refuses an empty one


def _webpush(outbound: Outbound, ttl: int) -> Mapping[str, Any]:
    content: Content = outbound.content
    headers = {"TTL": str(ttl), "Urgency": urgency(outbound.metadata)}
    if replaces := topic(outbound.metadata):
        headers["Topic"] = replaces
    said: dict[str, Any] = {"headers": headers}
    if content.link.startswith("https://"):  # Google refuses any other there
        said["fcmOptions"] = {"link": content.link}
    return said
