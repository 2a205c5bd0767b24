"""What our script posts, read with suspicion: a page of an allowed site sent it, and nothing else is known of it. Pure.

The body is JSON that comes as text/plain, for which a browser asks no permission first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from channels.webchat_tokens import LONGEST_TOKEN
from profiles.topics import WORD

LARGEST = 24_000  # bytes
MOST_TOPICS = 50
LONGEST_PAGE = 500
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A topic that the person said yes to, in the wording of this version."""

    topic: str
    version: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What came; empty or None where it was not said."""

    endpoint: str = ""
    p256dh: str = ""
    auth: str = ""
    token: str = ""
    """Ours, for the subscription that the browser had before, or has."""
    visitor: str = ""
    identity: str = ""
    language: str | None = None
    page: str = ""
    yes: tuple[Agreed, ...] | None = None
    """None: the person was not asked now."""
    no: tuple[str, ...] = ()


def read(body: bytes) -> Asked | None:
    """Return what was asked, or None for what our script does not post."""
    try:
        said = orjson.loads(body)
        return _asked(said) if isinstance(said, dict) else None
    except (ValueError, TypeError, KeyError):  # orjson's error is a ValueError
        return None


def _asked(said: Mapping[str, Any]) -> Asked:
    """Return it. Raises ValueError, TypeError, KeyError for anything unexpected."""
    subscription = _table(said, "subscription")
    keys = _table(subscription, "keys")
    language = _text(said, "language", 35) or None
    if language and not _LANGUAGE.fullmatch(language):
        language = None
    yes = said.get("yes")
    return Asked(
        endpoint=_text(subscription, "endpoint", 2000),
        p256dh=_text(keys, "p256dh", 200),
        auth=_text(keys, "auth", 100),
        token=_text(said, "token", 500),
        visitor=_text(said, "visitor", LONGEST_TOKEN),
        identity=_text(said, "identity", LONGEST_TOKEN),
        language=language,
        page=_text(said, "page", LONGEST_PAGE),
        yes=None if yes is None else tuple(_agreed(one) for one in _few(yes)),
        no=tuple(_word(one) for one in _few(said.get("no", []))),
    )


def _agreed(said: Any) -> Agreed:
    return Agreed(_word(said["topic"]), _text(said, "version", 100))


def _word(said: Any) -> str:
    return said if isinstance(said, str) and WORD.fullmatch(said) else _wrong()


def _few(said: Any) -> list[Any]:
    return said if isinstance(said, list) and len(said) <= MOST_TOPICS else _wrong()


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = said.get(name)
    return {} if table is None else table if isinstance(table, dict) else _wrong()


def _text(said: Mapping[str, Any], name: str, longest: int) -> str:
    text = said.get(name)
    if text is None:
        return ""
    return text if isinstance(text, str) and len(text) <= longest and text.isprintable() else _wrong()


def _wrong() -> Any:
    raise ValueError
