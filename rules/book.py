"""The book as it holds now: the rules, limits and texts of all its files, and every mistake in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from profiles.findings import ContentError
from profiles.passes import Card
from rules.file_reading import Names
from rules.house_files import HOUSE_FILES
from rules.policy import Policy
from rules.rule import Rule
from rules.template_file import Template
from rules.vocabulary_file import Words

MOST_FILES = 1_000
TEMPLATES, CARDS = "templates/", "passes/"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the book does not say itself. None: nobody knows which there are, any name will do."""

    channels: frozenset[str] | None = None
    zone: tzinfo = UTC
    language: str = "fr"
    pictures: frozenset[str] | None = None
    """The files of passes/images."""


UNKNOWN = Surroundings()
"""Nobody says what there is around the book."""


@dataclass(frozen=True, slots=True)
class Book:
    """What holds now."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    """id -> the rule as it is used: of its file, or of the file's last good text."""
    policy: Policy = Policy()
    templates: Mapping[str, Template] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)
    names: Names = Names()
    words: Words = Words()
    mistakes: tuple[ContentError, ...] = ()
    """All that is wrong in the files as they are now."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Rule id -> file name."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """File name -> the text that is used: its own, or its last good one."""

    def mistakes_in(self, file: str) -> tuple[ContentError, ...]:
        """Return what is wrong in one file."""
        return tuple(mistake for mistake in self.mistakes if mistake.at.file == file)

    @property
    def called(self) -> Mapping[str, Mapping[str, str]]:
        """What people call things: cart.updated, contact.tier, rule:welcome, topic:offers -> language -> words."""
        titles = {f"rule:{id}": rule.title for id, rule in self.rules.items() if rule.title}
        topics = {f"topic:{id}": topic.titles for id, topic in self.policy.topics.items()}
        return {**self.names.vocabulary.words, **titles, **topics}

    @property
    def stale(self) -> frozenset[str]:
        """Return the files whose last good text is used, or nothing, because they have mistakes."""
        return frozenset(mistake.at.file for mistake in self.mistakes)


EMPTY = Book()


def is_template(file: str) -> bool:
    """Return whether a file of the book is a template."""
    return file.startswith(TEMPLATES)


def is_rule(file: str) -> bool:
    """Return whether a file of the book is a rule: no template, no card, no house file."""
    return file not in HOUSE_FILES and not file.startswith((TEMPLATES, CARDS))


def bare(file: str) -> str:
    """Return a file's name without the folder of the book that it lies in."""
    return file.removeprefix(TEMPLATES).removeprefix(CARDS)
