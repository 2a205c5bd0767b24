"""One turn's surroundings: the bot as written, what was heard, what is known, and what the turn has come to so far."""

from dataclasses import dataclass, field

from bot.contract import Heard, Known
from bot.domain import Domain
from bot.finders import Here
from bot.knowledge import Found, Knowledge
from bot.project import Project
from bot.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Script:
    """A bot's content, read and checked; shared by all conversations."""

    project: Project
    rulebook: Rulebook
    knowledge: Knowledge = field(default_factory=Knowledge)

    @property
    def domain(self) -> Domain:
        """The intents, slots, forms and responses."""
        return self.project.domain


@dataclass(slots=True)
class Scene:
    """Lives for one turn; the dialogue reads it, and notes here which custom actions failed."""

    script: Script
    heard: Heard
    known: Known
    here: Here
    language: str
    failed: list[str] = field(default_factory=list)
    found: tuple[Found, ...] | None = None
    """What the documents hold on this message; None: nobody looked yet."""
