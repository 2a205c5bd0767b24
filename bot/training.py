"""The sentences a bot learns from: data/nlu*.yml in Rasa's format, with the language each is written in.

A file's language is its name's last part (`nlu.fr.yml`), else a folder of that name (`data/fr/nlu.yml`), else the
item's `metadata: {language: fr}`, else the bot's default. Rasa reads the same files and ignores all three.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.files import lines
from bot.marks import marks_in
from bot.patterns import compiled
from bot.values import name_at, table_at
from profiles.findings import Findings, nearest
from profiles.written import Table, Text, place_of, rows

_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of an example that name something: `[Lyon]{"entity": "city", "role": "to"}`, its place in the plain sentence."""

    start: int
    end: int
    entity: str
    role: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence and what it means."""

    text: str
    intent: str
    language: str
    written: Text
    answer: str | None = None
    """The full name of an intent of questions and answers: `faq/hours`."""
    marks: tuple[Mark, ...] = ()


@dataclass(slots=True)
class Training:
    """All that data/** teaches about language."""

    examples: list[Example] = field(default_factory=list)
    synonyms: dict[str, str] = field(default_factory=dict)
    patterns: dict[str, list[Text]] = field(default_factory=lambda: defaultdict(list))
    lookups: dict[str, list[Text]] = field(default_factory=lambda: defaultdict(list))
    intents: dict[str, Text] = field(default_factory=dict)
    entities: dict[str, Text] = field(default_factory=dict)


def read_training(files: list[Table], default_language: str, findings: Findings) -> Training:
    """Return what the `nlu:` lists of these files teach."""
    training = Training()
    for file in files:
        language = language_of(file.at.file) or default_language
        for item in rows(file.get("nlu")):
            if isinstance(item, Table):
                _read_item(item, language, training, findings)
            else:
                findings.error(
                    place_of(item, default=place_of(file, "nlu")),
                    f"nlu: expected items such as - intent: greet, got {item!r}.",
                )
    return training


def language_of(file: str) -> str | None:
    """Return the language that a file's name or folder says, or None."""
    path = PurePosixPath(file)
    stems = [path.stem.rsplit(".", 1)[-1]] if "." in path.stem else []
    return next((part for part in [*stems, *path.parts[:-1]] if _LANGUAGE.fullmatch(part)), None)


def _read_item(item: Table, language: str, training: Training, findings: Findings) -> None:
    language = name_at(table_at(item, "metadata", findings), "language", findings) or language
    sentences = list(lines(item.get("examples")))
    kind = next((kind for kind in ("intent", "synonym", "regex", "lookup") if isinstance(item.get(kind), Text)), None)
    if kind is None:
        findings.error(item.at, f"nlu: expected intent, synonym, regex or lookup; got {', '.join(item) or 'nothing'}.")
        return
    name: Text = item[kind]
    _notice_what_teaches_nothing(item, kind, sentences, findings)
    if kind == "intent":
        training.intents.setdefault(str(name).split("/")[0], name)
        for sentence in sentences:
            text, marks = _plain_sentence(sentence, training, findings)
            base, _, answer = str(name).partition("/")
            training.examples.append(Example(text, base, language, sentence, str(name) if answer else None, marks))
    elif kind == "synonym":
        training.synonyms.update({str(sentence).casefold(): str(name) for sentence in sentences})
    elif kind == "regex":
        training.patterns[str(name)] += [sentence for sentence in sentences if _compiles(sentence, findings)]
    else:
        training.lookups[str(name)] += sentences


def _notice_what_teaches_nothing(item: Table, kind: str, sentences: list[Text], findings: Findings) -> None:
    for key in item:
        if key not in (kind, "examples", "metadata"):
            hint = nearest(key, ("examples", "metadata"))
            findings.notice(place_of(item, key), f'nlu: {item[kind]}: nobody reads the key "{key}".', hint)
    if not sentences:
        findings.notice(
            place_of(item, kind), f"nlu: {item[kind]}: expected examples, got none.", "lines that begin with - "
        )


def _plain_sentence(sentence: Text, training: Training, findings: Findings) -> tuple[str, tuple[Mark, ...]]:
    """Return the sentence without its [marks](entity), and these; the marked words become look-ups, their values synonyms."""
    plain, position, marks = "", 0, []
    for mark, spec in marks_in(sentence, findings):
        words = mark[1]
        name = Text(spec.get("entity", ""))
        name.at = sentence.at
        training.entities.setdefault(str(name), name)
        training.lookups[str(name)].append(_at(words, sentence))
        if str(spec.get("value", words)) != words:
            training.synonyms.setdefault(words.casefold(), str(spec["value"]))
        plain += sentence[position : mark.start()]
        role, group = str(spec.get("role") or ""), str(spec.get("group") or "")
        marks.append(Mark(len(plain), len(plain) + len(words), str(name), role, group))
        plain += words
        position = mark.end()
    return plain + sentence[position:], tuple(marks)


def _at(words: str, sentence: Text) -> Text:
    text = Text(words)
    text.at = sentence.at
    return text


def _compiles(pattern: Text, findings: Findings) -> bool:
    try:
        compiled(str(pattern), re.IGNORECASE)
    except ValueError as error:
        findings.error(pattern.at, f"nlu: expected a regular expression, got {str(pattern)!r}: {error}.")
        return False
    return True
