"""All rule files and house files, read as one book. Pure: texts in, rules, limits and every mistake out.

An invalid file stops nobody: its last good text goes on, its mistakes are told, and the other files are read as ever.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from profiles.expression import Vocabulary
from profiles.findings import Findings
from profiles.passes import MESSAGE, Card
from profiles.strict_yaml import read_strictly
from profiles.topics import Topic
from profiles.written import Place, Table
from rules.book import CARDS, EMPTY, MOST_FILES, TEMPLATES, UNKNOWN, Book, Surroundings, bare, is_rule, is_template
from rules.card_file import read_card
from rules.file_reading import Names, Reading
from rules.house_files import (
    PRESSURE,
    SEGMENTS,
    TOPICS,
    VOCABULARY,
    read_segments,
    read_topics,
    written_segments,
)
from rules.policy import Policy
from rules.pressure_file import Limits, read_pressure
from rules.rule import Rule
from rules.rule_file import read_rule, rule_id, rule_of
from rules.template_file import Template, read_template
from rules.vocabulary_file import OWN_EVENTS, Called, Words, read_vocabulary

Value = TypeVar("Value")


def read_book(
    texts: Mapping[str, str],
    around: Surroundings = UNKNOWN,
    good: Mapping[str, str] | None = None,
    before: Book = EMPTY,
) -> Book:
    """Return the book of these texts (file name -> text); `good` has the last good text of files that may be broken now.

    What did not change since the book `before` is taken from there: a file costs 14 ms to read.
    """
    findings = Findings()
    if len(texts) > MOST_FILES:
        findings.error(Place("book"), f"expected at most {MOST_FILES} files, got {len(texts)}.")
    reading = _Shelf(dict(sorted(texts.items())[:MOST_FILES]), dict(good or {}), before, findings, around)
    templates, cards = reading.templates(), reading.cards()
    names = replace(
        reading.house(),
        templates=frozenset(templates) if templates else None,
        cards=_fields_of(cards) if cards else None,
    )
    rules, files = reading.rules(names)
    limits = reading.limits
    policy = Policy(
        reading.topics, limits.caps, limits.quiet, around.zone, around.language, limits.control, limits.tracking,
        limits.best_hour, limits.sms_prices,
    )  # fmt: skip
    mistakes = tuple(sorted(findings.errors, key=lambda error: (error.at, error.problem)))
    return Book(rules, policy, templates, cards, names, reading.words, mistakes, files, reading.used)


def reread(text: str, file: str, names: Names) -> Rule | None:
    """Return the rule of a text that was good once, also when what it names is gone by now; None when it can not be read."""
    open_names = Names(replace(names.vocabulary, attributes=None, events=None))
    return read_rule(text, file, names, Findings()) or read_rule(text, file, open_names, Findings())


@dataclass(slots=True)
class _Shelf:
    """The files while they are read."""

    texts: dict[str, str]
    good: dict[str, str]
    before: Book
    findings: Findings
    around: Surroundings
    used: dict[str, str] = field(default_factory=dict)
    words: Words = Words()
    topics: Mapping[str, Topic] = field(default_factory=dict)
    limits: Limits = Limits()
    tables: dict[str, tuple[Table | None, Findings]] = field(default_factory=dict)

    def house(self) -> Names:
        """Read the files that are no rules, each knowing those before it; return the names that rules may use."""
        names = Names(channels=self.around.channels)
        self.words = self.one(VOCABULARY, names, read_vocabulary, Words())
        names = replace(names, vocabulary=_vocabulary(self.words))
        self.topics = self.one(TOPICS, names, read_topics, {})
        names = replace(names, topics=frozenset(self.topics))
        segments: Mapping[str, str] = self.one(SEGMENTS, names, read_segments, {})
        names = replace(names, vocabulary=replace(names.vocabulary, segments=segments))
        self.limits = self.one(PRESSURE, names, read_pressure, Limits())
        known = {file: rule for rule, file in self.before.files.items()}
        ids = {
            found
            for file in self.rule_files()
            if (found := known.get(file) if self.is_unchanged(file) else rule_id(self.table(file)[0]))
        }
        return replace(names, rules=frozenset(ids))

    def templates(self) -> dict[str, Template]:
        """Read the templates by name, a broken one from its last good text."""
        found: dict[str, Template] = {}
        for file in (file for file in self.texts if is_template(file)):
            id = file.removeprefix(TEMPLATES).rpartition(".")[0]
            before, text = self.before.templates.get(id), self.texts[file]
            if before and before.source == text and file not in self.before.stale:
                found[id] = before
            elif read := read_template(text, id, file, self.findings):
                found[id] = read
            elif good := read_template(self.good.get(file, ""), id, file, Findings()):
                found[id] = good
            if id in found:
                self.used[file] = found[id].source
        return found

    def cards(self) -> dict[str, Card]:
        """Read the wallet cards by name, a broken one from its last good text: its pictures may be gone since."""
        found: dict[str, Card] = {}
        for file in (file for file in self.texts if file.startswith(CARDS)):
            id = bare(file).rpartition(".")[0]
            if read := read_card(self.texts[file], id, file, self.findings, self.around.pictures):
                found[id] = read
            elif good := read_card(self.good.get(file, ""), id, file, Findings()):
                found[id] = good
            if id in found:
                self.used[file] = found[id].source
        return found

    def one(self, file: str, names: Names, read: Callable[[Table, Reading], Value], absent: Value) -> Value:
        """Read one house file, or its last good text when it has mistakes."""
        if file not in self.texts:
            return absent
        for text, findings in ((self.texts[file], self.findings), (self.good.get(file, ""), Findings())):
            noted = len(findings.errors)
            table = read_strictly(text, file, findings)
            if table is not None:
                value = read(table, Reading(_with_segments(file, table, names), findings, has_conversation=False))
                if len(findings.errors) == noted:
                    self.used[file] = text
                    return value
        return absent

    def rules(self, names: Names) -> tuple[dict[str, Rule], dict[str, str]]:
        """Read the rule files; a broken one goes on with its last good text. Return the rules and their files by id."""
        rules: dict[str, Rule] = {}
        files: dict[str, str] = {}
        as_before = self.names_are_as_before(names)
        read_before = {file: self.before.rules[rule] for rule, file in self.before.files.items()}
        read = {
            file: rule
            for file in self.rule_files()
            if (rule := read_before[file] if as_before and self.is_unchanged(file) else self.rule(file, names))
        }
        owners = self.owners(read)
        for file, rule in read.items():
            if owners[rule.id] != file:
                at = rule.places.get("rule")
                self.findings.error(
                    Place(file, at.line, at.column) if at else Place(file),
                    f'rule: expected each rule once, got "{rule.id}", which {owners[rule.id]} has.',
                    "give this one another name",
                )
                continue
            rules[rule.id], files[rule.id], self.used[file] = rule, file, rule.text
        return rules, files

    def owners(self, read: Mapping[str, Rule]) -> dict[str, str]:
        """Return the file of each rule: a copy takes nothing over from the one that had it, or has its name."""
        had = self.before.files
        owners: dict[str, str] = {}
        for file, rule in sorted(
            read.items(), key=lambda one: (had.get(one[1].id) != one[0], one[0] != f"{one[1].id}.yml")
        ):
            owners.setdefault(rule.id, file)
        return owners

    def rule(self, file: str, names: Names) -> Rule | None:
        table, of_yaml = self.table(file)
        read = rule_of(table, self.texts[file], names, self.findings)
        self.findings.errors += of_yaml.errors
        if of_yaml.errors:
            read = None
        return reread(self.good[file], file, names) if read is None and file in self.good else read

    def table(self, file: str) -> tuple[Table | None, Findings]:
        """Return what a rule file says, read once: its id is wanted before the names are known that its rule is read by."""
        if file not in self.tables:
            noted = Findings()
            self.tables[file] = (read_strictly(self.texts[file], file, noted), noted)
        return self.tables[file]

    def is_unchanged(self, file: str) -> bool:
        """Return whether this file was read before and had no mistake."""
        used = self.before.texts.get(file)
        return (
            used is not None
            and used == self.texts[file]
            and file in self.before.files.values()
            and file not in self.before.stale
        )

    def names_are_as_before(self, names: Names) -> bool:
        """Return whether what a rule may name is what it was: further rules change nothing in those that were right."""
        old = self.before.names
        return replace(old, rules=names.rules) == names and (old.rules or frozenset()) <= (names.rules or frozenset())

    def rule_files(self) -> Iterator[str]:
        return (file for file in self.texts if is_rule(file))


def _fields_of(cards: Mapping[str, Card]) -> Mapping[str, frozenset[str]]:
    return {id: frozenset({MESSAGE, *(one.id for one in card.fields)}) for id, card in cards.items()}


def _vocabulary(words: Words) -> Vocabulary:
    attributes = {name: one.kind for name, one in words.attributes.items()} if words.attributes is not None else None
    events = {name: one.properties for name, one in words.events.items()} if words.events is not None else None
    if events is not None:
        events = {**{name: {} for name in OWN_EVENTS}, **events}
    return Vocabulary(attributes=attributes, events=events, words=dict(_said(words)))


def _said(words: Words) -> Iterator[tuple[str, Mapping[str, str]]]:
    spoken: list[tuple[str, Called]] = [(f"contact.{name}", one) for name, one in (words.attributes or {}).items()]
    spoken += list((words.events or {}).items())
    return ((name, one.words) for name, one in spoken if one.words)


def _with_segments(file: str, table: Table, names: Names) -> Names:
    """Let the segments of segments.yml name one another."""
    if file != SEGMENTS:
        return names
    vocabulary: Any = replace(names.vocabulary, segments=written_segments(table))
    return replace(names, vocabulary=vocabulary)
