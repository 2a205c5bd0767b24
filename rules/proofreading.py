"""Texts written before anybody real gets them: each template of each rule, for people who do not exist, on every kind of channel.

Reading a template finds what can not be meant; only writing it finds a sum of a name and a number, or an address that is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.book import Book
from rules.cast import SPACES, cast
from rules.gatekeeper import Letter, Unrendered
from rules.letters import Letters
from rules.memory import MemoryReader
from rules.policy import Reach
from rules.rehearsal import start_of
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.run import Run

READERS = ("anna", "dmitri", "farid")
"""One in French, one in English, one of whom next to nothing is known."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A template that gave no message, and why."""

    template: str
    rule: str
    problem: str

    def __str__(self) -> str:
        return f"templates/{self.template}.yml: can not be written for {self.rule}: {self.problem}."


def proofread(book: Book, now: datetime, *, file: str | None = None) -> tuple[Unwritten, ...]:
    """Return each template that can not be written, once for each rule and problem. A field that somebody lacks is no mistake.

    With `file`, only what this file of the book writes: the texts of its rule, or its template wherever it is sent.
    """
    return tuple(dict.fromkeys(_unwritten(book, now, file)))


def written(
    book: Book, now: datetime, *, file: str | None = None, spaces: Sequence[str] = SPACES
) -> Iterator[tuple[Rule, Send, Letter | Unrendered]]:
    """Yield what every step of every rule (of this file) writes for people who do not exist, in each variant, on these channels."""
    letters = Letters(book.templates, language=book.policy.language)
    contacts = cast(book.policy.topics.values(), now)
    reader = MemoryReader(contacts, zone=book.policy.zone)
    persons = [reader.person(contacts.profiles[id], now) for id in READERS]
    for rule in book.rules.values():
        start = start_of(rule, book, now)
        for step in walk(rule.steps):
            if not isinstance(step, Send) or step.template not in book.templates:
                continue
            if file not in (None, book.files.get(rule.id), f"templates/{step.template}.yml"):
                continue
            for person in persons:
                run = Run("proof", rule.id, rule.version, person.id, now, start=start)
                for variant in ("", *step.variants):
                    for space in spaces:
                        yield rule, step, letters.write(step.template, Reach(space, space), person, run, variant)


def _unwritten(book: Book, now: datetime, file: str | None) -> Iterator[Unwritten]:
    for rule, step, letter in written(book, now, file=file):
        if isinstance(letter, Unrendered):
            yield Unwritten(step.template, rule.id, letter.detail or letter.reason)
