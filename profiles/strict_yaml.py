"""YAML read strictly: every scalar is a text (a schema gives it its type), and whatever surprises is refused by name.

A plain loader turns 12:30 into 750, 1:30 into 90, NO into false and on into true; here they stay what was written.
Duplicate keys, anchors, aliases, tags and further documents are mistakes; size and depth are bounded. The parser's events
are read one by one, so that a file of nothing but brackets ends at the bound (whole, 20,000 of them take it 50 s).
"""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from profiles.findings import Findings
from profiles.written import Nothing, Place, Rows, Table, Text, empty_table

LARGEST = 64_000  # bytes
DEEPEST = 24  # levels of mappings and lists


class Scalar(Text):
    """A text of a strictly read file. What was left empty is None below a key, Nothing in a list, unless it was quoted."""

    first: Place | None
    """Where its first character stands, when its characters stand in the file as they are, on one line."""
    in_flow: bool
    """Whether it stands between [ ] or { }, where a comma ends it."""


def read_strictly(text: str, shown: str, findings: Findings) -> Table | None:
    """Return the top-level mapping of a file's text, scalars as `Scalar`; None, with what is wrong noted, if it has none."""
    noted = len(findings.errors)
    if (size := len(text.encode("utf-8", "replace"))) > LARGEST:
        findings.error(Place(shown), f"expected a file of at most {LARGEST:,} bytes, got {size:,}.")
        return None
    building = _Building(shown, findings)
    try:
        for event in YAML(typ="safe", pure=True).parse(text.removeprefix("\ufeff")):
            building.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place(shown, mark.line + 1, mark.column + 1) if mark else Place(shown)
        problem = str(error.problem or error.context)
        findings.error(at, f"expected YAML, got something unreadable: {problem}.", _hint(problem))
        return None
    except _Refused:
        return None
    except (YAMLError, ValueError) as error:
        findings.error(Place(shown), f"expected YAML, got something unreadable: {str(error)[:200]}.")
        return None
    if isinstance(building.top, Table):
        return building.top
    if len(findings.errors) == noted:
        got = "nothing" if building.top is None else "a list" if isinstance(building.top, list) else "a text"
        findings.error(Place(shown), f"expected keys at the top of the file, got {got}.")
    return None


def _hint(problem: str) -> str:
    if problem.startswith("mapping values"):
        return "a value with a colon and a space in it must stand in quotes, or below after |"
    if "'\\t'" in problem:
        return "indent with spaces, not with tabs"
    if "cannot start any token" in problem or "'<scalar>'" in problem:
        return "a value that begins with a quote or a sign must stand in '...' as a whole, or below after |"
    if "'<stream end>'" in problem:
        return "a quote or a bracket is not closed"
    if "<block" in problem:
        return "keys and list items of one level begin in the same column"
    return ""


class _Refused(Exception):
    """Reading goes no further; why is noted."""


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not come yet."""

    value: Table | Rows
    in_flow: bool
    key: str | None = None
    is_twice: bool = False


@dataclass(slots=True)
class _Building:
    """The value that grows from the parser's events."""

    shown: str
    findings: Findings
    top: Any = None
    documents: int = 0
    open: list[_Open] = field(default_factory=list)

    def take(self, event: Any) -> None:
        at = Place(self.shown, event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self.refuse(at, 'expected one document, got a second one after "---".')
            case AliasEvent():
                self.findings.error(at, f'expected the value itself, got the alias "*{event.anchor}".')
                self.put(None, at)
            case MappingEndEvent() | SequenceEndEvent():
                self.open.pop()
            case MappingStartEvent():
                self.check(event, at)
                self.enter(empty_table(at), at, bool(event.flow_style))
            case SequenceStartEvent():
                self.check(event, at)
                rows = Rows()
                rows.at = at
                self.enter(rows, at, bool(event.flow_style))
            case ScalarEvent():
                self.check(event, at)
                self.put(self.scalar(event, at), at)

    def check(self, event: NodeEvent, at: Place) -> None:
        if event.anchor:
            self.findings.error(at, f'expected no anchor, got "&{event.anchor}".', "write the value where it is used")
        if tag := getattr(event, "ctag", None):
            self.findings.error(at, f'expected no tag, got "{tag}".', "a text that begins with ! must stand in quotes")

    def scalar(self, event: ScalarEvent, at: Place) -> Scalar | None:
        written = str(event.value)
        if not written and not event.style:
            return None
        text = Scalar(written)
        text.at, text.first = at, None
        text.in_flow = bool(self.open) and self.open[-1].in_flow
        quotes = 2 if event.style in ("'", '"') else 0
        is_on_one_line = event.end_mark.line == event.start_mark.line and event.style not in ("|", ">")
        if is_on_one_line and event.end_mark.column - event.start_mark.column == len(written) + quotes:
            text.first = at._replace(column=at.column + quotes // 2)
        return text

    def enter(self, value: Table | Rows, at: Place, in_flow: bool) -> None:
        if len(self.open) == DEEPEST:
            self.refuse(at, f"expected at most {DEEPEST} levels, got one more.")
        if self.open and isinstance(self.open[-1].value, Table) and self.open[-1].key is None:
            self.refuse(at, "expected a text as key, got a list or a mapping.")
        self.put(value, at)
        self.open.append(_Open(value, in_flow or bool(self.open and self.open[-1].in_flow)))

    def put(self, value: Any, at: Place) -> None:
        if not self.open:
            self.top = value
            return
        parent = self.open[-1]
        if isinstance(parent.value, Rows):
            parent.value.append(Nothing(at) if value is None else value)
        elif parent.key is None:
            self.name(parent, str(value or ""), at)
        else:
            if not parent.is_twice:
                parent.value[parent.key] = value
            parent.key = None

    def name(self, parent: _Open, key: str, at: Place) -> None:
        assert isinstance(parent.value, Table)
        parent.key, parent.is_twice = key, key in parent.value
        if parent.is_twice:
            line = parent.value.keys_at[key].line
            self.findings.error(at, f'expected each key once, got "{key}" again.', f"it stands in line {line} already")
        else:
            parent.value.keys_at[key] = at

    def refuse(self, at: Place, problem: str) -> None:
        self.findings.error(at, problem)
        raise _Refused
