"""How many conditions are tested a second on one core: ours, a walker over the syntax tree, and Jinja2's expressions.

The controls are what one writes first: parse once, then look at the tree at each test; or let Jinja2 compile the text. Both are
given plain dictionaries made beforehand, which favours them; all must come to the same answers.
"""

import ast
import operator
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from profiles.expression import Expression, Facts, Vocabulary, parse
from profiles.profile import Attribute, Profile
from profiles.timeline import Event

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = 200
CONDITIONS = {
    "one comparison": "contact.points >= 100",
    "an audience": 'contact.country in ("FR", "BE") and contact.points >= 100 and not contact.is_staff == true',
    "a trigger": 'event.total >= 50 and event.currency == "EUR" and contact.points * 2 + 10 > event.total',
    "the past": 'contact.country == "FR" and did("order.paid", within="90d", count=">=2")',
}
Test = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Rate:
    """Tests a second of CPU of one condition, by each way of testing it."""

    condition: str
    ours: float
    walker: float
    jinja: float


def rates(*, seconds: float = 1.0, rounds: int = 3) -> list[Rate]:
    """Return the median rate of each condition; raises AssertionError when two ways come to different answers."""
    facts = [_person(number) for number in range(PEOPLE)]
    plain = [_plain(one) for one in facts]
    found = []
    for name, text in CONDITIONS.items():
        expression = parse(text, Vocabulary(event=""))
        assert isinstance(expression, Expression), expression
        ours: list[float] = []
        controls: dict[str, list[float]] = {"walker": [], "jinja": []}
        ways: dict[str, Test] = {"walker": _walker(text), "jinja": _jinja(text)}
        expected = [expression.test(one) for one in facts]
        assert any(expected) and not all(expected), text
        for way, test in ways.items():
            assert [test(one) for one in plain] == expected, f"{way}: {text}"
        for _ in range(rounds):  # in turn, so that a busy machine is busy for all of them
            ours.append(_rate(expression.test, facts, seconds / rounds))
            for way, test in ways.items():
                controls[way].append(_rate(test, plain, seconds / rounds))
        found.append(Rate(name, median(ours), median(controls["walker"]), median(controls["jinja"])))
    return found


def _rate(test: Callable[[Any], object], facts: list[Any], seconds: float) -> float:
    done, began = 0, time.thread_time()
    while (spent := time.thread_time() - began) < seconds:
        for one in facts:
            test(one)
        done += len(facts)
    return done / spent


def _person(number: int) -> Facts:
    known: dict[str, Any] = {"points": number * 3, "country": ("FR", "BE", "DE", "ES")[number % 4]}
    if number % 5:
        known["is_staff"] = number % 10 == 9
    attributes = {name: Attribute(value, "declared", NOW) for name, value in known.items()}
    orders = tuple(
        Event(f"{number}-{days}", f"P{number}", "order.paid", NOW - timedelta(days=days)) for days in (300, 60, number)
    )
    history = {"order.paid": tuple(sorted(orders, key=lambda order: order.happened_at))}
    event = Event("e", f"P{number}", "cart.updated", NOW, properties={"total": number, "currency": "EUR"})
    return Facts(NOW, Profile(f"P{number}", NOW, attributes=attributes), event=event, history=history)


def _plain(facts: Facts) -> dict[str, Any]:
    assert facts.event
    return {
        "contact": {name: known.value for name, known in facts.profile.attributes.items()},
        "event": dict(facts.event.properties),
        "did": lambda name, *, within, count: _did(facts, name, within, count),
    }


def _did(facts: Facts, name: str, within: str, count: str) -> bool:
    since = NOW - timedelta(days=int(within.removesuffix("d")))
    return sum(since <= event.happened_at <= NOW for event in facts.history[name]) >= int(count.removeprefix(">="))


def _jinja(text: str) -> Test:
    compiled = ImmutableSandboxedEnvironment().compile_expression(text, undefined_to_none=False)
    return lambda facts: bool(compiled(**facts))


def _walker(text: str) -> Test:
    tree = ast.parse(text.replace("true", "True"), mode="eval").body
    return lambda facts: bool(_walk(tree, facts))


_OPERATIONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
}  # fmt: skip


def _walk(tree: ast.expr, facts: Mapping[str, Any]) -> Any:
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=ast.Name(id=root), attr=name):
            return facts[root].get(name)
        case ast.BoolOp(op=op, values=values):
            return (all if isinstance(op, ast.And) else any)(_walk(value, facts) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _walk(operand, facts)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_walk(left, facts), _walk(right, facts))
        case ast.Tuple(elts=items):
            return [_walk(item, facts) for item in items]
        case ast.Call(func=ast.Name(id=name), args=items, keywords=named):
            options = {one.arg: _walk(one.value, facts) for one in named if one.arg}
            return facts[name](*(_walk(item, facts) for item in items), **options)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            one, other = _walk(left, facts), _walk(right, facts)
            return one is not None and other is not None and _OPERATIONS[type(op)](one, other)
        case _:
            raise TypeError(type(tree).__name__)
