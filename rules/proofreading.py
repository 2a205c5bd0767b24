"""Texts written before anybody real gets them: each template of each rule, for people who do not exist, on every kind of channel.

Reading a template finds what can not be meant; only writing it finds a sum of a name and a number, or an address that is none.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from profiles.expression import Vocabulary
from profiles.findings import nearest_name
from profiles.personalize import Text, names_in
from rules.book import Book
from rules.cast import SPACES, cast
from rules.gatekeeper import Letter, Unrendered
from rules.letters import Letters
from rules.memory import MemoryReader
from rules.personal import NAMES
from rules.policy import Reach
from rules.rehearsal import start_of
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.rule_trigger import Once, OnDate, OnEvent, OnSchedule
from rules.run import Run
from rules.shapes import Said
from rules.template_file import texts_of

READERS = ("anna", "dmitri", "farid")
"""One in French, one in English, one of whom next to nothing is known."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A template that gave no message, and why."""

    template: str
    rule: str
    problem: str
    french: str = ""
    """The same in French, where it is known."""

    def __str__(self) -> str:
        return f"templates/{self.template}.yml: {self.told('en')}"

    def told(self, language: str) -> str:
        """Return the sentence for its author, in English or French."""
        if language.startswith("fr"):
            return f"ne peut pas être écrit pour {self.rule} : {self.problem_in(language)}."
        return f"can not be written for {self.rule}: {self.problem}."

    def problem_in(self, language: str) -> str:
        """Return what is wrong, in French where that is known."""
        return (self.french if language.startswith("fr") else "") or self.problem


def proofread(book: Book, now: datetime, *, file: str | None = None) -> tuple[Unwritten, ...]:
    """Return each template that can not be written, once for each rule and problem. A field that somebody lacks is no mistake;
    one that nobody can have is.

    With `file`, only what this file of the book writes: the texts of its rule, or its template wherever it is sent.
    """
    return tuple(dict.fromkeys((*_unwritten(book, now, file), *_misnamed(book, file))))


def written(
    book: Book, now: datetime, *, file: str | None = None, spaces: Sequence[str] = SPACES
) -> Iterator[tuple[Rule, Send, Letter | Unrendered]]:
    """Yield what every step of every rule (of this file) writes for people who do not exist, in each variant, on these channels."""
    letters = Letters(book.templates, language=book.policy.language)
    contacts = cast(book.policy.topics.values(), now)
    reader = MemoryReader(contacts, zone=book.policy.zone)
    persons = [reader.person(contacts.profiles[id], now) for id in READERS]
    for rule, step in _sends(book, file):
        start = start_of(rule, book, now)
        for person in persons:
            run = Run("proof", rule.id, rule.version, person.id, now, start=start)
            for variant in ("", *step.variants):
                for space in spaces:
                    yield rule, step, letters.write(step.template, Reach(space, space), person, run, variant)


def _sends(book: Book, file: str | None) -> Iterator[tuple[Rule, Send]]:
    for rule in book.rules.values():
        for step in walk(rule.steps):
            if not isinstance(step, Send) or step.template not in book.templates:
                continue
            if file in (None, book.files.get(rule.id), f"templates/{step.template}.yml"):
                yield rule, step


def _unwritten(book: Book, now: datetime, file: str | None) -> Iterator[Unwritten]:
    for rule, step, letter in written(book, now, file=file):
        if isinstance(letter, Unrendered):
            yield Unwritten(step.template, rule.id, letter.detail or letter.reason)


def _misnamed(book: Book, file: str | None) -> Iterator[Unwritten]:
    """Yield the fields of the templates that this book gives nobody: without them no message leaves."""
    for rule, step in _sends(book, file):
        for text in texts_of(book.templates[step.template]):
            for problem in misnamed(text, rule, book):
                yield Unwritten(step.template, rule.id, problem.en, problem.fr)


def misnamed(
    text: Text, rule: Rule, book: Book, roots: Collection[str] = ("contact", "event", "start", "links", "now")
) -> Iterator[Said]:
    """Yield what is wrong with the fields of a text of this rule: those that nobody can have. `roots`: what it may name."""
    vocabulary = book.names.vocabulary
    properties = _properties(rule, vocabulary)
    known = {"contact": None if vocabulary.attributes is None else {*vocabulary.attributes, "name", "language"},
             "event": properties, "start": properties, "links": set(NAMES), "now": None}  # fmt: skip
    known = {root: names for root, names in known.items() if root in roots}
    for name in names_in(text):
        root, _, rest = name.partition(".")
        if problem := _unknown(root, rest, known):
            yield problem


def _unknown(root: str, rest: str, known: Mapping[str, set[str] | None]) -> Said | None:
    """Return what is wrong with a name, or nothing."""
    got = f"{root}{'.' if rest else ''}{rest}"
    if root not in known:
        hint = next((f"{one}.{root}" for one in ("contact", "event", "links") if root in (known.get(one) or ())), "")
        en, fr = (
            "a field such as contact.first_name or event.total",
            "un champ tel que contact.first_name ou event.total",
        )
    else:
        names = known[root]
        if not rest or names is None or rest in names:
            return None
        if not names:
            return Said(
                f'expected a field that this rule has: no event begins it, got "{got}"',
                f"attendu un champ que cette règle a : aucun événement ne la commence, trouvé « {got} »",
            )
        close = nearest_name(rest, sorted(names))
        hint = f"{root}.{close}" if close else ""
        en, fr = f"a known field of {root}", f"un champ connu de {root}"
    return Said(
        f'expected {en}, got "{got}"' + (f'. Hint: did you mean "{hint}"' if hint else ""),
        f"attendu {fr}, trouvé « {got} »" + (f" (vouliez-vous dire « {hint} » ?)" if hint else ""),
    )


def _properties(rule: Rule, vocabulary: Vocabulary) -> set[str] | None:
    """Return what the event that begins a rule may say; None: anything."""
    if isinstance(rule.trigger, OnSchedule | Once | OnDate):
        return set()
    if not isinstance(rule.trigger, OnEvent) or vocabulary.events is None:
        return None
    return set(vocabulary.events.get(rule.trigger.match.name, ())) or None
