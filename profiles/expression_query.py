"""The same conditions in the database's words: a filter where one suffices, operators (expression_operands.py) where not.

Marketers' words never become operators or paths of their own: names were checked by the parser, and every constant stands
under $eq, $in or $literal.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

from profiles.duration import EARLIEST, LATEST
from profiles.expression_operands import Operand, Scope, is_known, is_of, let, operand, path_of, read_as
from profiles.expression_tree import (
    Both,
    Call,
    Compare,
    Did,
    Either,
    Has,
    Kind,
    Listing,
    Member,
    Negation,
    Node,
    Reached,
    Segment,
    SentCount,
    Truth,
)  # fmt: skip
from profiles.expression_values import day
from profiles.profile import Identity
from profiles.record import matching

Document: TypeAlias = dict[str, Any]

NOT_A_LIST: Document = {"$not": {"$type": "array"}}  # a filter on a list would ask its items
_COMPARE = {"==": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition(node: Node, scope: Scope) -> Document:
    """Return the filter of a condition; it selects exactly the documents for which the test in memory holds."""
    match node:
        case Both(items=items):
            return {"$and": [condition(item, scope) for item in items]}
        case Either(items=items):
            return {"$or": [condition(item, scope) for item in items]}
        case Negation(item=item):
            return {"$nor": [condition(item, scope)]}
        case Segment(condition=inside):
            return condition(inside, scope)
        case Compare():
            return _compare(node, scope)
        case Member():
            return _member(node, scope)
        case Truth(value=value):
            path = path_of(value)
            return {path: {"$eq": True, **NOT_A_LIST}} if path else _expr({"$eq": [operand(value, scope), True]})
        case Has(value=value):
            return _expr({"$gt": [operand(value, scope), None]})  # null and missing stand before all values
        case Did(op=op, count=count) | SentCount(op=op, count=count):
            return {scope.looked_up[node]: {_COMPARE[op]: count}}
        case Reached(channel=channel):
            return {
                "identities": {"$elemMatch": matching(Identity, channel=channel, suppression=None, is_claimed=True)}
            }
        case Call(name=name, items=items):
            return _call_condition(name, items, scope)
        case _:
            raise TypeError(f"no condition on profiles: {type(node).__name__}")


def _compare(node: Compare, scope: Scope) -> Document:
    for left, op, right in ((node.left, node.op, node.right), (node.right, _TURNED[node.op], node.left)):
        path, known = path_of(left), scope.constant(right)
        if known is not None and node.bracket is Kind.DATE:
            known = day(known, scope.zone)
        if path and known is not None and node.bracket in _LEAVES:
            return _LEAVES[node.bracket](path, op, known, node, scope)
    return _expr(_compared(node, scope))


def _compared(node: Compare, scope: Scope) -> Operand:
    sign = _COMPARE[node.op]
    left, right = read_as(node.bracket, node.left, scope), read_as(node.bracket, node.right, scope)
    if node.bracket is not Kind.ANY:
        return let({"a": left, "b": right}, {"$and": [is_known("$$a"), is_known("$$b"), {sign: ["$$a", "$$b"]}]})
    kinds = [Kind.NUMBER, Kind.TEXT, Kind.INSTANT, *([Kind.FLAG] if node.op in ("==", "!=") else [])]
    alike = [{"$and": [is_of(kind, "$$a"), is_of(kind, "$$b")]} for kind in kinds]
    return let({"a": left, "b": right}, {"$and": [{"$or": alike}, {sign: ["$$a", "$$b"]}]})


def _leaf(path: str, op: str, known: Any, guard: Document) -> Document:
    """Return the filter `path op constant`, which an index can answer. $gt and the like keep to values of one kind."""
    asked = {"$eq": known} if op == "==" else {**guard, _COMPARE[op]: known}
    return {path: {**asked, **NOT_A_LIST}}


def _number_leaf(path: str, op: str, known: Any, node: Compare, scope: Scope) -> Document:
    return _leaf(path, op, known, {"$gte": -math.inf} if op in ("!=", "<", "<=") else {})  # not NaN


def _text_leaf(path: str, op: str, known: Any, node: Compare, scope: Scope) -> Document:
    return _leaf(path, op, known, {"$type": "string"} if op == "!=" else {})


def _flag_leaf(path: str, op: str, known: Any, node: Compare, scope: Scope) -> Document:
    return _leaf(path, "==", known if op == "==" else not known, {})


def _instant_leaf(path: str, op: str, known: datetime, node: Compare, scope: Scope) -> Document:
    if op == "==":
        return _leaf(path, op, known, {})
    bounds: Document = {"$gte": EARLIEST} if op in ("!=", "<", "<=") else {}
    return _leaf(path, op, known, bounds | ({"$lt": LATEST} if op in ("!=", ">", ">=") else {}))


def _date_leaf(path: str, op: str, known: date, node: Compare, scope: Scope) -> Document:
    """A day is kept as a text or an instant: the ranges of both are what an index finds, the rest is looked at again."""
    since = datetime.combine(known - timedelta(days=1), time(0), UTC)  # no zone is a day away from UTC
    until = datetime.combine(known + timedelta(days=2), time(0), UTC)
    ranges: dict[str, tuple[Document, Document]] = {
        "==": ({"$eq": known.isoformat()}, {"$gte": since, "$lt": until}),
        "!=": ({"$type": "string"}, {"$type": "date"}),
        "<": ({"$lt": known.isoformat()}, {"$lt": until}),
        "<=": ({"$lte": known.isoformat()}, {"$lt": until}),
        ">": ({"$gt": known.isoformat()}, {"$gte": since}),
        ">=": ({"$gte": known.isoformat()}, {"$gte": since}),
    }
    found = {"$or": [{path: asked} for asked in ranges[op]]}
    return {"$and": [found, _expr(_compared(node, scope))]}


_LEAVES: dict[Kind, Callable[[str, str, Any, Compare, Scope], Document]] = {
    Kind.NUMBER: _number_leaf, Kind.TEXT: _text_leaf, Kind.FLAG: _flag_leaf, Kind.INSTANT: _instant_leaf, Kind.DATE: _date_leaf,
}  # fmt: skip


def _member(node: Member, scope: Scope) -> Document:
    path = path_of(node.item)
    if isinstance(node.container, Listing):
        kind, values = node.container.kind, list(node.container.values)
        if path:
            guard = {"$type": "string"} if kind is Kind.TEXT else {"$gte": -math.inf}
            asked: Document = {**guard, "$nin": values} if node.is_negated else {"$in": values}
            return {path: {**asked, **NOT_A_LIST}}
        found: Operand = {"$in": ["$$a", {"$literal": values}]}
        held = {"$and": [is_known("$$a"), {"$not": [found]} if node.is_negated else found]}
        return _expr(let({"a": read_as(kind, node.item, scope)}, held))
    item, container = operand(node.item, scope), read_as(Kind.TEXTS, node.container, scope)
    found = {"$in": ["$$a", "$$b"]}
    held = {"$and": [
        {"$or": [is_of(Kind.TEXT, "$$a"), is_of(Kind.NUMBER, "$$a")]},
        {"$cond": [is_known("$$b"), {"$not": [found]} if node.is_negated else found, False]},
    ]}  # fmt: skip
    return _expr(let({"a": item, "b": container}, held))


def _call_condition(name: str, items: tuple[Node, ...], scope: Scope) -> Document:
    path, known = path_of(items[0]), scope.constant(items[1])
    if name == "startswith" and path and isinstance(known, str):
        return {path: {"$regex": "^" + re.escape(known), "$options": "", **NOT_A_LIST}}
    position: Operand = {"$indexOfCP": ["$$a", "$$b"]}
    in_text: Operand = {"$eq": [position, 0]} if name == "startswith" else {"$gte": [position, 0]}
    in_list: Operand = (
        False if name == "startswith" else {"$cond": [{"$isArray": "$$a"}, {"$in": ["$$b", "$$a"]}, False]}
    )
    whole, part = operand(items[0], scope), read_as(Kind.TEXT, items[1], scope)
    held = {"$and": [is_known("$$b"), {"$cond": [is_of(Kind.TEXT, "$$a"), in_text, in_list]}]}
    return _expr(let({"a": whole, "b": part}, held))


def _expr(operand: Operand) -> Document:
    return {"$expr": operand}
