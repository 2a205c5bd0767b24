"""What people teach a bot through the console, as small records; bot/editing.py makes changed files of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Files: TypeAlias = Mapping[str, str]
"""Path inside the bot's folder -> text."""

LONGEST_EXAMPLE = 300
LONGEST_ANSWER = 2_000


@dataclass(frozen=True, slots=True)
class AddExample:
    """People also say it so."""

    intent: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class MoveExample:
    """This sentence stood under the wrong intent."""

    text: str
    """As it is written, marks and all."""
    language: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """A new intent, what is said to it in each language, and the rule that ties the two."""

    title: str
    examples: Sequence[tuple[str, str]]
    """(language, sentence)"""
    says: Mapping[str, str] = field(default_factory=dict)
    """language -> answer"""


@dataclass(frozen=True, slots=True)
class AddPassage:
    """A passage of the documents (kb/)."""

    title: str
    text: str
    language: str
    also: str = ""
    """Other words that people ask with."""


Edit: TypeAlias = AddExample | MoveExample | NewAnswer | AddPassage


@dataclass(frozen=True, slots=True)
class NotEdited:
    """Why an edit makes no sense for these files: a constant word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What an edit must know of the bot beside its files."""

    language: str
    """The bot's default, for files that say none."""
    languages: tuple[str, ...]
    intents: frozenset[str]
    responses: frozenset[str]
    fallback: str = "action_default_fallback"
