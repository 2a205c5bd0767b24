"""A turn while it is played: who is in it, what was meant, and all it has come to so far."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.contract import ActionCall, ActionResult, Turn
from bot.events import Event
from bot.flow_ear import Course
from bot.policies import Next
from bot.scene import Scene
from bot.tracker import Tracker
from bot.understanding import Meaning


@dataclass(slots=True)
class Play:
    """What the turn has come to so far."""

    scene: Scene
    tracker: Tracker
    meaning: Meaning
    said: str
    """What the customer said as a person would read it: the words, or the button's title."""
    words: list[Event] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    handover: Event | None = None
    missed: int = 0
    was_missed: bool = False
    decided: list[Next] | None = None
    """Who chose what, for whoever asks why."""
    took_answer: bool = False
    """The running form or flow took the message as an answer."""
    course: Course = field(default_factory=Course)
    """What became of the message in flows."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What flows had collected when people took over, and forgot."""


Playing = Generator[ActionCall, ActionResult, Turn]
"""A whole turn, which yields what others must do for it."""
Doing = Generator[ActionCall, ActionResult, None]
"""A part of one."""
