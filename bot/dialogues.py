"""Plays the dialogues that a bot's writer keeps beside it (tests/*.yml, Rasa's test stories) and says where they differ.

Each `user:` is heard as written; `intent:` must be what was understood and the `action:`s up to the next message must be
what the bot did. A form's questions belong to the form's action.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.brain import Brain, Heard, Known, finish
from bot.files import read
from profiles.calendar import from_timestamp
from profiles.findings import ContentError, Findings
from profiles.written import Place, Table, place_of, rows

_START = from_timestamp(1_790_000_000)  # any fixed instant: the same dialogue must come to the same end tomorrow


def play_dialogues(brain: Brain, folder: Path) -> tuple[ContentError, ...]:
    """Return where the dialogues in the folder's tests/ differ from what the bot does; empty when nowhere."""
    findings = Findings()
    for path in sorted(folder.glob("tests/**/*.y*ml")):
        for story in rows(read(path, path.relative_to(folder).as_posix(), findings).get("stories")):
            if isinstance(story, Table):
                _play(brain, story, findings)
    return tuple(findings.errors)


def _play(brain: Brain, story: Table, findings: Findings) -> None:
    memory: Any = None
    name = str(story.get("story"))
    for number, (step, expected) in enumerate(_exchanges(story)):
        heard = Heard(f"{name}:{number}", str(step["user"]).strip(), "test", _later(number))
        turn = finish(brain.turn(memory, heard, Known("test", None, {}, "test")))
        if turn is None:
            findings.error(step.at, f'tests: "{name}": needs a custom action; such a dialogue is not played here.')
            return
        memory = turn.tracker
        wanted = step.get("intent")
        if wanted is not None and wanted != turn.intent:
            at = place_of(step, "intent")
            findings.error(at, f'tests: "{name}": expected intent {wanted}; got {turn.intent} ({turn.confidence:.2f}).')
        if expected != list(turn.actions):
            got = ", ".join(turn.actions) or "nothing"
            findings.error(_place(step), f'tests: "{name}": expected {", ".join(expected) or "nothing"}; got {got}.')


def _exchanges(story: Table) -> Iterator[tuple[Table, list[str]]]:
    """Yield each message of the customer with the actions that follow it."""
    current: Table | None = None
    actions: list[str] = []
    for step in rows(story.get("steps")):
        if not isinstance(step, Table):
            continue
        if "user" in step:
            if current is not None:
                yield current, actions
            current, actions = step, []
        elif "action" in step and step["action"] != "action_listen":
            actions.append(str(step["action"]))
    if current is not None:
        yield current, actions


def _later(number: int) -> datetime:
    return _START + timedelta(seconds=30 * number)


def _place(step: Table) -> Place:
    return place_of(step, "user", step.at)
