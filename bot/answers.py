"""What the bot says: the wording that fits channel, language and slots, filled in, and its form on the timeline.

Wordings with a condition come before those without, those for this channel before those for any; among equals the
choice is drawn from the message's id, so the same turn always says the same. Source: Rasa 3.6 response selection.
"""

import re
import zlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from bot.dates import spoken
from bot.domain import Variation
from bot.events import Event, said
from bot.scene import Scene
from bot.tracker import Tracker
from profiles.timeline import Attachment, Button, Content

_PART = re.compile(r"{{\s*(?P<flow>(?:slots|context)\.\w+)\s*}}|(?P<brace>{{|}})|{(?P<hole>[^\n{}]+?)}")
"""`{slot}`; a doubled brace, which stands for one as in Rasa (`/inform{{"size": "large"}}` of a button); and the simplest form
of Rasa's `template: jinja`, which a flow's patterns use."""
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def utter(scene: Scene, tracker: Tracker, name: str, extra: Mapping[str, Any] | None = None) -> list[Event]:
    """Return the bot's words for a response; nothing when no wording fits."""
    variation = _choose(scene, tracker, name)
    if variation is None:
        return []
    values = {**tracker.slots, **_of_flow(tracker), **(extra or {})}
    language = scene.language
    buttons = [{key: _fill(item, values, language) for key, item in row.items()} for row in variation.buttons]
    data: dict[str, Any] = {"buttons": buttons} if buttons else {}
    if variation.image:
        data["image"] = _fill(variation.image, values, language)
    return [said(_fill(variation.text, values, language), **data)]


def _of_flow(tracker: Tracker) -> dict[str, Any]:
    """Return what a pattern may say of the flow it is about: `{flow_name}` or `{{context.previous_flow_name}}`."""
    if not tracker.flows:
        return {}
    frame = tracker.flows[-1]
    context = frame.get("context", {})
    name = context.get("previous_flow_name", context.get("canceled_name"))
    named = {"flow_name": name} if name else {}
    if frame.get("refused"):
        named["value"] = tracker.slots.get(frame["asks"])
    return {**named, **{f"context.{key}": value for key, value in context.items()}}


def content_of(event: Event) -> Content:
    """Return what the bot said as the content of a message."""
    data = event.get("data") or {}
    return Content(
        text=str(event.get("text") or ""),
        buttons=tuple(_button(row) for row in data.get("buttons") or () if isinstance(row, Mapping)),
        attachments=(*_attachment("image", data.get("image")), *_attachment("file", data.get("attachment"))),
    )


def _choose(scene: Scene, tracker: Tracker, name: str) -> Variation | None:
    fitting = [
        variation
        for variation in scene.script.domain.responses.get(name, ())
        if variation.channel in (None, scene.heard.channel) and _holds(variation, tracker)
    ]
    fitting = _in_language(fitting, scene)
    best = min((_rank(variation) for variation in fitting), default=None)
    equals = [variation for variation in fitting if _rank(variation) == best]
    if not equals:
        return None
    if len(equals) == 1:
        return equals[0]
    return equals[zlib.crc32(f"{scene.heard.id} {name}".encode("utf-8", "replace")) % len(equals)]


def _rank(variation: Variation) -> tuple[bool, bool]:
    return variation.channel is None, not variation.has_conditions


def _in_language(variations: list[Variation], scene: Scene) -> list[Variation]:
    """Return those in the conversation's language; else those of no language, of the bot's own, or any."""
    for language in (scene.language, None, scene.script.project.options.language):
        found = [variation for variation in variations if variation.language == language]
        if found:
            return found
    return variations


def _holds(variation: Variation, tracker: Tracker) -> bool:
    if variation.predicate is not None and not variation.predicate.holds(tracker.slots, {}):
        return False
    return all(_equal(tracker.slots.get(name), value) for name, value in variation.conditions)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return bool(one == other)


def _fill(value: Any, values: Mapping[str, Any], language: str) -> Any:
    """Return the text with `{slot}` filled in, once; as in Rasa a text with an unknown name stays as written."""
    if not isinstance(value, str) or "{" not in value:
        return value
    is_known = all(hole in values for hole in holes_of(value))

    def filled(part: re.Match[str]) -> str:
        if part["flow"]:
            return _spoken(values.get(part["flow"].removeprefix("slots.")), language)
        if not is_known:
            return part[0]
        return part["brace"][0] if part["brace"] else _spoken(values[part["hole"]], language)

    return _PART.sub(filled, value)


def holes_of(text: str) -> list[str]:
    """Return the names that a text wants filled in."""
    return [part["hole"] for part in _PART.finditer(text) if part["hole"]]


def single_braces(text: str) -> str:
    """Return a text without names to fill in as it is said."""
    return str(_fill(text, {}, ""))


def _spoken(value: Any, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return {"fr": ("non", "oui")}.get(language, ("no", "yes"))[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        try:
            return spoken(date.fromisoformat(value), language)
        except ValueError:
            return value
    if isinstance(value, list):
        return ", ".join(_spoken(item, language) for item in value)
    return str(value)


def _attachment(kind: Literal["image", "file"], url: Any) -> tuple[Attachment, ...]:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return ()
    return (Attachment(kind=kind, name=url.rsplit("/", 1)[-1], remote=url),)


def _button(row: Mapping[str, Any]) -> Button:
    payload, url = row.get("payload"), row.get("url")
    return Button(
        title=str(row.get("title") or payload or url or ""),
        payload=str(payload) if payload is not None else None,
        url=str(url) if url is not None else None,
    )
