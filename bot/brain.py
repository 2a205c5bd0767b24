"""The bot's brain: load a folder of content once, then take turns. It does no I/O, so it runs inside the group commit.

brain = Brain.load(Path("bot/content/shop"))
turn = finish(brain.turn(conversation.bot, heard, known))     None: it wants a custom action, then
turn = await perform(brain, conversation.bot, heard, known, actions)
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.checks import check
from bot.contract import ActionCall, ActionResult, Heard, Known, Turn
from bot.models import Models
from bot.passages import read_passages
from bot.project import read_project
from bot.quoting import knowledge_of
from bot.reading import read_rulebook
from bot.scene import Script
from bot.semantic import Encoder, load_encoder
from bot.turn import take_turn
from bot.understanding import Trial, Understanding, learn, trials_of
from profiles.findings import ContentError, ContentErrors, Findings
from profiles.written import Place

__all__ = [
    "ActionCall", "ActionResult", "Bot", "Brain", "ContentError", "ContentErrors", "Heard", "Help", "Known", "Mind", "Trial",
    "Turn", "finish", "perform",
]  # fmt: skip


class Bot(Protocol):
    """The bot that serves: a Brain, or what holds the latest of them (bot/live.py)."""

    @property
    def current(self) -> "Brain":
        """The brain that serves now. A turn takes it once and ends with it."""
        ...


class Performs(Protocol):
    """Runs custom actions: bot/actions.py, or a test's own."""

    async def run(self, call: ActionCall) -> ActionResult:
        """Return what the action came to; never raise for what the action does."""
        ...


@dataclass(frozen=True, slots=True)
class Help:
    """What a turn outside the commit may use."""

    actions: Performs
    said_by_people: Callable[[], Awaitable[Sequence[str]]]
    """What agents said in this conversation since the bot last spoke, in order."""


class Mind(Protocol):
    """Whoever answers: the embedded brain below, a Rasa server (bot/rasa.py), or the brain with a language model."""

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        """Return the turn when it needs nothing of the outside, else None. Pure: it runs inside the commit."""
        ...

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Help) -> Turn:
        """Return the turn, asking whom it takes. Runs after the message was committed, one at a time a conversation."""
        ...

    async def people_took(self, conversation: str) -> None:
        """Hear that people answer this conversation from now on."""
        ...

    async def close(self) -> None:
        """Let go of what thinking needs."""
        ...


@dataclass(frozen=True, slots=True)
class Brain:
    """A bot, read, checked and trained; immutable, shared by all conversations."""

    script: Script
    understanding: Understanding
    notices: tuple[ContentError, ...] = ()
    """Worth knowing, but no reason not to start."""

    @classmethod
    def load(
        cls, folder: Path, *, seed: int = 0, models: Models | None = None, semantic: Path | None = None
    ) -> "Brain":
        """Return the brain of a bot's folder; what was learned before is taken from `models`.

        `semantic` is the folder of a semantic model (bot/semantic.py). Raises ContentErrors with all that is wrong in its
        files, or in that model's.
        """
        findings = Findings()
        project = read_project(folder, findings)
        passages = read_passages(folder, project.options.language, findings)
        if not project.is_whole:  # every name in the other files would be unknown
            raise ContentErrors(findings.errors, findings.notices)
        rulebook = read_rulebook(project, findings)
        script = Script(project, rulebook, knowledge_of(passages, project))
        check(script, findings)
        if findings.errors:
            raise ContentErrors(findings.errors, findings.notices)
        encoder = _encoder(semantic) if semantic else None
        return cls(script, learn(project, seed, models, encoder), tuple(findings.notices))

    @property
    def current(self) -> "Brain":
        """Itself: this brain never changes."""
        return self

    @property
    def has_actions(self) -> bool:
        """Whether some turns may need a custom action."""
        return bool(self.script.domain.actions)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The cross-validation: each example of the bot as a model took it that had not learned from it."""
        return tuple(trials_of(self.script.project, self.understanding))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the bot understands, by their two letters."""
        return self.understanding.languages.names

    def turn(
        self, tracker: Mapping[str, Any] | None, heard: Heard, known: Known
    ) -> Generator[ActionCall, ActionResult, Turn]:
        """Yield the custom actions the turn needs and return what it comes to. Same inputs, same outputs."""
        return take_turn(self.script, self.understanding, tracker or {}, heard, known)

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        """Return the turn, or None when it wants a custom action."""
        return finish(self.turn(memory, heard, known))

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Help) -> Turn:
        """Return the turn, its custom actions run on the way."""
        return await perform(self, memory, heard, known, help.actions)

    async def people_took(self, conversation: str) -> None:
        """Nothing to do: whose turn it is stands in the conversation, and the brain is not asked meanwhile."""

    async def close(self) -> None:
        """Nothing to let go of."""


def _encoder(folder: Path) -> Encoder:
    try:
        return load_encoder(folder.resolve())
    except ValueError as error:
        raise ContentErrors([ContentError(Place("config.toml"), f"bot.semantic_model: {error}")]) from error


def finish(turn: Generator[ActionCall, ActionResult, Turn]) -> Turn | None:
    """Return the turn run to its end, or None when it wants a custom action."""
    try:
        next(turn)
    except StopIteration as end:
        result: Turn = end.value
        return result
    turn.close()
    return None


async def perform(
    brain: Brain, tracker: Mapping[str, Any] | None, heard: Heard, known: Known, actions: Performs
) -> Turn:
    """Return the turn, its custom actions run on the way."""
    return await play(brain.turn(tracker, heard, known), actions)


async def play(turn: Generator[ActionCall, ActionResult, Turn], actions: Performs) -> Turn:
    """Return what a begun turn comes to, its custom actions run on the way."""
    try:
        call = next(turn)
        while True:
            call = turn.send(await actions.run(call))
    except StopIteration as end:
        result: Turn = end.value
        return result
