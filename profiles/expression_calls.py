"""What can be called in an expression, each with the kinds it takes and gives: did(...), age(...)."""

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from profiles.duration import Duration, parse_duration
from profiles.expression_names import EVENT, PROPERTY, Reader, property_kind
from profiles.expression_tree import (
    Call,
    Did,
    Has,
    Kind,
    Last,
    Literal,
    Negation,
    Node,
    Reached,
    Reacted,
    SentCount,
    Span,
    Total,
)  # fmt: skip
from profiles.expression_values import written_moment

_WORDED = (Kind.TEXT,)
_DATED = (Kind.DATE, Kind.INSTANT, Kind.TEXT)
FUNCTIONS: dict[str, tuple[tuple[tuple[Kind, ...], ...], Kind]] = {
    "lower": ((_WORDED,), Kind.TEXT),
    "upper": ((_WORDED,), Kind.TEXT),
    "len": (((Kind.TEXT, Kind.TEXTS),), Kind.NUMBER),
    "contains": (((Kind.TEXT, Kind.TEXTS), _WORDED), Kind.FLAG),
    "startswith": ((_WORDED, _WORDED), Kind.FLAG),
    "date": ((_DATED,), Kind.DATE),
    "days_since": ((_DATED,), Kind.NUMBER),
    "days_until": ((_DATED,), Kind.NUMBER),
    "month": ((_DATED,), Kind.NUMBER),
    "day": ((_DATED,), Kind.NUMBER),
    "weekday": ((_DATED,), Kind.NUMBER),
    "age": ((_DATED,), Kind.NUMBER),
    "hour": (((Kind.INSTANT,),), Kind.NUMBER),
}
"""Functions of values: the kinds each place takes (ANY always may stand there), and what comes out."""

_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63}){0,3}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_COUNT = re.compile(r"\s*(>=|<=|==|>|<)\s*([0-9]{1,6})\s*")


def called(reader: Reader, tree: ast.Call) -> Node | None:
    """Return the node of a call, its arguments checked against what the function takes."""
    if not isinstance(tree.func, ast.Name):
        return reader.wrong(tree, "a function such as did(...)", "something else that is called")
    name = tree.func.id
    if any(isinstance(item, ast.Starred) for item in tree.args) or any(item.arg is None for item in tree.keywords):
        return reader.wrong(tree, "plain arguments", "a star")
    if name in FUNCTIONS:
        return _of_values(reader, tree, name)
    if name == "last":
        return reader.wrong(tree, 'a property: last("order.paid").total, or last("order.paid", "total")', "none") if len(
            tree.args) < 2 else _last(reader, tree, tree.args[1])  # fmt: skip
    if name in CALLS and not (reader.is_where and name != "has"):
        return CALLS[name](reader, tree)
    known = {*FUNCTIONS, "has"} if reader.is_where else {*FUNCTIONS, *CALLS, "last"}
    return reader.wrong(tree, "a function", f'"{name[:40]}"', known=known, name=name)


def _of_values(reader: Reader, tree: ast.Call, name: str) -> Node | None:
    takes, gives = FUNCTIONS[name]
    if tree.keywords or len(tree.args) != len(takes):
        return reader.wrong(tree, f"{name}() of {len(takes)} value{'s' * (len(takes) > 1)}", str(len(tree.args)))
    items = [_argument(reader, argument, kinds) for argument, kinds in zip(tree.args, takes, strict=True)]
    if None in items:
        return None
    if name == "date" and isinstance(items[0], Literal) and items[0].kind is Kind.DATE:
        return items[0]
    return Call(name, tuple(item for item in items if item is not None), gives)


def _argument(reader: Reader, tree: ast.expr, kinds: tuple[Kind, ...]) -> Node | None:
    node = reader.value(tree)
    if node is None or node.kind is Kind.ANY:
        return node
    if Kind.DATE in kinds and isinstance(node, Literal) and node.kind is Kind.TEXT:
        moment = written_moment(str(node.value))
        return moment or reader.wrong(tree, "a date such as 2026-01-31", f'"{str(node.value)[:40]}"')
    if node.kind not in kinds:
        return reader.wrong(tree, f"a {' or '.join(kinds)}", f"a {node.kind}")
    return node


def _has(reader: Reader, tree: ast.Call) -> Node | None:
    if len(tree.args) != 1 or tree.keywords:
        return reader.wrong(tree, "has() of one value", str(len(tree.args)))
    node = reader.value(tree.args[0])
    return None if node is None else Has(node)


def _did(reader: Reader, tree: ast.Call) -> Node | None:
    span, options = _span(reader, tree, 1, "within", "count", "where")
    op, count = _counted(reader, options.get("count"))
    return Did(span, op, count) if span else None


def _did_not(reader: Reader, tree: ast.Call) -> Node | None:
    span, _ = _span(reader, tree, 1, "within", "where")
    return Negation(Did(span)) if span else None


def _sum(reader: Reader, tree: ast.Call) -> Node | None:
    span, _ = _span(reader, tree, 2, "within", "where")
    if span is None:
        return None
    name = _word(reader, tree.args[1], "a property", PROPERTY)
    kind = name and property_kind(reader, tree.args[1], span.event, name)
    if not name or not kind:
        return None
    if kind not in (Kind.NUMBER, Kind.ANY):
        return reader.wrong(tree.args[1], "a property that is a number", f"a {kind}")
    return Total(span, name)


def property_of_last(reader: Reader, tree: ast.Attribute, call: ast.Call) -> Node | None:
    """Return the node of `last("order.paid").total`, told from whatever else stands before a point."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "last") or reader.is_where:
        return reader.wrong(tree, 'a name such as contact.country, or last("order.paid").total', "something else")
    return _last(reader, call, ast.copy_location(ast.Constant(tree.attr), tree))


def _last(reader: Reader, tree: ast.Call, wanted: ast.expr) -> Node | None:
    if reader.is_where:
        return reader.wrong(tree, "a value of the event", "last(...)")
    span, _ = _span(reader, tree, 2 if wanted in tree.args else 1, "within", "where")
    name = _word(reader, wanted, "a property", PROPERTY)
    if span is None or name is None:
        return None
    if name in EVENT:
        return Last(span, name, EVENT[name])
    kind = property_kind(reader, wanted, span.event, name)
    return Last(span, name, kind) if kind else None


def _segment(reader: Reader, tree: ast.Call) -> Node | None:
    name = _only_word(reader, tree, "a segment")
    return reader.segment(tree.args[0], name) if name else None


def _reachable(reader: Reader, tree: ast.Call) -> Node | None:
    name = _only_word(reader, tree, "a channel", reader.vocabulary.channels)
    return Reached(name) if name else None


def _sent(reader: Reader, tree: ast.Call) -> Node | None:
    if tree.args:
        return reader.wrong(tree.args[0], "rule=, label=, topic= or channel= before the name", "a name alone")
    known = {"rule": reader.vocabulary.rules, "label": reader.vocabulary.labels, "topic": reader.vocabulary.topics,
             "channel": reader.vocabulary.channels}  # fmt: skip
    options = _options(reader, tree, *known, "within", "count")
    names = {
        key: _word(reader, options[key], f"a {key}", _WORD, among) for key, among in known.items() if key in options
    }
    op, count = _counted(reader, options.get("count"))
    within = _within(reader, options.get("within"))
    if None in names.values():
        return None
    rule, label, topic, channel = (names.get(key) or "" for key in known)
    return SentCount(rule, label, topic, channel, within, op, count)


def _opened(reader: Reader, tree: ast.Call) -> Node | None:
    return _reaction(reader, tree, "opened")


def _clicked(reader: Reader, tree: ast.Call) -> Node | None:
    return _reaction(reader, tree, "clicked")


def _reaction(reader: Reader, tree: ast.Call, verb: str) -> Node | None:
    if reader.vocabulary.steps is None:
        return reader.wrong(tree, "something known here", f"{verb}(): there are no steps at this place")
    name = _only_word(reader, tree, "a step", reader.vocabulary.steps)
    return Reacted(verb, name) if name else None


CALLS: dict[str, Callable[[Reader, ast.Call], Node | None]] = {
    "has": _has, "did": _did, "did_not": _did_not, "sum": _sum, "segment": _segment, "reachable": _reachable,
    "sent": _sent, "opened": _opened, "clicked": _clicked,
}  # fmt: skip
"""Functions about what is known and what happened."""


# -- arguments


def _span(reader: Reader, tree: ast.Call, places: int, *options: str) -> tuple[Span | None, dict[str, ast.expr]]:
    """Return which events a call means (None: a mistake was told), and its options."""
    given = _options(reader, tree, *options)
    if len(tree.args) != places:
        expected = "the event's name in quotes" + (" and a property" if places == 2 else "")
        reader.wrong(tree, expected, f"{len(tree.args)} arguments")
        return None, given
    events = reader.vocabulary.events
    event = _word(reader, tree.args[0], "an event", _EVENT, events)
    within = _within(reader, given.get("within"))
    where = _where(reader, given.get("where"), event) if event else None
    if event is None or (where is None and "where" in given) or (within is None and "within" in given):
        return None, given
    return Span(event, within, where), given


def _where(reader: Reader, tree: ast.expr | None, event: str) -> Node | None:
    if tree is None:
        return None
    if not (isinstance(tree, ast.Constant) and isinstance(tree.value, str)):
        return reader.wrong(tree, 'a condition in quotes such as "event.total > 50"', "something else")
    return reader.inner(tree, replace(reader.vocabulary, event=event, start=None, has_conversation=False))


def _within(reader: Reader, tree: ast.expr | None) -> Duration | None:
    if tree is None:
        return None
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str) and (length := parse_duration(tree.value)):
        return length
    return reader.wrong(tree, "a length in quotes such as 90d, 4h, 6mo", ast.unparse(tree)[:40])


def _counted(reader: Reader, tree: ast.expr | None) -> tuple[str, int]:
    if tree is None:
        return ">=", 1
    written = _COUNT.fullmatch(tree.value) if isinstance(tree, ast.Constant) and isinstance(tree.value, str) else None
    if written is None:
        reader.wrong(tree, 'a count in quotes such as ">=2"', ast.unparse(tree)[:40])
        return ">=", 1
    return written[1], int(written[2])


def _options(reader: Reader, tree: ast.Call, *allowed: str) -> dict[str, ast.expr]:
    given = {}
    for keyword in tree.keywords:
        if keyword.arg not in allowed:
            name = str(keyword.arg)
            reader.wrong(keyword, f"one of {', '.join(f'{one}=' for one in allowed)}", f'"{name[:40]}="',
                         known=allowed, name=name)  # fmt: skip
        elif keyword.arg:
            given[keyword.arg] = keyword.value
    return given


def _only_word(reader: Reader, tree: ast.Call, what: str, known: Iterable[str] | None = None) -> str | None:
    if len(tree.args) != 1 or tree.keywords:
        return reader.wrong(tree, f"{what} in quotes", f"{len(tree.args)} arguments")
    return _word(reader, tree.args[0], what, _WORD, known)


def _word(
    reader: Reader, tree: ast.expr, what: str, spelling: re.Pattern[str], known: Iterable[str] | None = None
) -> str | None:
    """Return a constant name, spelt as names of this sort are, and known where only known ones will do."""
    if not (isinstance(tree, ast.Constant) and isinstance(tree.value, str)):
        return reader.wrong(tree, f"{what} in quotes", ast.unparse(tree)[:40])
    name = tree.value
    if not spelling.fullmatch(name):
        return reader.wrong(tree, f"the name of {what}", ascii(name)[:40])
    if known is not None and name not in known:
        return reader.wrong(tree, what, f'"{name}"', known=known, name=name)
    return name
