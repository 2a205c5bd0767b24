"""The files a bot is written in: YAML 1.2 as Rasa reads it, every value knowing the place it was written.

YAML 1.2 matters: yes, no, on and off stay text. Errors are collected, never raised one by one, so that whoever
wrote the files sees all of them at once, each as `file:line:column: what; expected, got. Hint: ...`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from profiles.findings import Findings
from profiles.written import Place, Rows, Table, Text, empty_table, place_of, rows, text_at


def read(path: Path, shown: str, findings: Findings) -> Table:
    """Return the top-level mapping of a file; empty, with an error noted, when it cannot be read."""
    empty = empty_table(Place(shown))
    try:
        node = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8-sig"))
        value = _Reader(shown, findings).value(node) if node else empty
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
        findings.unreadable(at, f"expected YAML, got something unreadable: {error.problem or error.context}.")
        return empty
    except UnicodeDecodeError as error:
        read = error.object[: error.start]
        at = Place(shown, read.count(b"\n") + 1, error.start - read.rfind(b"\n"))
        findings.unreadable(at, f"expected UTF-8, got the byte 0x{error.object[error.start]:02x}.", "save it as UTF-8")
        return empty
    except (YAMLError, RecursionError) as error:
        findings.unreadable(
            Place(shown), f"expected YAML, got something unreadable: {' '.join(str(error).split())[:200]}."
        )
        return empty
    if value is None:
        return empty
    if not isinstance(value, Table):
        findings.unreadable(Place(shown), "expected keys at the top of the file, got a list or a text.")
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
            items = Rows(self.value(item) for item in node.value)
            items.at = at
            return items
        return self._scalar(str(node.tag), str(node.value), at)

    def _table(self, node: MappingNode, at: Place) -> Table:
        table, taken_over = empty_table(at), []
        for key_node, value_node in node.value:
            if str(key_node.tag).endswith(":merge"):
                taken_over.append(self.value(value_node))
                continue
            key_at = Place(self.shown, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            if key in table:
                self.findings.error(key_at, f'expected each key once, got "{key}" twice.')
            table[key], table.keys_at[key] = self.value(value_node), key_at
        for other in (one for value in taken_over for one in rows(value)):
            if not isinstance(other, Table):
                self.findings.error(place_of(other, default=at), "<<: expected the keys of another, such as *name.")
                continue
            for key in other.keys() - table.keys():
                table[key], table.keys_at[key] = other[key], other.keys_at[key]
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
        return text_at(written, at)


def _number(written: str, kind: str) -> int | float | None:
    try:
        return int(written.replace("_", ""), 0) if kind == "int" else float(written.replace("_", ""))
    except ValueError:
        try:
            return int(written)
        except ValueError:
            return None


def lines(value: Any) -> Iterator[Text]:
    """Yield the `- ` lines of a block of examples (or of a list), each with its own place."""
    if isinstance(value, list):
        for item in value:
            text = item.get("text") if isinstance(item, dict) else item
            if isinstance(text, Text):
                yield text_at(str(text).strip().removeprefix("- "), text.at)
        return
    start = place_of(value)
    for number, line in enumerate(str(value or "").splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("-") and stripped[1:].strip():
            yield text_at(stripped[1:].strip(), Place(start.file, start.line + number, start.column))
