"""The same conditions in the database's words: a filter where one suffices, aggregation operators where values are computed.

Marketers' words never become operators or paths of their own: names were checked by the parser, and every constant stands
under $eq, $in or $literal. Each reader of expression_values.py has its twin here; a property test holds them together.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from profiles.duration import EARLIEST, LATEST, Duration
from profiles.expression_closures import reading
from profiles.expression_facts import Facts
from profiles.expression_tree import (
    Apart,
    Arithmetic,
    Both,
    Call,
    Clock,
    Compare,
    Contact,
    Did,
    Either,
    Has,
    Kind,
    Last,
    Listing,
    Literal,
    Member,
    Negation,
    Node,
    Property,
    Reached,
    Segment,
    SentCount,
    Shift,
    Total,
    Truth,
    walk,
)
from profiles.expression_values import DAY_WRITTEN, LARGEST_RESULT, LOWER, UPPER, day
from profiles.profile import Identity, Profile
from profiles.record import matching

Document: TypeAlias = dict[str, Any]
Operand: TypeAlias = Any
"""What an aggregation operator takes: a path such as "$a.b", a constant in $literal, or another operator."""

NOT_A_LIST: Document = {"$not": {"$type": "array"}}  # a filter on a list would ask its items
_COMPARE = {"==": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BUILTIN = {"id": "_id", "language": "language", "last_channel": "last_channel", "created_at": "created_at",
            "last_inbound_at": "last_inbound_at"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what the documents are that a filter is for, at which instant, and where what was looked up stands in them."""

    now: datetime
    zone: tzinfo
    looked_up: Mapping[Any, str] = field(default_factory=dict)
    """A node about the past -> the field that holds its answer: a number, or a value or nothing."""

    @property
    def today(self) -> date:
        """Return the day it is now in the zone."""
        return self.now.astimezone(self.zone).date()

    def constant(self, node: Node) -> Any:
        """Return what a node comes to when it asks nobody: numbers, texts, now - "30d"; None when it does, or is missing."""
        if any(isinstance(part, _ASKING) for part in walk(node)):
            return None
        return reading(node)(Facts(self.now, _NOBODY, self.zone), None)


_ASKING = (Contact, Property, Did, Total, Last, SentCount, Reached)
_NOBODY = Profile("", EARLIEST)


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
            path = _path(value)
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


def operand(node: Node, scope: Scope) -> Operand:
    """Return the aggregation expression of a value: null where it is missing or not of the node's kind."""
    match node:
        case Literal(value=value, kind=kind):
            return constant(value, kind)
        case Contact(name="name", is_builtin=True):
            return _NAME
        case Contact(kind=kind) | Property(kind=kind):
            return _as(kind, "$" + str(_path(node)), scope)
        case Clock(kind=Kind.DATE):
            return constant(scope.today, Kind.DATE)
        case Clock():
            return constant(scope.now, Kind.INSTANT)
        case Arithmetic(op=op, left=left, right=right):
            return _computed(op, operand(left, scope), operand(right, scope))
        case Shift():
            return _shifted(node, scope)
        case Apart(left=left, right=right):
            kind = Kind.DATE if Kind.DATE in (left.kind, right.kind) else Kind.INSTANT
            return {"$subtract": [_read_as(kind, left, scope), _read_as(kind, right, scope)]}  # null when a side is
        case Call(name=name, items=items):
            return _call(name, items, scope)
        case Total():
            return "$" + scope.looked_up[node]
        case Last(kind=kind):
            return _as(kind, "$" + scope.looked_up[node], scope)
        case _:
            raise TypeError(f"no value of profiles: {type(node).__name__}")


def constant(value: Any, kind: Kind) -> Operand:
    """Return a constant that the database can take for nothing else: days as midnight UTC, lengths in milliseconds."""
    return {"$literal": stored(value, kind)}


def stored(value: Any, kind: Kind) -> Any:
    """Return a constant as the database keeps it."""
    if kind is Kind.DATE:
        return datetime.combine(value, time(0), UTC)
    if kind is Kind.DURATION:
        length = value.at_most if isinstance(value, Duration) else value
        return length // timedelta(milliseconds=1)
    return value


def property_path(name: str) -> str:
    """Return where a property stands in an event's document."""
    return name if name in ("name", "happened_at") else f"properties.{name}"


# -- conditions


def _compare(node: Compare, scope: Scope) -> Document:
    for left, op, right in ((node.left, node.op, node.right), (node.right, _TURNED[node.op], node.left)):
        path, known = _path(left), scope.constant(right)
        if known is not None and node.bracket is Kind.DATE:
            known = day(known, scope.zone)
        if path and known is not None and node.bracket in _LEAVES:
            return _LEAVES[node.bracket](path, op, known, node, scope)
    return _expr(_compared(node, scope))


def _compared(node: Compare, scope: Scope) -> Operand:
    sign = _COMPARE[node.op]
    left, right = _read_as(node.bracket, node.left, scope), _read_as(node.bracket, node.right, scope)
    if node.bracket is not Kind.ANY:
        return _let({"a": left, "b": right}, {"$and": [_known("$$a"), _known("$$b"), {sign: ["$$a", "$$b"]}]})
    kinds = [Kind.NUMBER, Kind.TEXT, Kind.INSTANT, *([Kind.FLAG] if node.op in ("==", "!=") else [])]
    alike = [{"$and": [_is(kind, "$$a"), _is(kind, "$$b")]} for kind in kinds]
    return _let({"a": left, "b": right}, {"$and": [{"$or": alike}, {sign: ["$$a", "$$b"]}]})


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
    path = _path(node.item)
    if isinstance(node.container, Listing):
        kind, values = node.container.kind, list(node.container.values)
        if path:
            guard = {"$type": "string"} if kind is Kind.TEXT else {"$gte": -math.inf}
            asked: Document = {**guard, "$nin": values} if node.is_negated else {"$in": values}
            return {path: {**asked, **NOT_A_LIST}}
        found: Operand = {"$in": ["$$a", {"$literal": values}]}
        held = {"$and": [_known("$$a"), {"$not": [found]} if node.is_negated else found]}
        return _expr(_let({"a": _read_as(kind, node.item, scope)}, held))
    item, container = operand(node.item, scope), _read_as(Kind.TEXTS, node.container, scope)
    found = {"$in": ["$$a", "$$b"]}
    held = {"$and": [
        {"$or": [_is(Kind.TEXT, "$$a"), _is(Kind.NUMBER, "$$a")]},
        {"$cond": [_known("$$b"), {"$not": [found]} if node.is_negated else found, False]},
    ]}  # fmt: skip
    return _expr(_let({"a": item, "b": container}, held))


def _call_condition(name: str, items: tuple[Node, ...], scope: Scope) -> Document:
    path, known = _path(items[0]), scope.constant(items[1])
    if name == "startswith" and path and isinstance(known, str):
        return {path: {"$regex": "^" + re.escape(known), "$options": "", **NOT_A_LIST}}
    position: Operand = {"$indexOfCP": ["$$a", "$$b"]}
    in_text: Operand = {"$eq": [position, 0]} if name == "startswith" else {"$gte": [position, 0]}
    in_list: Operand = (
        False if name == "startswith" else {"$cond": [{"$isArray": "$$a"}, {"$in": ["$$b", "$$a"]}, False]}
    )
    whole, part = operand(items[0], scope), _read_as(Kind.TEXT, items[1], scope)
    held = {"$and": [_known("$$b"), {"$cond": [_is(Kind.TEXT, "$$a"), in_text, in_list]}]}
    return _expr(_let({"a": whole, "b": part}, held))


def _path(node: Any) -> str | None:
    """Return the field in which a node's value is stored as it is, or None."""
    match node:
        case Contact(name=name, is_builtin=True):
            return _BUILTIN.get(name)
        case Contact(name=name):
            return f"attributes.{name}.value"
        case Property(name=name):
            return property_path(name)
        case _:
            return None


def _expr(operand: Operand) -> Document:
    return {"$expr": operand}


# -- values


def _read_as(kind: Kind, node: Node, scope: Scope) -> Operand:
    return operand(node, scope) if node.kind is kind else _as(kind, operand(node, scope), scope)


def _as(kind: Kind, value: Operand, scope: Scope) -> Operand:
    if kind is Kind.ANY:
        return value
    if kind is Kind.DATE:
        return _let({"v": value}, _day("$$v", scope))
    if isinstance(value, str):
        return {"$cond": [_is(kind, value), value, None]}
    return _let({"v": value}, {"$cond": [_is(kind, "$$v"), "$$v", None]})


def _is(kind: Kind, value: str) -> Operand:
    """Return whether a value is of this kind, as expression_values.py tells it."""
    match kind:
        case Kind.NUMBER:
            return {"$and": [{"$isNumber": value}, {"$gte": [value, -math.inf]}]}  # NaN stands before all numbers
        case Kind.INSTANT:
            return {
                "$and": [{"$eq": [{"$type": value}, "date"]}, {"$gte": [value, EARLIEST]}, {"$lt": [value, LATEST]}]
            }
        case Kind.TEXTS:
            return {"$isArray": value}
        case Kind.DURATION:
            return False  # none is stored
        case _:
            return {"$eq": [{"$type": value}, {Kind.TEXT: "string", Kind.FLAG: "bool"}[kind]]}


def _known(value: str) -> Operand:
    return {"$gt": [value, None]}


def _let(names: Mapping[str, Operand], inside: Operand) -> Operand:
    return {"$let": {"vars": dict(names), "in": inside}}


def _day(value: str, scope: Scope) -> Operand:
    written = {"$dateToString": {"date": value, "format": "%Y-%m-%d", "timezone": str(scope.zone)}}
    return {"$switch": {"branches": [
        {"case": _is(Kind.TEXT, value), "then": {"$cond": [_is_written_day(value), _midnight(value), None]}},
        {"case": _is(Kind.INSTANT, value), "then": _midnight(written)},
    ], "default": None}}  # fmt: skip


def _is_written_day(value: str) -> Operand:
    return {"$regexMatch": {"input": value, "regex": rf"\A{DAY_WRITTEN}\z"}}


def _midnight(value: Operand) -> Operand:
    return {"$dateFromString": {"dateString": value, "format": "%Y-%m-%d", "onError": None, "onNull": None}}


_PART = {"$cond": [{"$eq": [{"$type": "$$part"}, "string"]}, "$$part", ""]}
_SAID: Operand = {
    "$reduce": {
        "input": {"$map": {
            "input": ["$attributes.first_name.value", "$attributes.last_name.value"], "as": "part", "in": _PART}},
        "initialValue": "",
        "in": {"$cond": [{"$or": [{"$eq": ["$$value", ""]}, {"$eq": ["$$this", ""]}]},
                         {"$concat": ["$$value", "$$this"]}, {"$concat": ["$$value", " ", "$$this"]}]},
    }
}  # fmt: skip
_WHOLE = {"$let": {"vars": {"part": "$attributes.name.value"}, "in": _PART}}
_NAME: Operand = _let({"said": _SAID}, {"$cond": [{"$ne": ["$$said", ""]}, "$$said", _let({"whole": _WHOLE}, {
    "$cond": [{"$ne": ["$$whole", ""]}, "$$whole", None]})]})  # fmt: skip


def double(value: str, largest: float) -> Operand:
    """Return a number as a double, or null if it is none or beyond `largest`."""
    within = {"$and": [{"$isNumber": value}, {"$gte": [value, -largest]}, {"$lte": [value, largest]}]}
    return {"$cond": [within, {"$toDouble": value}, None]}


def bounded(value: Operand) -> Operand:
    """Return a result, or null beyond what results may be."""
    within = {"$and": [{"$gte": ["$$r", -LARGEST_RESULT]}, {"$lte": ["$$r", LARGEST_RESULT]}]}
    return _let({"r": value}, {"$cond": [within, "$$r", None]})


def _computed(op: str, left: Operand, right: Operand) -> Operand:
    sign = {"+": "$add", "-": "$subtract", "*": "$multiply", "/": "$divide"}[op]
    inside: Operand = {sign: ["$$x", "$$y"]}
    if op == "/":
        inside = {"$cond": [{"$eq": ["$$y", 0]}, None, inside]}
    numbers = _let({"x": double("$$a", 1e300), "y": double("$$b", 1e300)}, inside)
    return bounded(_let({"a": left, "b": right}, numbers))


def _shifted(node: Shift, scope: Scope) -> Operand:
    moment, by = _read_as(node.kind, node.moment, scope), node.by
    unit, amount = ("month", by.months) if by.months else ("millisecond", by.at_most // timedelta(milliseconds=1))
    moved = {"$dateAdd" if node.op == "+" else "$dateSubtract": {"startDate": "$$m", "unit": unit, "amount": amount}}
    inside: Operand = {"$cond": [_known("$$m"), moved, None]}
    return (
        _as(Kind.INSTANT, _let({"m": moment}, inside), scope)
        if node.kind is Kind.INSTANT
        else _let({"m": moment}, inside)
    )


def _call(name: str, items: tuple[Node, ...], scope: Scope) -> Operand:
    if name in ("lower", "upper"):
        return _cased(name, _read_as(Kind.TEXT, items[0], scope))
    if name == "len":
        length = {"$cond": [{"$isArray": "$$a"}, {"$size": "$$a"}, None]}
        return _let({"a": operand(items[0], scope)}, {"$cond": [_is(Kind.TEXT, "$$a"), {"$strLenCP": "$$a"}, length]})
    if name == "hour":
        hour = {"$hour": {"date": "$$a", "timezone": str(scope.zone)}}  # null of null
        return _let({"a": _read_as(Kind.INSTANT, items[0], scope)}, hour)
    return _let({"d": _read_as(Kind.DATE, items[0], scope)}, _of_day(name, scope.today))


def _of_day(name: str, today: date) -> Operand:
    """Return what a day `$$d` (midnight UTC, or null) comes to."""
    midnight, a_day = stored(today, Kind.DATE), 86_400_000
    match name:
        case "date":
            return "$$d"
        case "days_since":
            return {"$divide": [{"$subtract": [midnight, "$$d"]}, a_day]}
        case "days_until":
            return {"$divide": [{"$subtract": ["$$d", midnight]}, a_day]}
        case "month":
            return {"$month": "$$d"}
        case "day":
            return {"$dayOfMonth": "$$d"}
        case "weekday":
            return {"$isoDayOfWeek": "$$d"}
        case _:
            later = {"$gt": [{"$add": [{"$multiply": [{"$month": "$$d"}, 100]}, {"$dayOfMonth": "$$d"}]},
                             today.month * 100 + today.day]}  # fmt: skip
            return {"$subtract": [{"$subtract": [today.year, {"$year": "$$d"}]}, {"$cond": [later, 1, 0]}]}


def _cased(name: str, value: Operand) -> Operand:
    """$toLower knows A to Z alone, so the other letters are put in one by one; null stays null."""
    before, after = (UPPER, LOWER) if name == "lower" else (LOWER, UPPER)
    letters = [{"f": old, "t": new} for old, new in zip(before, after, strict=True)]
    plain: Operand = {"$toLower" if name == "lower" else "$toUpper": "$$a"}
    replaced = {"$reduce": {"input": {"$literal": letters}, "initialValue": plain, "in": {
        "$replaceAll": {"input": "$$value", "find": "$$this.f", "replacement": "$$this.t"}}}}  # fmt: skip
    return _let({"a": value}, {"$cond": [_known("$$a"), replaced, None]})
