"""From text to a checked tree: Python's own parser reads it, an allow-list takes only what the language has.

Nothing is compiled or run. Size, depth and the number of parts are bounded before any part is looked at
(RELIABILITY: attacks 49 and the evaluators that fell to them); all mistakes of a text are told at once.
"""

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from profiles.duration import parse_duration
from profiles.expression_calls import CALLS, FUNCTIONS, called, property_of_last
from profiles.expression_facts import Mistake, Vocabulary
from profiles.expression_names import Nothing, named
from profiles.expression_tree import (
    Apart,
    Arithmetic,
    Both,
    Call,
    Compare,
    Did,
    Either,
    Has,
    Kind,
    Listing,
    Literal,
    Member,
    Negation,
    Node,
    Reached,
    Reacted,
    Segment,
    SentCount,
    Shift,
    Truth,
)  # fmt: skip
from profiles.expression_values import written_moment

LARGEST = 10**15  # a constant: beyond it a float no longer counts in whole hundredths
LONGEST_TEXT = 256  # characters of one constant
MOST_LISTED = 250

CONDITIONS = (Compare, Member, Truth, Has, Both, Either, Negation, Did, Reached, SentCount, Reacted, Segment)
LONGEST_SOURCE = 4_096  # bytes
MOST_NODES = 400  # over the whole expression, segments put in place included
DEEPEST = 24  # brackets, operators and calls inside each other

_OF_SEGMENT = " without mistakes"
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_MOMENTS = (Kind.DATE, Kind.INSTANT)


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
        tree = self._parsed()
        if tree is None:
            return None
        return self.condition(tree) if is_condition else self.any(tree)

    @property
    def functions(self) -> Iterable[str]:
        """Return what may be called."""
        return {*CALLS, *FUNCTIONS}

    def _parsed(self) -> ast.expr | None:
        if len(self.text.encode("utf-8", "replace")) > LONGEST_SOURCE:
            return self._refuse(0, f"at most {LONGEST_SOURCE} bytes", f"{len(self.text)} characters")
        flat = "".join(" " if letter in "\n\r\t" else letter for letter in self.text)
        if not flat.strip():
            return self._refuse(0, "an expression", "nothing")
        if odd := next((letter for letter in flat if not letter.isprintable()), None):
            return self._refuse(flat.index(odd), "printable text", f"U+{ord(odd):04X}")
        lead = len(flat) - len(flat.lstrip(" "))
        self.start += lead
        self.text = flat.strip(" ")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of odd literals, which are refused below
                tree = ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            at = min(max((error.offset or 1) - 1, 0), len(self.text))
            return self._refuse(at, "an expression", f"{self.text[at : at + 20]!r}: {error.msg}"[:120])
        except (ValueError, RecursionError, MemoryError):
            return self._refuse(0, "an expression", "text that can not be read")
        if self._is_too_much(tree):
            return None
        end = len(self.text.encode()[: tree.end_col_offset].decode())
        if rest := self.text[end:].lstrip(" )"):
            return self._refuse(len(self.text) - len(rest), "the end", f"{rest[:20]!r}")
        return None if self._has_odd_letters(tree) else tree

    def _has_odd_letters(self, tree: ast.expr) -> bool:
        """Tell a letter beyond ASCII outside quotes: Python would take a wide or an italic one for its plain twin."""
        rest = bytearray(self.text.encode())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_col_offset:
                rest[node.col_offset : node.end_col_offset] = b" " * (node.end_col_offset - node.col_offset)
        odd = next((at for at, byte in enumerate(rest) if byte > 127), None)
        if odd is not None:
            at = len(self.text.encode()[:odd].decode())
            self._refuse(at, "plain letters outside quotes", f'"{self.text[at]}"')
        return odd is not None

    def _is_too_much(self, tree: ast.expr) -> bool:
        level: list[ast.AST] = [tree]
        while level:
            self.depth += 1
            self.room[0] -= len(level)
            if self.depth > DEEPEST:
                self._refuse(0, f"at most {DEEPEST} things inside each other", "more")
                return True
            if self.room[0] < 0:
                self._refuse(0, f"at most {MOST_NODES} parts", "more")
                return True
            level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, _COUNTED)]
        return False

    # -- what is wrong, and where

    def wrong(
        self, tree: ast.AST, expected: str, got: str, *, known: Iterable[str] = (), name: str = ""
    ) -> Nothing | None:
        """Tell a mistake at this part, and return None; `name` is what was meant to be one of the `known`."""
        at = len(self.text.encode()[: getattr(tree, "col_offset", 0)].decode("utf-8", "ignore"))
        close = get_close_matches(name, sorted(known), n=1, cutoff=0.6) if name else []
        return self._refuse(at, expected, got, close[0] if close else "")

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
                return self._negative(operand)
            case ast.Compare():
                return self._comparison(tree)
            case ast.BinOp():
                return self._computed(tree)
            case ast.Constant():
                return self._constant(tree)
            case ast.Call():
                return called(self, tree)
            case ast.Attribute(value=ast.Call() as call):
                return property_of_last(self, tree, call)
            case ast.Name() | ast.Attribute():
                return named(self, tree)
            case _:
                return self.wrong(tree, "names, values, comparisons and calls", _what(tree))

    # -- values

    def _constant(self, tree: ast.Constant) -> Node | None:
        match tree.value:
            case bool():
                return Literal(tree.value, Kind.FLAG)
            case int() | float():
                if abs(tree.value) <= LARGEST:  # false of NaN too
                    return Literal(tree.value, Kind.NUMBER)
                return self.wrong(tree, f"a number up to {LARGEST:.0e}", "a larger one")
            case str():
                if len(tree.value) > LONGEST_TEXT:
                    return self.wrong(tree, f"at most {LONGEST_TEXT} characters", str(len(tree.value)))
                if not all(letter.isprintable() or letter in "\n\t" for letter in tree.value):
                    return self.wrong(tree, "printable text", ascii(tree.value)[:40])
                return Literal(tree.value, Kind.TEXT)
            case None:
                return self.wrong(tree, "a value; ask has(...) whether one is known", "None")
            case _:
                return self.wrong(tree, "a number, a text, True or False", type(tree.value).__name__)

    def _negative(self, tree: ast.expr) -> Node | None:
        node = self.value(tree)
        if isinstance(node, Literal) and isinstance(node.value, (int, float)) and node.kind is Kind.NUMBER:
            return Literal(-node.value, Kind.NUMBER)
        if node is None:
            return None
        if node.kind not in (Kind.NUMBER, Kind.ANY):
            return self.wrong(tree, "a number", f"a {node.kind}")
        return Arithmetic("-", Literal(0, Kind.NUMBER), node)

    def _computed(self, tree: ast.BinOp) -> Node | None:
        op = _ARITHMETIC.get(type(tree.op))
        if op is None:
            return self.wrong(tree, "one of + - * /", type(tree.op).__name__)
        left, right = self.value(tree.left), self.value(tree.right)
        if left is None or right is None:
            return None
        if op in "+-" and isinstance(right, Literal) and right.kind is Kind.TEXT:
            return self._shifted(tree, op, left, str(right.value))
        if op == "-" and (left.kind in _MOMENTS or right.kind in _MOMENTS):
            return self._apart(tree, left, right)
        for side, node in ((tree.left, left), (tree.right, right)):
            if node.kind not in (Kind.NUMBER, Kind.ANY):
                return self.wrong(side, "a number", f"a {node.kind}")
        return Arithmetic(op, left, right)

    def _shifted(self, tree: ast.BinOp, op: str, moment: Node, length: str) -> Node | None:
        by = parse_duration(length)
        if by is None:
            return self.wrong(tree.right, "a length such as 90d, 4h, 6mo", f'"{length[:40]}"')
        kind = moment.kind
        if kind is Kind.ANY:  # hours only make sense of an instant
            kind = Kind.INSTANT if by.unit in ("m", "h") else Kind.DATE
        if kind not in _MOMENTS:
            return self.wrong(tree.left, "a date or an instant", f"a {moment.kind}")
        if kind is Kind.DATE and by.unit in ("m", "h"):
            return self.wrong(tree.right, "a length in days, weeks, months or years", f'"{length}"')
        return Shift(op, moment, by, kind)

    def _apart(self, tree: ast.BinOp, left: Node, right: Node) -> Node | None:
        for side, node in ((tree.left, left), (tree.right, right)):
            if node.kind not in (*_MOMENTS, Kind.ANY):
                return self.wrong(side, "a date or an instant", f"a {node.kind}")
        return Apart(left, right)

    # -- comparisons

    def _comparison(self, tree: ast.Compare) -> Node | None:
        sides = [tree.left, *tree.comparators]
        found = [
            self._pair(left, op, right) for left, op, right in zip(sides, tree.ops, tree.comparators, strict=False)
        ]
        items = tuple(item for item in found if item is not None)
        if len(items) < len(found):
            return None
        return items[0] if len(items) == 1 else Both(items)

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node | None:
        if isinstance(op, (ast.In, ast.NotIn)):
            return self._member(left, right, is_negated=isinstance(op, ast.NotIn))
        sign = _COMPARE.get(type(op))
        if sign is None:
            self.value(left)
            return self.wrong(left, "== or !=", "is")
        one, other = self.value(left), self.value(right)
        if one is None or other is None:
            return None
        first, second = self._fitted(one, other, left), self._fitted(other, one, right)
        if first is None or second is None:
            return None
        bracket = _bracket(first.kind, second.kind)
        if bracket is None:
            return self.wrong(right, f"a {first.kind}", f"a {second.kind}")
        if bracket is Kind.TEXTS:
            return self.wrong(left, 'a single value; a list is asked with "x" in ..., or contains(...)', "a list")
        if bracket is Kind.FLAG and sign not in ("==", "!="):
            return self.wrong(left, "a number, a text or a date to put in order", "a flag")
        return Compare(sign, first, second, bracket)

    def _fitted(self, node: Node, other: Node, tree: ast.expr) -> Node | None:
        """Return a text constant as the date, instant or length that the other side calls for."""
        if not (isinstance(node, Literal) and node.kind is Kind.TEXT):
            return node
        if other.kind in _MOMENTS:
            moment = written_moment(str(node.value))
            return moment or self.wrong(tree, "a date such as 2026-01-31", f'"{str(node.value)[:40]}"')
        if other.kind is Kind.DURATION:
            length = parse_duration(str(node.value))
            if length is None or not length.is_fixed:
                return self.wrong(tree, "a length in minutes, hours, days or weeks", f'"{str(node.value)[:40]}"')
            return Literal(length, Kind.DURATION)
        return node

    def _member(self, left: ast.expr, right: ast.expr, *, is_negated: bool) -> Node | None:
        item = self.value(left)
        container = self._container(right)
        if item is None or container is None:
            return None
        if item.kind not in (Kind.TEXT, Kind.NUMBER, Kind.ANY):
            return self.wrong(left, "a text or a number", f"a {item.kind}")
        if isinstance(container, Listing) and item.kind not in (container.kind, Kind.ANY):
            return self.wrong(right, f"a list of {item.kind}s", f"{container.kind}s")
        return Member(item, container, is_negated)

    def _container(self, tree: ast.expr) -> "Node | Listing | None":
        if isinstance(tree, (ast.Tuple, ast.List, ast.Set)):
            return self._listing(tree, tree.elts)
        node = self.value(tree)
        if isinstance(node, Literal) and isinstance(node.value, (str, int, float)) and node.kind is not Kind.FLAG:
            return Listing((node.value,), node.kind)  # in ("FR"): a comma forgotten
        if node is None or node.kind in (Kind.TEXTS, Kind.ANY):
            return node
        return self.wrong(tree, "a list; for a part of a text use contains(...)", f"a {node.kind}")

    def _listing(self, tree: ast.expr, elements: list[ast.expr]) -> Listing | None:
        if not 0 < len(elements) <= MOST_LISTED:
            return self.wrong(tree, f"1 to {MOST_LISTED} items", str(len(elements)))
        values: list[str | int | float] = []
        kinds: set[Kind] = set()
        for element in elements:
            node = self.value(element)
            if isinstance(node, Literal) and isinstance(node.value, (str, int, float)) and node.kind is not Kind.FLAG:
                values.append(node.value)
                kinds.add(node.kind)
            elif node is not None:
                self.wrong(element, "a constant text or number", f"a {node.kind}")
        if len(values) < len(elements):
            return None
        if len(kinds) > 1:
            return self.wrong(tree, "all texts or all numbers", "both")
        return Listing(tuple(values), kinds.pop())

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


_COUNTED = (ast.expr, ast.keyword, ast.comprehension, ast.arguments)


def _bracket(left: Kind, right: Kind) -> Kind | None:
    """Return the kind both sides are read as, or None when they can not be compared."""
    if left is right:
        return left
    if left is Kind.ANY or right is Kind.ANY:
        return right if left is Kind.ANY else left
    return Kind.DATE if {left, right} == set(_MOMENTS) else None


def _what(tree: ast.expr) -> str:
    return {
        "JoinedStr": "an f-string", "Lambda": "a lambda", "NamedExpr": "an assignment", "Subscript": "square brackets",
        "Dict": "braces", "IfExp": "if ... else", "Starred": "a star", "Tuple": "a list", "List": "a list", "Set": "a list",
        "ListComp": "a loop", "SetComp": "a loop", "DictComp": "a loop", "GeneratorExp": "a loop",
    }.get(type(tree).__name__, type(tree).__name__)  # fmt: skip
