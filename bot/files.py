"""The files a bot is written in: YAML 1.2 as Rasa reads it, every value knowing the place it was written.

YAML 1.2 matters: yes, no, on and off stay text. Errors are collected, never raised one by one, so that whoever
wrote the files sees all of them at once, each as `file:line:column: what; expected, got. Hint: ...`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


class Place(NamedTuple):
    """Where something is written; lines and columns are counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("?")


class Text(str):
    """A text that knows where it was written."""

    at: Place


class Table(dict[str, Any]):
    """A mapping that knows where it and each of its keys were written."""

    at: Place
    keys_at: dict[str, Place]


class Rows(list[Any]):
    """A list that knows where it was written."""

    at: Place


@dataclass(frozen=True, slots=True)
class ContentError:
    """One thing wrong in a bot's files."""

    at: Place
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.at}: {self.problem}" + (f" Hint: {self.hint}" if self.hint else "")


class ContentErrors(ValueError):
    """All that is wrong in a bot's files, together."""

    def __init__(self, errors: Iterable[ContentError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(slots=True)
class Findings:
    """What reading and checking the files found: errors forbid the bot to start, notices are only said."""

    errors: list[ContentError] = field(default_factory=list)
    notices: list[ContentError] = field(default_factory=list)

    def error(self, at: Place, problem: str, hint: str = "") -> None:
        """Note something that forbids the bot to start."""
        self.errors.append(ContentError(at, problem, hint))

    def notice(self, at: Place, problem: str, hint: str = "") -> None:
        """Note something worth knowing that does no harm."""
        self.notices.append(ContentError(at, problem, hint))

    def unknown(self, what: str, name: Any, known: Iterable[str]) -> None:
        """Note a name that stands for nothing, with the nearest one that does."""
        self.error(place_of(name), f'unknown {what}; got "{name}".', nearest(str(name), known))

    def unknown_key(self, table: Table, key: str, known: Iterable[str]) -> None:
        """Note a key that nobody reads."""
        known = list(known)
        problem = f'unknown key; expected one of {", ".join(known)}; got "{key}".'
        self.error(place_of(table, key), problem, nearest(key, known))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?" for the nearest known name, or an empty string when none is near."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""


def place_of(value: Any, key: str | None = None, default: Place = NOWHERE) -> Place:
    """Return where a value, or the value's key, was written."""
    if key is not None and isinstance(value, Table):
        return value.keys_at.get(key, value.at)
    return getattr(value, "at", default)


def plain(value: Any) -> Any:
    """Return the value as ordinary dicts, lists and strings."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def read(path: Path, shown: str, findings: Findings) -> Table:
    """Return the top-level mapping of a file; empty, with an error noted, when it cannot be read."""
    empty = Table()
    empty.at, empty.keys_at = Place(shown), {}
    try:
        node = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8-sig"))
        value = _Reader(shown, findings).value(node) if node else empty
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
        findings.error(at, f"expected YAML, got something unreadable: {error.problem or error.context}.")
        return empty
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        findings.error(Place(shown), f"expected YAML in UTF-8, got something unreadable: {str(error)[:200]}.")
        return empty
    if value is None:
        return empty
    if not isinstance(value, Table):
        findings.error(Place(shown), "expected keys at the top of the file, got a list or a text.")
        return empty
    return value


class _Reader:
    """Turns composed nodes into values with places; a node that several aliases share is read once."""

    def __init__(self, shown: str, findings: Findings) -> None:
        self.shown, self.findings = shown, findings
        self.done: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if id(node) not in self.done:
            self.done[id(node)] = None  # an alias to a parent reads as nothing instead of for ever
            self.done[id(node)] = self._read(node)
        return self.done[id(node)]

    def _read(self, node: Node) -> Any:
        at = Place(self.shown, node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, MappingNode):
            return self._table(node, at)
        if isinstance(node, SequenceNode):
            rows = Rows(self.value(item) for item in node.value)
            rows.at = at
            return rows
        return self._scalar(str(node.tag), str(node.value), at)

    def _table(self, node: MappingNode, at: Place) -> Table:
        table = Table()
        table.at, table.keys_at = at, {}
        for key_node, value_node in node.value:
            key_at = Place(self.shown, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            if key in table:
                self.findings.error(key_at, f'expected each key once, got "{key}" twice.')
            table[key], table.keys_at[key] = self.value(value_node), key_at
        return table

    def _scalar(self, tag: str, written: str, at: Place) -> Any:
        kind = tag.rsplit(":", 1)[-1]
        if kind == "null":
            return None
        if kind == "bool":
            return written.lower() == "true"
        if kind in ("int", "float"):
            number = _number(written, kind)
            if number is not None:
                return number
        text = Text(written)
        text.at = at
        return text


def _number(written: str, kind: str) -> int | float | None:
    try:
        return int(written.replace("_", ""), 0) if kind == "int" else float(written.replace("_", ""))
    except ValueError:
        try:
            return int(written)
        except ValueError:
            return None


def rows(value: Any) -> list[Any]:
    """Return a list: nothing is empty, a single value is a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def lines(value: Any) -> Iterator[Text]:
    """Yield the `- ` lines of a block of examples (or of a list), each with its own place."""
    if isinstance(value, list):
        for item in value:
            text = item.get("text") if isinstance(item, dict) else item
            if isinstance(text, Text):
                yield _line(str(text).strip().removeprefix("- "), text.at)
        return
    start = place_of(value)
    for number, line in enumerate(str(value or "").splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("-") and stripped[1:].strip():
            yield _line(stripped[1:].strip(), Place(start.file, start.line + number, start.column))


def _line(words: str, at: Place) -> Text:
    text = Text(words)
    text.at = at
    return text
