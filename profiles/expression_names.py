"""What can be named in an expression, each with its kind: contact.x, event.y, now. Calls are in expression_calls.py."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from profiles.expression_facts import Vocabulary
from profiles.expression_tree import (
    Clock,
    Contact,
    Extra,
    Kind,
    Literal,
    Node,
    Property,
    Thread,
)  # fmt: skip

Nothing = TypeVar("Nothing")
"""Whatever the caller would have returned, had nothing been wrong."""


class Reader(Protocol):
    """What naming asks of whoever reads the text (profiles/expression_parser.py)."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def is_where(self) -> bool: ...

    @property
    def functions(self) -> Iterable[str]: ...

    def wrong(
        self, tree: ast.AST, expected: str, got: str, *, known: Iterable[str] = (), name: str = ""
    ) -> Nothing | None: ...

    def value(self, tree: ast.expr) -> Node | None: ...

    def segment(self, tree: ast.expr, name: str) -> Node | None: ...

    def inner(self, tree: ast.Constant, vocabulary: Vocabulary) -> Node | None: ...


BUILTIN = {
    "id": Kind.TEXT, "name": Kind.TEXT, "language": Kind.TEXT, "last_channel": Kind.TEXT,
    "created_at": Kind.INSTANT, "last_inbound_at": Kind.INSTANT,
}  # fmt: skip
"""Facts of a profile that are no attributes."""
THREAD = {
    "open": Kind.FLAG, "waiting": Kind.FLAG, "owner": Kind.TEXT, "status": Kind.TEXT, "channel": Kind.TEXT,
    "team": Kind.TEXT, "labels": Kind.TEXTS,
}  # fmt: skip
EVENT = {"name": Kind.TEXT, "happened_at": Kind.INSTANT}
"""What every event has beside its properties."""

_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def named(reader: Reader, tree: ast.Name | ast.Attribute) -> Node | None:
    """Return the node of a name such as `now` or `contact.country`."""
    if isinstance(tree, ast.Name):
        return _plain(reader, tree)
    if not isinstance(tree.value, ast.Name):
        return reader.wrong(tree, "a name such as contact.country", "something longer")
    root, name = tree.value.id, tree.attr
    if root not in _ROOTS or (reader.is_where and root != "event"):
        roots = ["event"] if reader.is_where else list(_ROOTS)
        return reader.wrong(tree, f"one of {', '.join(roots)}", f'"{root[:40]}"', known=roots, name=root)
    return _ROOTS[root](reader, tree, name)


def _plain(reader: Reader, tree: ast.Name) -> Node | None:
    name = tree.id
    if name in ("true", "false"):
        return Literal(name == "true", Kind.FLAG)
    if name == "now":
        return Clock(Kind.INSTANT)
    if name == "today":
        return Clock(Kind.DATE)
    extra = {} if reader.is_where else reader.vocabulary.extra
    if name in extra:
        return Extra(name, extra[name])
    if name in _ROOTS:
        return reader.wrong(tree, f"a name such as {name}.country", f'"{name}" alone')
    known = {"now", "today", "true", "false", *extra, *reader.functions}
    return reader.wrong(tree, "a known name, or a text in quotes", f'"{name[:40]}"', known=known, name=name)


def _contact(reader: Reader, tree: ast.Attribute, name: str) -> Node | None:
    if name in BUILTIN:
        return Contact(name, BUILTIN[name], is_builtin=True)
    kind = _declared(reader, tree, name, reader.vocabulary.attributes, _ATTRIBUTE, what="an attribute", beside=BUILTIN)
    return Contact(name, kind) if kind else None


def _event(reader: Reader, tree: ast.Attribute, name: str) -> Node | None:
    return _of_event(reader, tree, "event", name, reader.vocabulary.event)


def _start(reader: Reader, tree: ast.Attribute, name: str) -> Node | None:
    return _of_event(reader, tree, "start", name, reader.vocabulary.start)


def _of_event(reader: Reader, tree: ast.expr, root: str, name: str, event: str | None) -> Node | None:
    if event is None:
        other = f"start.{name}" if root == "event" and reader.vocabulary.start is not None else ""
        got = f"{root}.{name[:40]}: there is no {root} at this place"
        return reader.wrong(tree, "something known here", got, known=(other,), name=other)
    if name in EVENT:
        return Property(root, name, EVENT[name])
    kind = property_kind(reader, tree, event, name)
    return Property(root, name, kind) if kind else None


def property_kind(reader: Reader, tree: ast.expr, event: str, name: str) -> Kind | None:
    """Return the kind of an event's property, or None with the mistake told."""
    declared = (reader.vocabulary.events or {}).get(event) or None
    return _declared(reader, tree, name, declared, PROPERTY, what="a property", beside=EVENT)


def _conversation(reader: Reader, tree: ast.Attribute, name: str) -> Node | None:
    if not reader.vocabulary.has_conversation:
        return reader.wrong(tree, "something known here", "conversation: there is none at this place")
    if name not in THREAD:
        return reader.wrong(tree, f"one of {', '.join(THREAD)}", f'"{name[:40]}"', known=THREAD, name=name)
    return Thread(name, THREAD[name])


_ROOTS: dict[str, Callable[[Reader, ast.Attribute, str], Node | None]] = {
    "contact": _contact, "event": _event, "start": _start, "conversation": _conversation}  # fmt: skip


def _declared(
    reader: Reader,
    tree: ast.expr,
    name: str,
    declared: Mapping[str, Kind] | None,
    spelling: re.Pattern[str],
    *,
    what: str,
    beside: Iterable[str] = (),
) -> Kind | None:
    if not spelling.fullmatch(name):
        return reader.wrong(tree, f"{what} spelt with letters, digits and _", f'"{name[:40]}"')
    if declared is None:
        return Kind.ANY
    if name not in declared:
        return reader.wrong(tree, what, f'"{name}"', known=[*declared, *beside], name=name)
    return declared[name]
