"""Follows a test dialogue action by action: what would the bot do next, if all had gone as written so far?

So `rasa test` plays its stories (rasa/core/test.py, 3.6): no action is run, slots and forms change as the story says, the
customer meant what `intent:` says, and a form that the story leaves counts as having rejected the message.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.brain import ActionResult, Brain, Heard, Known
from bot.entities import Entity
from bot.events import LISTEN, SESSION_START, action_run, loop_set, slot_set
from bot.marks import unmarked
from bot.played import Step, listed
from bot.policies import Next, predict
from bot.scene import Scene
from bot.slots import extract
from bot.tracker import Tracker
from bot.understanding import Meaning
from profiles.findings import Findings
from profiles.written import Table, place_of, rows, text_at


def follow(brain: Brain, dialogue: Table, start: datetime) -> Iterator[Step]:
    """Yield each intent, group of entities and action of the dialogue beside what the bot would have it be."""
    follower = _Follower(brain, start)
    for step in rows(dialogue.get("steps")):
        if not isinstance(step, Table):
            continue
        if is_heard(step):
            yield from follower.listens(step.at)
            yield from follower.hears(step)
        elif "action" in step and step["action"] != LISTEN:
            yield follower.acts(str(step["action"]), place_of(step, "action", step.at))
        elif "active_loop" in step:
            follower.tracker.apply(loop_set(None if step["active_loop"] is None else str(step["active_loop"])))
        else:
            follower.remembers(step)
    yield from follower.listens(place_of(dialogue, "story"))


def is_heard(step: Any) -> bool:
    """Whether the customer speaks here: in words, or (`intent:` alone) by a button."""
    return isinstance(step, Table) and ("user" in step or "intent" in step)


def words_of(step: Table) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what the customer says here, without marks, and the (entity, value) pairs that the marks state."""
    if "user" in step:
        return unmarked(text_at(str(step["user"]).strip(), place_of(step, "user")), Findings())
    return f"/{step['intent']}", ()


def entities_of(step: Table) -> tuple[Entity, ...]:
    """Return the entities of a step that is an intent alone."""
    pairs = [pair for item in rows(step.get("entities")) if isinstance(item, Table) for pair in item.items()]
    return tuple({"entity": str(name), "value": value} for name, value in pairs if name not in ("role", "group"))


class _Follower:
    """A conversation that goes as written."""

    def __init__(self, brain: Brain, start: datetime) -> None:
        self.brain, self.now, self.said = brain, start, ""
        self.tracker = Tracker(brain.script.domain)
        self.language: str | None = None
        self.doubt = 0
        for event in (action_run(SESSION_START), {"event": "session_started"}, action_run(LISTEN)):
            self.tracker.apply(event)

    def hears(self, step: Table) -> Iterator[Step]:
        """Let the customer say this, and yield what was understood beside what was meant."""
        self.said, stated = words_of(step)
        self.now += timedelta(seconds=30)
        if "user" not in step:
            self._understand(Meaning(str(step["intent"]).split("/")[0], 1.0, entities_of(step)))
            return
        here = self.brain.script.project.validation.here(self.now)
        meaning, self.language, self.doubt = self.brain.understanding.hear(self.said, self.language, self.doubt, here)
        meant, is_told = meaning.intent, step.get("intent") is not None
        if is_told:
            meant = str(step["intent"]).split("/")[0]
            got = str(meaning.intent)
            yield Step("intent", place_of(step, "intent"), self.said, meant, got, meaning.confidence)
        if stated:
            found = tuple((str(entity["entity"]), str(entity["value"])) for entity in meaning.entities)
            yield Step("entities", step.at, self.said, listed(stated), listed(found))
        told = tuple({"entity": name, "value": value} for name, value in stated)
        self._understand(Meaning(meant, 1.0, told or meaning.entities, response=meaning.response))

    def _understand(self, meaning: Meaning) -> None:
        script = self.brain.script
        here = script.project.validation.here(self.now)
        heard, known = Heard("test", self.said, "test", self.now), Known("test", None, {}, "test")
        scene = Scene(script, heard, known, here, self.language or script.project.options.language)
        parsed = meaning.as_rasa(self.said)
        self.tracker.apply({"event": "user", "text": self.said, "parse_data": parsed})
        filling = extract(scene, self.tracker)
        events: list[Any] = []
        try:
            next(filling)
            while True:
                filling.send(ActionResult())
        except StopIteration as end:
            events = end.value
        for event in events:
            self.tracker.apply(event)

    def acts(self, expected: str, at: Any) -> Step:
        """Return what the bot would do now beside what it does; then it does that."""
        following = self._next()
        if following.action != expected and following.action == self.tracker.loop:
            self.tracker.apply({"event": "action_execution_rejected", "name": following.action})
            following = self._next()
        if following.back_to_form:
            self.tracker.apply({"event": "loop_interrupted", "is_interrupted": True})
        self.tracker.apply(action_run(expected, following.is_hidden and following.action == expected))
        return Step("actions", at, self.said, expected, following.action)

    def listens(self, at: Any) -> Iterator[Step]:
        """Yield what the bot would still do where it should listen; nothing when it would listen."""
        if self.tracker.last == LISTEN:
            return
        following = self._next()
        if following.action != LISTEN:
            yield Step("actions", at, self.said, LISTEN, following.action)
        self.tracker.apply(action_run(LISTEN, following.is_hidden))

    def remembers(self, step: Table) -> None:
        """Set the slots that the story says were set."""
        for slot in rows(step.get("slot_was_set")):
            for name, value in slot.items() if isinstance(slot, Table) else ():
                self.tracker.apply(slot_set(str(name), value))

    def _next(self) -> Next:
        script = self.brain.script
        return predict(script.rulebook, script.domain, self.tracker, script.project.options)
