"""From text to a checked tree: Python's own parser reads it, an allow-list takes only what the language has.

Nothing is compiled or run. Size, depth and the number of parts are bounded before any part is looked at
(RELIABILITY: attacks 49 and the evaluators that fell to them); all mistakes of a text are told at once.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from profiles.expression_calls import CALLS, FUNCTIONS, called, property_of_last
from profiles.expression_comparisons import comparison
from profiles.expression_facts import Mistake, Vocabulary
from profiles.expression_names import Nothing, named
from profiles.expression_sums import computed, constant, negative
from profiles.expression_syntax import MOST_NODES, Unread, syntax_of
from profiles.expression_tree import (
    Both,
    Call,
    Compare,
    Did,
    Either,
    Has,
    Kind,
    Member,
    Negation,
    Node,
    Reached,
    Reacted,
    Segment,
    SentCount,
    Truth,
)  # fmt: skip
from profiles.findings import nearest_name

CONDITIONS = (Compare, Member, Truth, Has, Both, Either, Negation, Did, Reached, SentCount, Reacted, Segment)

_OF_SEGMENT = " without mistakes"


def read(text: str, vocabulary: Vocabulary, *, is_condition: bool) -> Node | tuple[Mistake, ...]:
    """Return the checked tree of the text, or its mistakes in the order of the text."""
    reader = Reader(vocabulary, text, text)
    tree = reader.whole(is_condition=is_condition)
    if tree is None or reader.mistakes:
        return tuple(sorted(set(reader.mistakes), key=lambda mistake: (mistake.line, mistake.column)))
    return tree


def is_a_condition(node: Node) -> bool:
    """Whether a node holds or does not, and never is missing."""
    return isinstance(node, CONDITIONS) or (isinstance(node, Call) and node.kind is Kind.FLAG)


@dataclass(slots=True)
class Reader:
    """The reading of one text: what may be named, what was wrong, how much room is left."""

    vocabulary: Vocabulary
    text: str
    outermost: str
    """The text that mistakes are counted in: not `text` inside a where="..."."""
    start: int = 0
    """Where `text` begins in the outermost."""
    mistakes: list[Mistake] = field(default_factory=list)
    room: list[int] = field(default_factory=lambda: [MOST_NODES])
    """How many more parts, shared with the readers of inner texts."""
    depth: int = 0
    segments: tuple[str, ...] = ()
    """Those whose conditions are being read, outermost first."""
    is_where: bool = False
    """Inside where="...": only the event of the past is known there."""

    def whole(self, *, is_condition: bool) -> Node | None:
        """Return the tree of the whole text, or None with mistakes told."""
        found = syntax_of(self.text, depth=self.depth, room=self.room[0])
        if isinstance(found, Unread):
            return self._refuse(found.at, found.expected, found.got, found.nearest)
        self.text, self.start, self.depth = found.text, self.start + found.lead, found.depth
        self.room[0] -= found.nodes
        return self.condition(found.tree) if is_condition else self.any(found.tree)

    @property
    def functions(self) -> Iterable[str]:
        """Return what may be called."""
        return {*CALLS, *FUNCTIONS}

    # -- what is wrong, and where

    def wrong(
        self, tree: ast.AST, expected: str, got: str, *, known: Iterable[str] = (), name: str = ""
    ) -> Nothing | None:
        """Tell a mistake at this part, and return None; `name` is what was meant to be one of the `known`."""
        at = len(self.text.encode()[: getattr(tree, "col_offset", 0)].decode("utf-8", "ignore"))
        return self._refuse(at, expected, got, nearest_name(name, sorted(known)) if name else "")

    def _refuse(self, at: int, expected: str, got: str, nearest: str = "") -> Nothing | None:
        before = self.outermost[: self.start + at]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        self.mistakes.append(Mistake(column, expected, got, nearest, line))
        return None

    # -- conditions

    def condition(self, tree: ast.expr) -> Node | None:
        """Return the part as something that holds or does not."""
        node = self.any(tree)
        if node is None or is_a_condition(node):
            return node
        if node.kind in (Kind.FLAG, Kind.ANY):
            return Truth(node)
        return self.wrong(tree, "a condition", f"a {node.kind}")

    def value(self, tree: ast.expr) -> Node | None:
        """Return the part as a value that can be compared and computed with."""
        node = self.any(tree)
        if node is not None and is_a_condition(node):
            return self.wrong(tree, "a value", "a condition")
        return node

    def any(self, tree: ast.expr) -> Node | None:
        """Return the part, whatever it is."""
        match tree:
            case ast.BoolOp(op=op, values=values):
                items = [self.condition(item) for item in values]
                known = tuple(item for item in items if item is not None)
                if len(known) < len(items):
                    return None
                return Both(known) if isinstance(op, ast.And) else Either(known)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                item = self.condition(operand)
                return None if item is None else Negation(item)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negative(self, operand)
            case ast.Compare():
                return comparison(self, tree)
            case ast.BinOp():
                return computed(self, tree)
            case ast.Constant():
                return constant(self, tree)
            case ast.Call():
                return called(self, tree)
            case ast.Attribute(value=ast.Call() as call):
                return property_of_last(self, tree, call)
            case ast.Name() | ast.Attribute():
                return named(self, tree)
            case _:
                return self.wrong(tree, "names, values, comparisons and calls", _what(tree))

    # -- texts within the text

    def inner(self, tree: ast.Constant, vocabulary: Vocabulary) -> Node | None:
        """Return the condition in where="...": it knows the event of the past, and nothing else."""
        at = len(self.text.encode()[: tree.col_offset].decode()) + 1
        reader = Reader(
            vocabulary, str(tree.value), self.outermost, self.start + at, self.mistakes, self.room, self.depth,
            self.segments, is_where=True,
        )  # fmt: skip
        return reader.whole(is_condition=True)

    def segment(self, tree: ast.expr, name: str) -> Node | None:
        """Return the condition of a segment; one that leads back to itself is refused."""
        known = self.vocabulary.segments
        if name not in known:
            return self.wrong(tree, "a segment", f'"{name[:40]}"', known=known, name=name)
        if name in self.segments:
            path = " > ".join((*self.segments, name))
            return self.wrong(tree, "a segment that does not lead back to itself", path[:200])
        source = known[name]
        reader = Reader(
            self.vocabulary, source, source, room=self.room, depth=self.depth, segments=(*self.segments, name)
        )
        condition = reader.whole(is_condition=True)
        if reader.mistakes:
            first = reader.mistakes[0]
            why = first.got if first.expected.endswith(_OF_SEGMENT) else str(first)
            return self.wrong(tree, f'segment "{name}"{_OF_SEGMENT}', why[:200])
        return None if condition is None else Segment(name, condition)


def _what(tree: ast.expr) -> str:
    return {
        "JoinedStr": "an f-string", "Lambda": "a lambda", "NamedExpr": "an assignment", "Subscript": "square brackets",
        "Dict": "braces", "IfExp": "if ... else", "Starred": "a star", "Tuple": "a list", "List": "a list", "Set": "a list",
        "ListComp": "a loop", "SetComp": "a loop", "DictComp": "a loop", "GeneratorExp": "a loop",
        "UnaryOp": "a sign before it",
    }.get(type(tree).__name__, type(tree).__name__)  # fmt: skip
