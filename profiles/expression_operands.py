"""Values in the database's words: aggregation operators that come to what the functions of expression_closures.py return.

Each reader of expression_values.py has its twin here; a property test holds them together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from profiles.duration import EARLIEST, LATEST, Duration
from profiles.expression_closures import reading
from profiles.expression_facts import Facts
from profiles.expression_tree import (
    Apart,
    Arithmetic,
    Call,
    Clock,
    Contact,
    Did,
    Kind,
    Last,
    Literal,
    Node,
    Property,
    Reached,
    SentCount,
    Shift,
    Total,
    walk,
)
from profiles.expression_values import DAY_WRITTEN, LARGEST_RESULT, LOWER, UPPER
from profiles.profile import Profile

Operand: TypeAlias = Any
"""What an aggregation operator takes: a path such as "$a.b", a constant in $literal, or another operator."""

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


def operand(node: Node, scope: Scope) -> Operand:
    """Return the aggregation expression of a value: null where it is missing or not of the node's kind."""
    match node:
        case Literal(value=value, kind=kind):
            return constant(value, kind)
        case Contact(name="name", is_builtin=True):
            return _NAME
        case Contact(kind=kind) | Property(kind=kind):
            return _as(kind, "$" + str(path_of(node)), scope)
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
            return {"$subtract": [read_as(kind, left, scope), read_as(kind, right, scope)]}  # null when a side is
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


def path_of(node: Any) -> str | None:
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


def read_as(kind: Kind, node: Node, scope: Scope) -> Operand:
    """Return the operand of a value, null where it is not of this kind."""
    return operand(node, scope) if node.kind is kind else _as(kind, operand(node, scope), scope)


def _as(kind: Kind, value: Operand, scope: Scope) -> Operand:
    if kind is Kind.ANY:
        return value
    if kind is Kind.DATE:
        return let({"v": value}, _day("$$v", scope))
    if isinstance(value, str):
        return {"$cond": [is_of(kind, value), value, None]}
    return let({"v": value}, {"$cond": [is_of(kind, "$$v"), "$$v", None]})


def is_of(kind: Kind, value: str) -> Operand:
    """Return what asks whether a value is of this kind, as expression_values.py tells it."""
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


def is_known(value: str) -> Operand:
    """Return what asks whether there is a value."""
    return {"$gt": [value, None]}


def let(names: Mapping[str, Operand], inside: Operand) -> Operand:
    """Return what `inside` comes to, where each of these names ($$a) stands for what was worked out once."""
    return {"$let": {"vars": dict(names), "in": inside}}


def _day(value: str, scope: Scope) -> Operand:
    written = {"$dateToString": {"date": value, "format": "%Y-%m-%d", "timezone": str(scope.zone)}}
    return {"$switch": {"branches": [
        {"case": is_of(Kind.TEXT, value), "then": {"$cond": [_is_written_day(value), _midnight(value), None]}},
        {"case": is_of(Kind.INSTANT, value), "then": _midnight(written)},
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
_NAME: Operand = let({"said": _SAID}, {"$cond": [{"$ne": ["$$said", ""]}, "$$said", let({"whole": _WHOLE}, {
    "$cond": [{"$ne": ["$$whole", ""]}, "$$whole", None]})]})  # fmt: skip


def double(value: str, largest: float) -> Operand:
    """Return a number as a double, or null if it is none or beyond `largest`."""
    within = {"$and": [{"$isNumber": value}, {"$gte": [value, -largest]}, {"$lte": [value, largest]}]}
    return {"$cond": [within, {"$toDouble": value}, None]}


def bounded(value: Operand) -> Operand:
    """Return a result, or null beyond what results may be."""
    within = {"$and": [{"$gte": ["$$r", -LARGEST_RESULT]}, {"$lte": ["$$r", LARGEST_RESULT]}]}
    return let({"r": value}, {"$cond": [within, "$$r", None]})


def _computed(op: str, left: Operand, right: Operand) -> Operand:
    sign = {"+": "$add", "-": "$subtract", "*": "$multiply", "/": "$divide"}[op]
    inside: Operand = {sign: ["$$x", "$$y"]}
    if op == "/":
        inside = {"$cond": [{"$eq": ["$$y", 0]}, None, inside]}
    numbers = let({"x": double("$$a", 1e300), "y": double("$$b", 1e300)}, inside)
    return bounded(let({"a": left, "b": right}, numbers))


def _shifted(node: Shift, scope: Scope) -> Operand:
    moment, by = read_as(node.kind, node.moment, scope), node.by
    unit, amount = ("month", by.months) if by.months else ("millisecond", by.at_most // timedelta(milliseconds=1))
    moved = {"$dateAdd" if node.op == "+" else "$dateSubtract": {"startDate": "$$m", "unit": unit, "amount": amount}}
    inside: Operand = {"$cond": [is_known("$$m"), moved, None]}
    return (
        _as(Kind.INSTANT, let({"m": moment}, inside), scope)
        if node.kind is Kind.INSTANT
        else let({"m": moment}, inside)
    )


def _call(name: str, items: tuple[Node, ...], scope: Scope) -> Operand:
    if name in ("lower", "upper"):
        return _cased(name, read_as(Kind.TEXT, items[0], scope))
    if name == "len":
        length = {"$cond": [{"$isArray": "$$a"}, {"$size": "$$a"}, None]}
        return let({"a": operand(items[0], scope)}, {"$cond": [is_of(Kind.TEXT, "$$a"), {"$strLenCP": "$$a"}, length]})
    if name == "hour":
        hour = {"$hour": {"date": "$$a", "timezone": str(scope.zone)}}  # null of null
        return let({"a": read_as(Kind.INSTANT, items[0], scope)}, hour)
    return let({"d": read_as(Kind.DATE, items[0], scope)}, _of_day(name, scope.today))


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
    return let({"a": value}, {"$cond": [is_known("$$a"), replaced, None]})
