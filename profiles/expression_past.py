"""What a contact did before, counted and summed, and how often we wrote to them: over the facts at hand.

`where` is the condition that an event of the span must meet, None for every one.
"""

from collections.abc import Callable, Iterator
from datetime import UTC
from math import fsum
from typing import Any

from profiles.expression_facts import Facts
from profiles.expression_reading import COMPARE, Read, Test, is_asked, property_of
from profiles.expression_tree import SentCount, Span
from profiles.expression_values import addend
from profiles.timeline import Event


def did(span: Span, where: Test | None, op: str, count: int) -> Test:
    """Return the function that says whether as many events of the span happened as are asked for."""
    compare, events = COMPARE[op], _events(span, where)
    return lambda facts, event: compare(sum(1 for _ in events(facts)), count)


def total(span: Span, where: Test | None, name: str) -> Read:
    """Return the function that adds up a property of the span's events; what is no number counts for nothing."""
    events = _events(span, where)

    def summed(facts: Facts, event: Event | None) -> float | None:
        found = (addend(one.properties.get(name)) for one in events(facts))
        return addend(fsum(value for value in found if value is not None))

    return summed


def last(span: Span, where: Test | None, name: str) -> Read:
    """Return the function that gives a property of the newest event of the span."""
    events, value = _events(span, where), property_of("event", name)

    def newest(facts: Facts, event: Event | None) -> Any:
        found = next(events(facts), None)
        return None if found is None else value(facts, found)

    return newest


def sent(node: SentCount) -> Test:
    """Return the function that says whether as many messages were sent as are asked for."""
    compare, count = COMPARE[node.op], node.count

    def holds(facts: Facts, event: Event | None) -> bool:
        now = facts.now.astimezone(UTC)
        since = node.within.before(now) if node.within else None
        found = sum(
            1 for one in facts.sent if is_asked(node, one) and one.at <= now and (since is None or one.at >= since)
        )
        return compare(found, count)

    return holds


def _events(span: Span, where: Test | None) -> Callable[[Facts], Iterator[Event]]:
    if where is None:
        return lambda facts: _past(span, facts)
    return lambda facts: (event for event in _past(span, facts) if where(facts, event))


def _past(span: Span, facts: Facts) -> Iterator[Event]:
    """Yield the events of the span, newest first."""
    now = facts.now.astimezone(UTC)
    since = span.within.before(now) if span.within else None
    for event in reversed(facts.history.get(span.event, ())):
        if since is not None and event.happened_at < since:
            return
        if event.happened_at <= now:
            yield event
