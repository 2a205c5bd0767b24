"""Dialogues as tests: `story >> "what are your hours?" << "9 to 18"`."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain, Heard, Known, Turn, finish, perform

SHOP = Path(__file__).parents[2] / "bot" / "content" / "shop"
PIZZA = Path(__file__).parent / "pizza"
START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)  # a Saturday


class Story:
    """One conversation. `>>` is what the customer says (or presses), `<<` what the bot must say in reply, in order."""

    def __init__(self, brain: Brain, actions: Actions | None = None, **known: Any) -> None:
        self.brain, self.actions = brain, actions
        self.language: str | None = known.pop("language", None)
        self.channel: str = known.pop("channel", "webchat")
        self.values: dict[str, Any] = known
        self.memory: Mapping[str, Any] | None = None
        self.now = START
        self.turn: Turn | None = None
        self.unread: list[str] = []
        self.count = 0

    def __rshift__(self, said: str) -> "Story":
        assert not self.unread, f"the bot also said {self.unread}"
        return self.hears(said)

    def hears(self, said: str, **more: Any) -> "Story":
        """Let the customer say this now."""
        self.count += 1
        heard = Heard(f"m{self.count}", said, self.channel, self.now, **more)
        known = Known("p1", self.language, self.values, "c1")
        if self.actions is None:
            self.turn = finish(self.brain.turn(self.memory, heard, known))
        else:
            self.turn = asyncio.run(perform(self.brain, self.memory, heard, known, self.actions))
        assert self.turn is not None, "the turn wants a custom action"
        self.memory = self.turn.tracker
        self.unread = [content.text for content in self.turn.says]
        self.now += timedelta(seconds=30)
        return self

    def __lshift__(self, part: str) -> "Story":
        assert self.unread, f"the bot said nothing more; expected {part!r}"
        said = self.unread.pop(0)
        assert part in said, f"expected {part!r}, the bot said {said!r}"
        return self

    def hushed(self) -> "Story":
        """Pass over whatever else the bot said."""
        self.unread = []
        return self

    def later(self, **length: float) -> "Story":
        """Let time pass."""
        self.now += timedelta(**length)
        return self

    @property
    def slots(self) -> Mapping[str, Any]:
        """What the bot remembers."""
        assert self.memory is not None
        return self.memory["tracker"]["slots"]


@pytest.fixture(scope="session")
def shop() -> Brain:
    return Brain.load(SHOP)


@pytest.fixture(scope="session")
def pizza() -> Brain:
    return Brain.load(PIZZA)


@pytest.fixture
def story(shop: Brain):
    return lambda **known: Story(shop, **known)


@pytest.fixture
def pizzeria(pizza: Brain):
    def begin(seconds: float = 5.0, **known: Any) -> Story:
        return Story(pizza, Actions(BotOptions(folder=str(PIZZA), action_seconds=seconds)), **known)

    return begin


@pytest.fixture
def write_bot(tmp_path: Path):
    """Return a function that writes a bot's files into a fresh folder; `domain.yml` etc. by name."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".yml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def tell():
    """Return a function that begins a conversation with any brain."""
    return Story
