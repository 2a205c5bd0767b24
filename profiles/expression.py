"""The one language of conditions: rules, segments, console filters, conditional content. docs/expressions.md tells it whole.

One `parse` gives a test in memory, a database filter for a whole audience and a sentence for people. Nothing is ever
evaluated by Python: `ast` reads the text, an allow-list checks each part, and only our own closures run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from profiles.expression_audience import Audience, audience
from profiles.expression_closures import condition, reading
from profiles.expression_facts import Facts, Mistake, Needs, Sent, Vocabulary
from profiles.expression_needs import needs
from profiles.expression_parser import is_a_condition, read
from profiles.expression_sentence import sentence
from profiles.expression_tree import Kind, Node, Truth

__all__ = ["Expression", "Facts", "Kind", "Mistake", "Needs", "Sent", "Vocabulary", "parse", "parse_value"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Nothing here raises on whatever facts: what is missing or of another kind makes a condition false."""

    source: str
    tree: Node
    needs: Needs
    words: Mapping[str, Mapping[str, str]]
    test: Callable[[Facts], bool]
    """Whether the condition holds on these facts."""
    value: Callable[[Facts], Any]
    """What the expression comes to: number, text, flag, day, instant, timedelta, list of texts, or None when missing."""

    @property
    def kind(self) -> Kind:
        """Return what it comes to: FLAG for a condition."""
        return self.tree.kind

    def audience(self, now: datetime, zone: tzinfo = UTC) -> Audience:
        """Return how the database finds all whom this condition holds for, at `now`, by the days of `zone`.

        It selects those and only those for whom `test` holds on the same facts. Raises ValueError when the expression
        asks about more than profiles and their past (see `Needs.is_of_profile`).
        """
        return audience(self.tree, self.needs, now, zone)

    def sentence(self, language: str) -> str:
        """Return the condition in plain words, "fr" or "en" (any other language gets English)."""
        return sentence(self.tree, language, self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and (self.source, self.tree) == (other.source, other.tree)

    def __hash__(self) -> int:
        return hash((self.source, self.tree))


def parse(text: str, vocabulary: Vocabulary) -> Expression | tuple[Mistake, ...]:
    """Return the condition that the text says, or every mistake in it, in order. Never raises, whatever the text."""
    return _parsed(text, vocabulary, is_condition=True)


def parse_value(text: str, vocabulary: Vocabulary) -> Expression | tuple[Mistake, ...]:
    """Return the expression of any kind that the text says (`event.total`, `now`), or every mistake in it."""
    return _parsed(text, vocabulary, is_condition=False)


def _parsed(text: str, vocabulary: Vocabulary, *, is_condition: bool) -> Expression | tuple[Mistake, ...]:
    tree = read(text, vocabulary, is_condition=is_condition)
    if isinstance(tree, tuple):
        return tree
    test = condition(tree if is_condition or is_a_condition(tree) else Truth(tree))
    value = reading(tree)
    return Expression(
        source=text,
        tree=tree,
        needs=needs(tree),
        words=vocabulary.words,
        test=lambda facts: test(facts, facts.event),
        value=lambda facts: value(facts, facts.event),
    )
