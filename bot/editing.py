"""Edits of a bot become changes to the texts of its files. Pure: nothing is read or written here.

`edited` returns the files that an edit changes, in the order to write them in: after each one the folder is a bot that loads
(names come before those who use them).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from unicodedata import category

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from bot.cleaning import clean_text
from bot.edits import (
    LONGEST_ANSWER,
    LONGEST_EXAMPLE,
    AddExample,
    AddPassage,
    Edit,
    Facts,
    Files,
    MoveExample,
    NewAnswer,
    NotEdited,
)
from bot.events import DEFAULT_INTENTS, FALLBACK_INTENT
from bot.example_lists import append_sentence, items_of, keep_sentences, language_said, same_item, sentences
from bot.finders import fold
from bot.ngrams import words_of
from bot.roundtrip import literal, quoted, rewritten
from bot.training import language_of
from bot.understanding import OUT_OF_SCOPE

_MASK = re.compile(r"\[(?:email|account|card|number|name)\](?![({])")

_UNWRITTEN = ("Cc", "Cs", "Zl", "Zp")


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
            kept = [line for line in sentences(item["examples"]) if line != edit.text]
            if len(kept) == len(sentences(item["examples"])):
                continue
            if not kept:
                return "last_example"
            self._change(path, partial(_keep, item, kept))
            self._put_example(edit.target, edit.text, edit.language)
            return None
        return "unknown_example"

    def new_answer(self, edit: NewAnswer) -> str | None:
        says = {language: _printable(text).strip() for language, text in edit.says.items() if text.strip()}
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
        title, text = (
            " ".join(edit.title.split())[:120].lstrip("# "),
            _printable(edit.text.replace("\r\n", "\n")).strip(),
        )
        if not title or not text:
            return "empty"
        if len(text) > LONGEST_ANSWER:
            return "too_long"
        if edit.language not in self.bot.languages:
            return "unknown_language"
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
        if language not in self.bot.languages:
            return "unknown_language"
        words = words_of(text)
        if not words:
            return "no_words"
        for item in self._all_items(language):
            if any(words_of(line) == words for line in sentences(item.get("examples"))):
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
            path, item = max(homes, key=lambda home: len(sentences(home[1]["examples"])))
            self._change(path, lambda table: append_sentence(same_item(table, item), text))
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
            yield from (
                item for item in items_of(table) if language in (None, language_said(item) or self._language(path))
            )

    def _items(self, intent: str, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, table in self._tables():
            for item in items_of(table):
                if item.get("intent") == intent and (language_said(item) or self._language(path)) == language:
                    yield path, item

    def _change(self, path: str, change: Any) -> None:
        self._write(path, rewritten(self.files.get(path, 'version: "3.1"\n'), change))

    def _write(self, path: str, text: str) -> None:
        self.files[path] = text
        self.touched[path] = None


_LEARNED = ("Learned from conversations", "Appris des conversations")


def _keep(item: Mapping[str, Any], kept: Sequence[str], table: CommentedMap) -> None:
    keep_sentences(same_item(table, item), kept)


def _variation(language: str, text: str) -> CommentedMap:
    return CommentedMap({"text": quoted(text), "metadata": _flow({"language": language})})


def _flow(values: dict[str, Any]) -> CommentedMap:
    table = CommentedMap(values)
    table.fa.set_flow_style()
    return table


def _printable(text: str) -> str:
    """Return the text without what YAML can not write as it is (yaml.org/spec/1.2.2 section 5.1), tabs and line breaks kept."""
    return "".join(
        letter
        for letter in clean_text(text).replace("\ufeff", "")
        if letter in "\n\t" or category(letter) not in _UNWRITTEN
    )


def _one_line(text: str) -> str:
    """Return the sentence on one line, without the [name] and [number] of bot/masking.py, which nobody says."""
    return " ".join(_MASK.sub(" ", _printable(text)).split()).lstrip("- ").strip()
