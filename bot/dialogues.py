"""Plays the dialogues that a bot's writer keeps beside it (tests/**.yml, Rasa's test stories) and says where they differ.

Each `user:` is heard as written, its [marks](entity) taken off; `intent:` must be what was understood, the marks what was
found, and the `action:`s up to the next message what the bot did. A form's questions belong to the form's action.

A dialogue is played whole, by the engine that serves customers; custom actions are not run: they come to the slots that
the dialogue says were set after them. One that tells what forms do (`active_loop:`) may have been written for `rasa test`,
which ends forms by decree; where it does not go whole it is followed as Rasa would (bot/told.py), and the better counts.
"""

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.brain import ActionCall, ActionResult, Brain, Heard, Known, Turn
from bot.files import read
from bot.played import Played, Step, listed
from bot.told import entities_of, follow, is_heard, words_of
from profiles.calendar import from_timestamp
from profiles.findings import ContentError, Findings
from profiles.written import Table, place_of, rows

START = from_timestamp(1_790_000_000)  # any fixed instant: the same dialogue must come to the same end tomorrow

_STORY_KEYS = ("story", "steps", "metadata")
_STEP_KEYS = (
    "user",
    "intent",
    "entities",
    "action",
    "bot",
    "active_loop",
    "slot_was_set",
    "or",
    "checkpoint",
    "metadata",
)


def play_dialogues(brain: Brain, folder: Path) -> tuple[ContentError, ...]:
    """Return where the dialogues in the folder's tests/ differ from what the bot does; empty when nowhere."""
    findings = Findings()
    for dialogue in read_dialogues(folder, findings):
        findings.errors += play(brain, dialogue).differences
    return tuple(findings.errors)


def read_dialogues(folder: Path, findings: Findings) -> list[Table]:
    """Return the dialogues in the folder's tests/, in the order of their files; a file alone may be named, too."""
    alone = folder.is_file()
    paths = [folder] if alone else sorted(folder.glob("tests/**/*.y*ml"))
    found = []
    for path in paths:
        shown = path.name if alone else path.relative_to(folder).as_posix()
        for story in rows(read(path, shown, findings).get("stories")):
            if isinstance(story, Table):
                _tell_unknown_keys(story, findings)
                if any(map(is_heard, rows(story.get("steps")))):
                    found.append(story)
    return found


def _tell_unknown_keys(story: Table, findings: Findings) -> None:
    """Note the keys that nobody reads: what they should say would never be compared."""
    for key in story:
        if key not in _STORY_KEYS:
            findings.unknown_key(story, key, _STORY_KEYS)
    for step in rows(story.get("steps")):
        for key in step if isinstance(step, Table) else ():
            if key not in _STEP_KEYS:
                findings.unknown_key(step, key, _STEP_KEYS)


def play(brain: Brain, dialogue: Table) -> Played:
    """Return what came of this dialogue; no custom action is run."""
    name, at = str(dialogue.get("story")), place_of(dialogue, "story")
    whole = Played(name, at, tuple(_whole(brain, dialogue)))
    if whole.is_right or not any(
        isinstance(step, Table) and "active_loop" in step for step in rows(dialogue.get("steps"))
    ):
        return whole
    return max(Played(name, at, tuple(follow(brain, dialogue, START))), whole, key=lambda one: one.share)


def _whole(brain: Brain, dialogue: Table) -> Iterator[Step]:
    memory: Any = None
    name = str(dialogue.get("story"))
    for number, exchange in enumerate(_exchanges(dialogue)):
        said, stated = words_of(exchange[0])
        now = START + timedelta(seconds=30 * number)
        found = _entities(brain, memory, said, now) if stated else ()
        # An intent alone is what a button or an event would mean, whatever customers may press or type.
        event = None if "user" in exchange[0] else str(exchange[0]["intent"])
        heard = Heard(f"{name}:{number}", said, "test", now, event=event, entities=entities_of(exchange[0]))
        turn = _as_told(brain.turn(memory, heard, Known("test", None, {}, "test")), exchange[1:])
        memory = turn.tracker
        yield from _compared(exchange, said, turn)
        if stated:
            yield Step("entities", exchange[0].at, said, listed(stated), listed(found))


def _compared(exchange: list[Table], said: str, turn: Turn) -> Iterator[Step]:
    user, *following = exchange
    at = place_of(user, "user" if "user" in user else "intent")
    if "user" in user and user.get("intent") is not None:
        wanted = str(user["intent"]).split("/")[0]
        yield Step("intent", place_of(user, "intent"), said, wanted, str(turn.intent), turn.confidence)
    words = [str(step["bot"]).strip() for step in following if "bot" in step]
    actions = [str(step["action"]) for step in following if "action" in step and step["action"] != "action_listen"]
    if actions or not words:
        yield Step("actions", at, said, ", ".join(actions), ", ".join(turn.actions))
    if words:
        yield Step("words", at, said, " / ".join(words), " / ".join(content.text.strip() for content in turn.says))


def _exchanges(dialogue: Table) -> Iterator[list[Table]]:
    """Yield each message of the customer with the steps that follow it."""
    current: list[Table] = []
    for step in rows(dialogue.get("steps")):
        if not isinstance(step, Table):
            continue
        if is_heard(step):
            if current:
                yield current
            current = [step]
        elif current:
            current.append(step)
    if current:
        yield current


def _as_told(turn: Generator[ActionCall, ActionResult, Turn], following: list[Table]) -> Turn:
    """Return the turn, its custom actions come to what the dialogue says of them."""
    try:
        call = next(turn)
        while True:
            call = turn.send(ActionResult("done", tuple(_slots_after(call.name, following))))
    except StopIteration as end:
        result: Turn = end.value
        return result


def _slots_after(action: str, following: list[Table]) -> Iterator[dict[str, Any]]:
    """Yield the slots that are set right after this action."""
    is_after = False
    for step in following:
        if "action" in step:
            if is_after:
                return
            is_after = str(step["action"]) == action
        elif is_after:
            for slot in rows(step.get("slot_was_set")):
                for name, value in slot.items() if isinstance(slot, Table) else ():
                    yield {"event": "slot", "name": str(name), "value": value}


def _entities(brain: Brain, memory: Any, said: str, now: datetime) -> tuple[tuple[str, str], ...]:
    before = memory or {}
    here = brain.script.project.validation.here(now)
    meaning, _, _ = brain.understanding.hear(said, before.get("language"), int(before.get("doubt", 0)), here)
    return tuple((str(entity["entity"]), str(entity["value"])) for entity in meaning.entities)
