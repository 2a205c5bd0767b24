"""SMS that would be cheaper in other characters: told of each template, with what to write instead and how many segments it saves.

What an SMS says of a message is the channels' matter, so `bodies` is passed in. Pure.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from profiles.gsm_advice import Advice, advice
from profiles.timeline import Content
from rules.book import Book
from rules.choice import PREFERRED
from rules.gatekeeper import Letter
from rules.proofreading import written

SMS = "sms"
Bodies: TypeAlias = Callable[[Content], Sequence[str]]
"""The texts that a message becomes as SMS."""


@dataclass(frozen=True, slots=True)
class Costly:
    """A template whose SMS needs more segments than it would in the characters of GSM-7."""

    template: str
    rule: str
    advice: Advice

    def __str__(self) -> str:
        return f"templates/{self.template}.yml: {self.told('en')}"

    def told(self, language: str) -> str:
        """Return the sentence for its author, in English or French."""
        one, other = self.advice.segments, self.advice.fewer
        what = self.advice.told(language)
        if language.startswith("fr"):
            return f"ce SMS de {self.rule} compte {one} segments, {other} s'il est écrit en GSM-7 : {what}."
        return f"this SMS of {self.rule} is {one} segments, {other} if it is written in GSM-7: {what}."


def costly(
    book: Book, now: datetime, *, bodies: Bodies, words: Collection[str], file: str | None = None
) -> tuple[Costly, ...]:
    """Return what could be cheaper, once for each template and rule: the text that saves most.

    `words` name the channels that send SMS. With `file`, only what this file of the book writes.
    """
    found: dict[tuple[str, str], Costly] = {}
    for one in _costly(book, now, bodies, {PREFERRED, *words} if words else set(), file):
        best = found.setdefault((one.template, one.rule), one)
        if one.advice.segments - one.advice.fewer > best.advice.segments - best.advice.fewer:
            found[one.template, one.rule] = one
    return tuple(found.values())


def _costly(book: Book, now: datetime, bodies: Bodies, words: set[str], file: str | None) -> Iterator[Costly]:
    for rule, step, letter in written(book, now, file=file, spaces=(SMS,)):
        if isinstance(letter, Letter) and words.intersection(step.channels):
            for text in bodies(letter.content):
                if told := advice(text):
                    yield Costly(step.template, rule.id, told)
