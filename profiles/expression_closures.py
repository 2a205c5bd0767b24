"""From a checked tree to plain Python functions, made once: testing a condition is a few calls and no look at the tree.

Each function takes the facts and the event at hand (in where="..." the one of the past). None means missing; nothing raises.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from profiles.expression_facts import Facts
from profiles.expression_past import did, last, sent, total
from profiles.expression_reading import (
    BUILTIN_FACTS,
    COMPARE,
    OF_DAY,
    THREAD_FACTS,
    Read,
    Test,
    attribute_of,
    can_reach,
    property_of,
    read_as,
    thread_of,
    today,
)
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
    Extra,
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
    Reacted,
    Segment,
    SentCount,
    Shift,
    Span,
    Thread,
    Total,
    Truth,
)  # fmt: skip
from profiles.expression_values import (
    MILLISECOND,
    TO_LOWER,
    TO_UPPER,
    computed,
    instant,
    kind_of,
)  # fmt: skip
from profiles.timeline import Event


def condition(node: Node) -> Test:
    """Return the function that says whether the condition holds."""
    match node:
        case Both(items=items):
            return _both(tuple(condition(item) for item in items))
        case Either(items=items):
            return _either(tuple(condition(item) for item in items))
        case Negation(item=item):
            inner = condition(item)
            return lambda facts, event: not inner(facts, event)
        case Segment(condition=inside):
            return condition(inside)
        case Compare():
            return _compare(node)
        case Member():
            return _member(node)
        case Truth(value=value):
            read = reading(value)
            return lambda facts, event: read(facts, event) is True
        case Has(value=value):
            read = reading(value)
            return lambda facts, event: read(facts, event) is not None
        case Did(span=span, op=op, count=count):
            return did(span, _where(span), op, count)
        case SentCount():
            return sent(node)
        case Reached(channel=channel):
            return lambda facts, event: any(can_reach(one, channel) for one in facts.profile.identities)
        case Reacted(verb="opened", step=step):
            return lambda facts, event: step in facts.opened
        case Reacted(step=step):
            return lambda facts, event: step in facts.clicked
        case Call(name=name, items=items):
            return _call_condition(name, items)
        case _:
            raise TypeError(f"no condition: {type(node).__name__}")


def reading(node: Node) -> Read:
    """Return the function that gives the value, or None where it is missing or not of the node's kind."""
    match node:
        case Literal(value=value, kind=Kind.DURATION):
            length = value.at_most  # type: ignore[union-attr]
            return lambda facts, event: length
        case Literal(value=value):
            return lambda facts, event: value
        case Contact(is_builtin=True, name=name):
            return BUILTIN_FACTS[name]
        case Contact(name=name, kind=kind):
            return read_as(kind, attribute_of(name))
        case Property(root=root, name=name, kind=kind):
            return read_as(kind, property_of(root, name))
        case Thread(name=name):
            return thread_of(THREAD_FACTS[name])
        case Extra(name=name, kind=kind):
            return read_as(kind, lambda facts, event: facts.extra.get(name))
        case Clock(kind=Kind.DATE):
            return today
        case Clock():
            return lambda facts, event: facts.now
        case Arithmetic(op=op, left=left, right=right):
            one, other = reading(left), reading(right)
            return lambda facts, event: computed(op, one(facts, event), other(facts, event))
        case Shift():
            return _shift(node)
        case Apart():
            return _apart(node)
        case Call(name=name, items=items, kind=kind) if kind is not Kind.FLAG:
            return _call(name, items)
        case Total(span=span, property=name):
            return total(span, _where(span), name)
        case Last(span=span, property=name, kind=kind):
            return read_as(kind, last(span, _where(span), name))
        case _:
            return condition(node)


# -- conditions


def _both(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 2:
        one, other = tests
        return lambda facts, event: one(facts, event) and other(facts, event)

    def both(facts: Facts, event: Event | None) -> bool:
        for test in tests:  # noqa: SIM110  # a plain loop takes half the time of all() over a generator
            if not test(facts, event):
                return False
        return True

    return both


def _either(tests: tuple[Test, ...]) -> Test:
    def either(facts: Facts, event: Event | None) -> bool:
        for test in tests:  # noqa: SIM110  # likewise
            if test(facts, event):
                return True
        return False

    return either


def _where(span: Span) -> Test | None:
    return None if span.where is None else condition(span.where)


def _compare(node: Compare) -> Test:
    compare = COMPARE[node.op]
    if node.bracket is Kind.ANY:
        return _compare_unknown(node, compare)
    left, right = _read_as(node.bracket, node.left), _read_as(node.bracket, node.right)
    if isinstance(node.right, Literal):
        known = right(None, None)  # type: ignore[arg-type]  # a constant asks nothing

        def against_known(facts: Facts, event: Event | None) -> bool:
            value = left(facts, event)
            return value is not None and compare(value, known)

        return against_known

    def compared(facts: Facts, event: Event | None) -> bool:
        value, other = left(facts, event), right(facts, event)
        return value is not None and other is not None and compare(value, other)

    return compared


def _compare_unknown(node: Compare, compare: Callable[[Any, Any], bool]) -> Test:
    left, right, in_order = reading(node.left), reading(node.right), node.op not in ("==", "!=")

    def compared(facts: Facts, event: Event | None) -> bool:
        value, other = left(facts, event), right(facts, event)
        kind = kind_of(value)
        if kind is None or kind is not kind_of(other) or (in_order and kind is Kind.FLAG):
            return False
        return compare(value, other)

    return compared


def _member(node: Member) -> Test:
    negated = node.is_negated
    if isinstance(node.container, Listing):
        kind, known = node.container.kind, frozenset(node.container.values)
        item = _read_as(kind, node.item)

        def listed(facts: Facts, event: Event | None) -> bool:
            value = item(facts, event)
            return value is not None and (value in known) is not negated

        return listed
    item, container = reading(node.item), _read_as(Kind.TEXTS, node.container)

    def held(facts: Facts, event: Event | None) -> bool:
        value, values = item(facts, event), container(facts, event)
        kind = kind_of(value)
        if values is None or kind not in (Kind.TEXT, Kind.NUMBER):
            return False
        return any(kind_of(one) is kind and one == value for one in values) is not negated

    return held


def _call_condition(name: str, items: tuple[Node, ...]) -> Test:
    whole, part = reading(items[0]), _read_as(Kind.TEXT, items[1])
    starts = name == "startswith"

    def holds(facts: Facts, event: Event | None) -> bool:
        value, wanted = whole(facts, event), part(facts, event)
        if wanted is None:
            return False
        if isinstance(value, str):
            return value.startswith(wanted) if starts else wanted in value
        return not starts and isinstance(value, (list, tuple)) and any(one == wanted for one in value)

    return holds


# -- values


def _read_as(kind: Kind, node: Node) -> Read:
    """Return the reading of a node as another kind than its own may be."""
    return reading(node) if node.kind is kind else read_as(kind, reading(node))


def _shift(node: Shift) -> Read:
    read, by = _read_as(node.kind, node.moment), node.by
    if node.kind is Kind.DATE:
        move = by.days_after if node.op == "+" else by.days_before
        return lambda facts, event: None if (value := read(facts, event)) is None else _reachable_day(move, value)
    change = by.after if node.op == "+" else by.before

    def shifted(facts: Facts, event: Event | None) -> datetime | None:
        value = read(facts, event)
        return None if value is None else instant(change(value.astimezone(UTC)))

    return shifted


def _reachable_day(move: Callable[[date], date], value: date) -> date | None:
    return move(value) if 1000 <= value.year < 9000 else None


def _apart(node: Apart) -> Read:
    kind = Kind.DATE if Kind.DATE in (node.left.kind, node.right.kind) else Kind.INSTANT
    left, right = _read_as(kind, node.left), _read_as(kind, node.right)

    def apart(facts: Facts, event: Event | None) -> timedelta | None:
        one, other = left(facts, event), right(facts, event)
        return None if one is None or other is None else (one - other) // MILLISECOND * MILLISECOND

    return apart


def _call(name: str, items: tuple[Node, ...]) -> Read:
    if name in ("lower", "upper"):
        table, read = TO_LOWER if name == "lower" else TO_UPPER, _read_as(Kind.TEXT, items[0])
        return lambda facts, event: None if (value := read(facts, event)) is None else value.translate(table)
    if name == "len":
        read = reading(items[0])
        return lambda facts, event: len(value) if isinstance(value := read(facts, event), (str, list, tuple)) else None
    if name == "hour":
        read = _read_as(Kind.INSTANT, items[0])
        return lambda facts, event: None if (value := read(facts, event)) is None else value.astimezone(facts.zone).hour
    read, of_day = _read_as(Kind.DATE, items[0]), OF_DAY[name]
    return lambda facts, event: None if (value := read(facts, event)) is None else of_day(value, facts)
