"""What people teach a bot through the console, as changes to the texts of its files. Pure: nothing is read or written here.

An edit is a small record; `edited` returns the files it changes. The order of those is the order to write them in: after each
one the folder is a bot that loads (names before those who use them).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bot.events import DEFAULT_INTENTS, FALLBACK_INTENT
from bot.finders import fold
from bot.ngrams import words_of
from bot.roundtrip import literal, quoted, rewritten
from bot.training import language_of
from bot.understanding import OUT_OF_SCOPE

Files: TypeAlias = Mapping[str, str]
"""Path inside the bot's folder -> text."""

LONGEST_EXAMPLE = 300
LONGEST_ANSWER = 2_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


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


def edited(edit: Edit, files: Files, bot: Facts) -> dict[str, str] | NotEdited:
    """Return the files that the edit changes or makes, in the order to write them; or why there is nothing to do."""
    desk = _Desk(dict(files), bot)
    try:
        match edit:
            case AddExample():
                problem = desk.add_example(edit)
            case MoveExample():
                problem = desk.move(edit)
            case NewAnswer():
                problem = desk.new_answer(edit)
            case AddPassage():
                problem = desk.add_passage(edit)
    except (YAMLError, ValueError):
        return NotEdited("unreadable")
    if problem:
        return NotEdited(problem)
    return {path: desk.files[path] for path in desk.touched}


def name_from(title: str, taken: frozenset[str] = frozenset()) -> str:
    """Return a name for rules made of a title that people wrote: `Livraison en Corse` is `livraison_en_corse`."""
    words = re.findall(r"[a-z0-9]+", fold(title))
    name = "_".join(words)[:40].strip("_")
    if not name or not name[0].isalpha():
        name = f"answer_{name}".strip("_")[:40]
    number, found = 2, name
    while found in taken or found in DEFAULT_INTENTS or found == FALLBACK_INTENT:
        found, number = f"{name[:36]}_{number}", number + 1
    return found


class _Desk:
    """The files on which one edit is made."""

    def __init__(self, files: dict[str, str], bot: Facts) -> None:
        self.files, self.bot = files, bot
        self.touched: dict[str, None] = {}

    def add_example(self, edit: AddExample) -> str | None:
        text = _one_line(edit.text)
        if problem := self._problem(text, edit.language):
            return problem
        if edit.intent == OUT_OF_SCOPE and OUT_OF_SCOPE not in self.bot.intents:
            self._declare(OUT_OF_SCOPE)
            self._put_example(OUT_OF_SCOPE, text, edit.language)
            self._add_rule("Beyond the bot", OUT_OF_SCOPE, self.bot.fallback)
            return None
        if edit.intent.split("/")[0] not in self.bot.intents:
            return "unknown_intent"
        self._put_example(edit.intent, text, edit.language)
        return None

    def move(self, edit: MoveExample) -> str | None:
        if edit.target.split("/")[0] not in self.bot.intents or edit.target == edit.source:
            return "unknown_intent"
        for path, item in self._items(edit.source, edit.language):
            kept = [line for line in _sentences(item["examples"]) if line != edit.text]
            if len(kept) == len(_sentences(item["examples"])):
                continue
            if not kept:
                return "last_example"
            self._change(path, lambda table: _set_examples(_item(table, item), kept))
            self._put_example(edit.target, edit.text, edit.language)
            return None
        return "unknown_example"

    def new_answer(self, edit: NewAnswer) -> str | None:
        says = {language: text.strip() for language, text in edit.says.items() if text.strip()}
        if not says or not edit.examples or not edit.title.strip():
            return "empty"
        if any(len(text) > LONGEST_ANSWER for text in says.values()):
            return "too_long"
        examples = [(language, _one_line(text)) for language, text in edit.examples]
        for language, text in examples:
            if problem := self._problem(text, language):
                return problem
        used = self.bot.intents | {name.removeprefix("utter_") for name in self.bot.responses}
        name = name_from(edit.title, used)
        self._declare(name)
        self._add_response(f"utter_{name}", says)
        for language, text in dict.fromkeys(examples):
            self._put_example(name, text, language)
        self._add_rule(" ".join(edit.title.split())[:80], name, f"utter_{name}")
        return None

    def add_passage(self, edit: AddPassage) -> str | None:
        title, text = " ".join(edit.title.split())[:120].lstrip("# "), edit.text.replace("\r\n", "\n").strip()
        if not title or not text:
            return "empty"
        if len(text) > LONGEST_ANSWER:
            return "too_long"
        if re.search(r"^#", text, re.M) or "<!--" in text:
            return "bad_value"
        also = " ".join(edit.also.replace("--", " ").replace(">", " ").split())[:LONGEST_EXAMPLE]
        path = f"kb/{edit.language}/learned.md"
        section = f"## {title}\n" + (f"<!-- also: {also} -->\n" if also else "") + f"{text}\n"
        before = self.files.get(path)
        self._write(
            path, f"{before.rstrip()}\n\n{section}" if before else f"# {_LEARNED[edit.language == 'fr']}\n\n{section}"
        )
        return None

    def _problem(self, text: str, language: str) -> str | None:
        if not text:
            return "empty"
        if len(text) > LONGEST_EXAMPLE:
            return "too_long"
        if not re.fullmatch(r"[a-z]{2}", language):
            return "unknown_language"
        words = words_of(text)
        if not words:
            return "no_words"
        for item in self._all_items(language):
            if any(words_of(line) == words for line in _sentences(item.get("examples"))):
                return "already_there"
        return None

    # -- where things are written

    def _declare(self, intent: str) -> None:
        def change(table: CommentedMap) -> None:
            if not isinstance(table.get("intents"), CommentedSeq):
                table["intents"] = CommentedSeq()
            table["intents"].append(intent)

        self._change(self._home("intents", "domain.yml"), change)

    def _add_response(self, name: str, says: Mapping[str, str]) -> None:
        def change(table: CommentedMap) -> None:
            if not isinstance(table.get("responses"), CommentedMap):
                table["responses"] = CommentedMap()
            table["responses"][name] = CommentedSeq(_variation(language, text) for language, text in says.items())

        self._change(self._home("responses", "domain.yml"), change)

    def _add_rule(self, title: str, intent: str, action: str) -> None:
        def change(table: CommentedMap) -> None:
            if not isinstance(table.get("rules"), CommentedSeq):
                table["rules"] = CommentedSeq()
            steps = CommentedSeq([_flow({"intent": intent}), _flow({"action": action})])
            steps.fa.set_flow_style()
            table["rules"].append(CommentedMap({"rule": quoted(title), "steps": steps}))

        self._change(self._home("rules", "data/rules.yml"), change)

    def _put_example(self, intent: str, text: str, language: str) -> None:
        homes = list(self._items(intent, language))
        if homes:
            path, item = max(homes, key=lambda home: len(_sentences(home[1]["examples"])))
            self._change(path, lambda table: _append_example(_item(table, item), text))
            return

        def change(table: CommentedMap) -> None:
            if not isinstance(table.get("nlu"), CommentedSeq):
                table["nlu"] = CommentedSeq()
            table["nlu"].append(CommentedMap({"intent": intent, "examples": literal([f"- {text}"])}))

        self._change(self._sentences_home(language), change)

    def _home(self, key: str, otherwise: str) -> str:
        """Return the file that has this key at its top, the shortest path first; else the one it usually stands in."""
        places = [path for path, table in self._tables() if isinstance(table.get(key), (list, dict))]
        return min(places, key=lambda path: (path != otherwise, len(path), path)) if places else otherwise

    def _sentences_home(self, language: str) -> str:
        homes = [path for path, table in self._tables() if "nlu" in table and self._language(path) == language]
        if homes:
            return min(homes, key=lambda path: (len(path), path))
        return "data/nlu.yml" if language == self.bot.language else f"data/nlu.{language}.yml"

    def _language(self, path: str) -> str:
        return language_of(path) or self.bot.language

    def _tables(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, text in self.files.items():
            if re.fullmatch(r"domain\.ya?ml|(?:domain|data)/.*\.ya?ml", path):
                table = YAML(typ="safe", pure=True).load(text)
                if isinstance(table, dict):
                    yield path, table

    def _all_items(self, language: str | None = None) -> Iterator[dict[str, Any]]:
        for path, table in self._tables():
            yield from (item for item in _nlu(table) if language in (None, _spoken(item) or self._language(path)))

    def _items(self, intent: str, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, table in self._tables():
            for item in _nlu(table):
                if item.get("intent") == intent and (_spoken(item) or self._language(path)) == language:
                    yield path, item

    def _change(self, path: str, change: Any) -> None:
        self._write(path, rewritten(self.files.get(path, 'version: "3.1"\n'), change))

    def _write(self, path: str, text: str) -> None:
        self.files[path] = text
        self.touched[path] = None


_LEARNED = ("Learned from conversations", "Appris des conversations")


def _nlu(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for item in table.get("nlu") or [] if isinstance(item, dict) and isinstance(item.get("intent"), str)]


def _spoken(item: Mapping[str, Any]) -> str | None:
    metadata = item.get("metadata")
    return metadata.get("language") if isinstance(metadata, dict) else None


def _sentences(examples: Any) -> list[str]:
    """Return the sentences of a block or list of examples, as written."""
    if isinstance(examples, list):
        found = [one.get("text") if isinstance(one, dict) else one for one in examples]
        return [str(text).strip().removeprefix("- ") for text in found if text]
    lines = (line.strip() for line in str(examples or "").splitlines())
    return [line[1:].strip() for line in lines if line.startswith("-") and line[1:].strip()]


def _item(table: CommentedMap, like: Mapping[str, Any]) -> CommentedMap:
    """Return the item of the loaded file that is the one found before."""
    return next(item for item in table["nlu"] if isinstance(item, dict) and item == like)


def _append_example(item: CommentedMap, text: str) -> None:
    examples = item.get("examples")
    if isinstance(examples, CommentedSeq):
        examples.append(CommentedMap({"text": text}) if examples and isinstance(examples[0], dict) else text)
        return
    item["examples"] = literal([*str(examples or "").rstrip("\n").splitlines(), f"- {text}"], like=examples)


def _set_examples(item: CommentedMap, kept: Sequence[str]) -> None:
    examples = item["examples"]
    if isinstance(examples, CommentedSeq):
        for number in reversed(range(len(examples))):
            if _sentences([examples[number]]) and _sentences([examples[number]])[0] not in kept:
                del examples[number]
        return
    lines = [line for line in str(examples).splitlines() if not _sentences(line) or _sentences(line)[0] in kept]
    item["examples"] = literal(lines, like=examples)


def _variation(language: str, text: str) -> CommentedMap:
    return CommentedMap({"text": quoted(text), "metadata": _flow({"language": language})})


def _flow(values: dict[str, Any]) -> CommentedMap:
    table = CommentedMap(values)
    table.fa.set_flow_style()
    return table


def _one_line(text: str) -> str:
    return " ".join(text.split()).lstrip("- ").strip()
