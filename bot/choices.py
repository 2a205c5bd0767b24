"""The choices just given: the buttons of the bot's last answer, remembered until the next, so that their titles may be typed."""

from collections.abc import Iterable, Mapping
from typing import Any

from profiles.timeline import Button, Content

_KEY = "offered"
_MOST = 20


def choices_of(says: Iterable[Content]) -> dict[str, Any]:
    """Return what a turn's memory keeps of the buttons in these answers; nothing where there are none."""
    buttons = [button for content in says for button in content.buttons if not button.url][:_MOST]
    return {_KEY: [_choice(button) for button in buttons]} if buttons else {}


def without_choices(memory: Mapping[str, Any]) -> dict[str, Any]:
    """Return the memory as if none had been given."""
    return {key: value for key, value in memory.items() if key != _KEY}


def chosen(text: str, memory: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return title and payload of the button just offered whose title, or number in the list, was typed; else the text."""
    typed = _folded(text)
    for number, (title, payload) in enumerate(memory.get(_KEY) or (), start=1):
        if typed in (_folded(title), str(number)):
            return str(title), str(payload)
    return None, text


def payloads(memory: Mapping[str, Any]) -> list[str]:
    """Return what pressing each of them says."""
    return [str(payload) for _, payload in memory.get(_KEY) or ()]


def titles(memory: Mapping[str, Any]) -> list[str]:
    """Return what stands on them, in small letters."""
    return [str(title).casefold() for title, _ in memory.get(_KEY) or ()]


def _folded(text: str) -> str:
    return text.casefold().replace("’", "'")  # texts curve it, most keyboards do not


def _choice(button: Button) -> list[str]:
    return [button.title, button.payload or button.title]
