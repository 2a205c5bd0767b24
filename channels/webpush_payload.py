"""A message as our service worker gets it: a few short keys in JSON, cut to what a push service takes. Pure.

The worker (webpush/static/worker.js) reads: t title, b body, i image, c icon, u what a tap opens, a actions, l language, g tag,
r the token of its receipts, s where they go.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from channels.webpush_encryption import LARGEST_PLAIN
from profiles.text import CUT, clean
from profiles.timeline import Button, Content

MOST_ACTIONS = 2  # Chrome shows two, Firefox and Safari none: what matters is behind the message's own link
LONGEST_TITLE, LONGEST_BODY = 250, 1_500  # characters; every system cuts far sooner


def payload(
    content: Content, *, message: str, receipts: str, title: str = "", icon: str = "", language: str = ""
) -> bytes | None:
    """Return the octets to encrypt; None when they do not fit although the text is cut (addresses are never)."""
    said: dict[str, Any] = {
        "t": clean(content.title or title, longest=LONGEST_TITLE), "b": clean(content.text, longest=LONGEST_BODY),
        "i": content.image, "c": icon, "u": content.link, "l": language, "g": tag(message), "r": receipts,
        "a": [_action(button) for button in content.buttons if button.title][:MOST_ACTIONS],
    }  # fmt: skip
    said = {key: value for key, value in said.items() if value}
    octets = orjson.dumps(said)
    while len(octets) > LARGEST_PLAIN:
        text = said.get("b", "")
        if not text:
            return None
        # each character takes one byte or more, so this many at least must go; a cut mark takes three
        left = len(text) - max((len(octets) - LARGEST_PLAIN + 3) // 4, 4)
        said["b"] = text.removesuffix(CUT)[: max(left, 0)].rstrip() + CUT if left > 0 else ""
        octets = orjson.dumps(said)
    return octets


def tag(message: str) -> str:
    """Return what the browser tells messages apart by: the same message twice is shown once."""
    return hashlib.sha256(message.encode()).hexdigest()[:24]


def topic(metadata: Mapping[str, Any]) -> str:
    """Return the Topic header: a newer message of the same rule takes the place of one that has not arrived yet.

    Marketing alone: two order confirmations are two. At most 32 characters of base64url (RFC 8030, section 5.4).
    """
    rule = metadata.get("rule")
    if metadata.get("class") != "marketing" or not rule:
        return ""
    return hashlib.sha256(f"rule:{rule}".encode()).hexdigest()[:32]


def urgency(metadata: Mapping[str, Any]) -> str:
    """Return the Urgency header: what the step says, else high for what was ordered and normal for the rest."""
    said = metadata.get("urgency")
    if said in ("low", "normal", "high"):
        return str(said)
    return "high" if metadata.get("class") == "transactional" else "normal"


def _action(button: Button) -> dict[str, str]:
    said = {"t": clean(button.title, longest=60)}
    return {**said, "u": button.url} if button.url else said
