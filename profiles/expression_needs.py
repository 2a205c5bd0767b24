"""What must be known before an expression can be tested, and what can change its answer."""

from profiles.duration import Duration
from profiles.expression_facts import Needs
from profiles.expression_tree import (
    Apart,
    Call,
    Clock,
    Compare,
    Contact,
    Did,
    Extra,
    Kind,
    Last,
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
    walk,
)  # fmt: skip

_OF_TODAY = ("days_since", "days_until", "age")


def needs(tree: Node) -> Needs:
    """Return what the facts must hold for this tree."""
    parts = list(walk(tree))
    inside = {id(part) for span in parts if isinstance(span, Span) and span.where for part in walk(span.where)}
    sent = [part for part in parts if isinstance(part, SentCount)]
    roots = {part.root for part in parts if isinstance(part, Property) and id(part) not in inside}
    spans = [part.span for part in parts if isinstance(part, (Did, Total, Last))]
    return Needs(
        attributes=frozenset(part.name for part in parts if isinstance(part, Contact)),
        events=_windows(spans),
        sent=bool(sent),
        sent_within=_longest([part.within for part in sent]) if sent else None,
        channels=frozenset(part.channel for part in parts if isinstance(part, Reached)),
        segments=frozenset(part.name for part in parts if isinstance(part, Segment)),
        steps=frozenset(part.step for part in parts if isinstance(part, Reacted)),
        extra=frozenset(part.name for part in parts if isinstance(part, Extra)),
        event="event" in roots,
        start="start" in roots,
        conversation=any(isinstance(part, Thread) for part in parts),
        time=any(_moves_with_time(part) for part in parts),
        zone=any(_hangs_on_zone(part) for part in parts),
    )


def _windows(spans: list[Span]) -> dict[str, Duration | None]:
    by_name: dict[str, list[Duration | None]] = {}
    for span in spans:
        by_name.setdefault(span.event, []).append(span.within)
    return {name: _longest(windows) for name, windows in by_name.items()}


def _longest(windows: list[Duration | None]) -> Duration | None:
    known = [window for window in windows if window is not None]
    return max(known, key=lambda window: window.at_most) if len(known) == len(windows) else None


def _moves_with_time(part: object) -> bool:
    if isinstance(part, (Span, SentCount)):
        return part.within is not None
    return isinstance(part, Clock) or (isinstance(part, Call) and part.name in _OF_TODAY)


def _hangs_on_zone(part: object) -> bool:
    match part:
        case Clock(kind=Kind.DATE) | Compare(bracket=Kind.DATE) | Shift(kind=Kind.DATE):
            return True
        case Apart(left=left, right=right):
            return Kind.DATE in (left.kind, right.kind)
        case Call(name=name):
            return name in ("date", "days_since", "days_until", "month", "day", "weekday", "hour", "age")
        case Contact(kind=Kind.DATE):
            return True
        case _:
            return False
