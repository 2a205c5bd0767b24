"""Constants of an expression, and what is computed with them: numbers, dates and lengths, each with its kind."""

import ast

from profiles.duration import parse_duration
from profiles.expression_names import Reader
from profiles.expression_tree import Apart, Arithmetic, Kind, Literal, Node, Shift

LARGEST = 10**15  # a constant: beyond it a float no longer counts in whole hundredths
LONGEST_TEXT = 256  # characters of one constant

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ELSEWHERE: dict[type[ast.operator], str] = {
    ast.Mod: "%", ast.Pow: "**", ast.FloorDiv: "//", ast.LShift: "<<", ast.RShift: ">>", ast.BitXor: "^", ast.MatMult: "@",
}  # fmt: skip
_LINKS: dict[type[ast.operator], tuple[str, str]] = {ast.BitAnd: ("and", "&"), ast.BitOr: ("or", "|")}
MOMENTS = (Kind.DATE, Kind.INSTANT)


def constant(reader: Reader, tree: ast.Constant) -> Node | None:
    """Return a number, a text, True or False."""
    match tree.value:
        case bool():
            return Literal(tree.value, Kind.FLAG)
        case int() | float():
            if abs(tree.value) <= LARGEST:  # false of NaN too
                return Literal(tree.value, Kind.NUMBER)
            return reader.wrong(tree, f"a number up to {LARGEST:.0e}", "a larger one")
        case str():
            if len(tree.value) > LONGEST_TEXT:
                return reader.wrong(tree, f"at most {LONGEST_TEXT} characters", str(len(tree.value)))
            if not all(letter.isprintable() or letter in "\n\t" for letter in tree.value):
                return reader.wrong(tree, "printable text", ascii(tree.value)[:40])
            return Literal(tree.value, Kind.TEXT)
        case None:
            return reader.wrong(tree, "a value; ask has(...) whether one is known", "None")
        case _:
            return reader.wrong(tree, "a number, a text, True or False", type(tree.value).__name__)


def negative(reader: Reader, tree: ast.expr) -> Node | None:
    """Return what stands after a minus sign, taken from zero."""
    node = reader.value(tree)
    if isinstance(node, Literal) and isinstance(node.value, (int, float)) and node.kind is Kind.NUMBER:
        return Literal(-node.value, Kind.NUMBER)
    if node is None:
        return None
    if node.kind not in (Kind.NUMBER, Kind.ANY):
        return reader.wrong(tree, "a number", f"a {node.kind}")
    return Arithmetic("-", Literal(0, Kind.NUMBER), node)


def computed(reader: Reader, tree: ast.BinOp) -> Node | None:
    """Return a sum of numbers, a moment moved by a length, or the time between two moments."""
    if link := _LINKS.get(type(tree.op)):
        return reader.wrong(tree, f"{link[0]} between conditions", link[1])
    op = _ARITHMETIC.get(type(tree.op))
    if op is None:
        return reader.wrong(tree, "one of + - * /", _ELSEWHERE[type(tree.op)])
    left, right = reader.value(tree.left), reader.value(tree.right)
    if left is None or right is None:
        return None
    if op in "+-" and isinstance(right, Literal) and right.kind is Kind.TEXT:
        return _shifted(reader, tree, op, left, str(right.value))
    if op == "-" and (left.kind in MOMENTS or right.kind in MOMENTS):
        return _apart(reader, tree, left, right)
    for side, node in ((tree.left, left), (tree.right, right)):
        if node.kind not in (Kind.NUMBER, Kind.ANY):
            return reader.wrong(side, "a number", f"a {node.kind}")
    return Arithmetic(op, left, right)


def _shifted(reader: Reader, tree: ast.BinOp, op: str, moment: Node, length: str) -> Node | None:
    by = parse_duration(length)
    if by is None:
        return reader.wrong(tree.right, "a length such as 90d, 4h, 6mo", f'"{length[:40]}"')
    kind = moment.kind
    if kind is Kind.ANY:  # hours only make sense of an instant
        kind = Kind.INSTANT if by.unit in ("m", "h") else Kind.DATE
    if kind not in MOMENTS:
        return reader.wrong(tree.left, "a date or an instant", f"a {moment.kind}")
    if kind is Kind.DATE and by.unit in ("m", "h"):
        return reader.wrong(tree.right, "a length in days, weeks, months or years", f'"{length}"')
    return Shift(op, moment, by, kind)


def _apart(reader: Reader, tree: ast.BinOp, left: Node, right: Node) -> Node | None:
    for side, node in ((tree.left, left), (tree.right, right)):
        if node.kind not in (*MOMENTS, Kind.ANY):
            return reader.wrong(side, "a date or an instant", f"a {node.kind}")
    return Apart(left, right)
