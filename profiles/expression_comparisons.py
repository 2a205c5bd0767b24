"""Comparisons of an expression: ==, <, in; both sides brought to one kind, a text to the date that the other side calls for."""

import ast

from profiles.duration import parse_duration
from profiles.expression_names import Reader
from profiles.expression_sums import MOMENTS
from profiles.expression_tree import Both, Compare, Kind, Listing, Literal, Member, Node
from profiles.expression_values import written_moment

MOST_LISTED = 250

_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}  # fmt: skip


def comparison(reader: Reader, tree: ast.Compare) -> Node | None:
    """Return what is compared, `1 < x < 5` as both of its halves."""
    sides = [tree.left, *tree.comparators]
    found = [_pair(reader, left, op, right) for left, op, right in zip(sides, tree.ops, tree.comparators, strict=False)]
    items = tuple(item for item in found if item is not None)
    if len(items) < len(found):
        return None
    return items[0] if len(items) == 1 else Both(items)


def _pair(reader: Reader, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node | None:
    if isinstance(op, (ast.In, ast.NotIn)):
        return _member(reader, left, right, is_negated=isinstance(op, ast.NotIn))
    sign = _COMPARE.get(type(op))
    if sign is None:
        reader.value(left)
        return reader.wrong(left, "== or !=", "is")
    one, other = reader.value(left), reader.value(right)
    if one is None or other is None:
        return None
    first, second = _fitted(reader, one, other, left), _fitted(reader, other, one, right)
    if first is None or second is None:
        return None
    bracket = _bracket(first.kind, second.kind)
    if bracket is None:
        return reader.wrong(right, f"a {first.kind}", f"a {second.kind}")
    if bracket is Kind.TEXTS:
        return reader.wrong(left, 'a single value; a list is asked with "x" in ..., or contains(...)', "a list")
    if bracket is Kind.FLAG and sign not in ("==", "!="):
        return reader.wrong(left, "a number, a text or a date to put in order", "a flag")
    return Compare(sign, first, second, bracket)


def _fitted(reader: Reader, node: Node, other: Node, tree: ast.expr) -> Node | None:
    """Return a text constant as the date, instant or length that the other side calls for."""
    if not (isinstance(node, Literal) and node.kind is Kind.TEXT):
        return node
    if other.kind in MOMENTS:
        moment = written_moment(str(node.value))
        return moment or reader.wrong(tree, "a date such as 2026-01-31", f'"{str(node.value)[:40]}"')
    if other.kind is Kind.DURATION:
        length = parse_duration(str(node.value))
        if length is None or not length.is_fixed:
            return reader.wrong(tree, "a length in minutes, hours, days or weeks", f'"{str(node.value)[:40]}"')
        return Literal(length, Kind.DURATION)
    return node


def _member(reader: Reader, left: ast.expr, right: ast.expr, *, is_negated: bool) -> Node | None:
    item = reader.value(left)
    container = _container(reader, right)
    if item is None or container is None:
        return None
    if item.kind not in (Kind.TEXT, Kind.NUMBER, Kind.ANY):
        return reader.wrong(left, "a text or a number", f"a {item.kind}")
    if isinstance(container, Listing) and item.kind not in (container.kind, Kind.ANY):
        return reader.wrong(right, f"a list of {item.kind}s", f"{container.kind}s")
    return Member(item, container, is_negated)


def _container(reader: Reader, tree: ast.expr) -> "Node | Listing | None":
    if isinstance(tree, (ast.Tuple, ast.List, ast.Set)):
        return _listing(reader, tree, tree.elts)
    node = reader.value(tree)
    if isinstance(node, Literal) and isinstance(node.value, (str, int, float)) and node.kind is not Kind.FLAG:
        return Listing((node.value,), node.kind)  # in ("FR"): a comma forgotten
    if node is None or node.kind in (Kind.TEXTS, Kind.ANY):
        return node
    return reader.wrong(tree, "a list; for a part of a text use contains(...)", f"a {node.kind}")


def _listing(reader: Reader, tree: ast.expr, elements: list[ast.expr]) -> Listing | None:
    if not 0 < len(elements) <= MOST_LISTED:
        return reader.wrong(tree, f"1 to {MOST_LISTED} items", str(len(elements)))
    values: list[str | int | float] = []
    kinds: set[Kind] = set()
    for element in elements:
        node = reader.value(element)
        if isinstance(node, Literal) and isinstance(node.value, (str, int, float)) and node.kind is not Kind.FLAG:
            values.append(node.value)
            kinds.add(node.kind)
        elif node is not None:
            reader.wrong(element, "a constant text or number", f"a {node.kind}")
    if len(values) < len(elements):
        return None
    if len(kinds) > 1:
        return reader.wrong(tree, "all texts or all numbers", "both")
    return Listing(tuple(values), kinds.pop())


def _bracket(left: Kind, right: Kind) -> Kind | None:
    """Return the kind both sides are read as, or None when they can not be compared."""
    if left is right:
        return left
    if left is Kind.ANY or right is Kind.ANY:
        return right if left is Kind.ANY else left
    return Kind.DATE if {left, right} == set(MOMENTS) else None
