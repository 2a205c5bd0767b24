"""Whom does a condition hold for, in the whole database? The filter, the look-ups of the past, and where to begin.

The cheap part filters first and the past is looked up only for whom it leaves; when what happened lately narrows it down
best, the pipeline begins with the events. So the cost follows the audience, not the base.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from profiles.duration import Duration
from profiles.expression_facts import Needs
from profiles.expression_operands import Scope, bounded, double, property_path
from profiles.expression_query import condition
from profiles.expression_tree import (
    PAST,
    Both,
    Compare,
    Contact,
    Did,
    Kind,
    Last,
    Listing,
    Member,
    Node,
    Segment,
    SentCount,
    Span,
    Total,
    Truth,
    walk,
)
from profiles.expression_values import LARGEST_RESULT
from profiles.profile import Profile
from profiles.record import matching

Document = dict[str, Any]

WENT_OUT = ("sent", "delivered", "read", "unknown")
"""States of a delivery that count as sent: an unknown outcome may have reached the person."""
RECENT = timedelta(days=31)
"""Events of a shorter window are few enough to begin with, even where an index finds the attribute."""
_RESTLESS = ("last_inbound_at", "last_channel")
"""They change with every message, and an index on them would cost every message (profiles/indexes.py)."""


@dataclass(frozen=True, slots=True)
class Audience:
    """How the database finds the profiles a condition holds for; merged-away ones never are among them."""

    filter: Document
    """On `profiles`. Exact when there is no `pipeline`, else true of all whom it selects, and perhaps of more."""
    pipeline: tuple[Document, ...] = ()
    """When the past is asked for: what to aggregate on `collection`; it gives documents of `_id` alone, one per profile."""
    collection: str = "profiles"
    """Where the pipeline begins: profiles, or events when these narrow it down best."""
    index: tuple[str, ...] = ()
    """Fields of an index on `profiles` that makes the cost follow the audience, not the base; empty: none needed, or none helps."""


def audience(tree: Node, needs: Needs, now: datetime, zone: tzinfo) -> Audience:
    """Return how to find all for whom the condition holds. Raises ValueError: it is not about profiles alone, or no such zone."""
    if not needs.is_of_profile:
        raise ValueError("this expression asks about more than profiles and their past")
    if not isinstance(zone, ZoneInfo) and zone.utcoffset(None):
        raise ValueError("expected UTC or a named zone")
    tree = tree if tree.kind is not Kind.ANY else Truth(tree)
    parts = list(_conjuncts(tree))
    past = [part for part in parts if _asks_the_past(part)]
    plain = [part for part in parts if not _asks_the_past(part)]
    scope = Scope(now, zone)
    where = _all_of([matching(Profile, merged_into=None), *(condition(part, scope) for part in plain)])
    index = _index(plain, scope)
    if not past:
        return Audience(where, index=index)
    if (first := _first_events(past, scope)) and (not index or _is_recent(first)):
        past = [part for part in past if part != Did(first)]  # whoever is found has done it
        beginning = [*_whose(_events(first, scope)), {"$match": where}]
        pipeline = [
            *beginning,
            *_looked_up(past, scope),
            {"$group": {"_id": "$_id"}},
        ]  # two shells may lead to one profile
        return Audience(where, tuple(pipeline), "events")
    return Audience(where, ({"$match": where}, *_looked_up(past, scope), {"$project": {"_id": 1}}), "profiles", index)


def _conjuncts(node: Node) -> Iterator[Node]:
    match node:
        case Both(items=items):
            for item in items:
                yield from _conjuncts(item)
        case Segment(condition=inside):
            yield from _conjuncts(inside)
        case _:
            yield node


def _asks_the_past(node: Node) -> bool:
    return any(isinstance(part, PAST) for part in walk(node))


def _all_of(filters: Sequence[Document]) -> Document:
    return filters[0] if len(filters) == 1 else {"$and": list(filters)}


# -- what happened


def _looked_up(past: Sequence[Node], scope: Scope) -> Iterator[Document]:
    """Yield the stages that look up and judge one condition after the other, each for whom the earlier ones left."""
    yield {"$project": {"attributes": 1, "identities": 1, "language": 1, "last_channel": 1, "created_at": 1,
                        "last_inbound_at": 1, "who": {"$concatArrays": [["$_id"], {"$ifNull": ["$absorbed", []]}]}}}  # fmt: skip
    fields: dict[Any, str] = {}
    for part in past:
        for node in walk(part):
            if isinstance(node, PAST) and node not in fields:
                fields[node] = f"past{len(fields)}"
                yield from _look_up(node, fields[node], scope)
        yield {"$match": condition(part, Scope(scope.now, scope.zone, fields))}


def _look_up(node: Any, field: str, scope: Scope) -> tuple[Document, Document]:
    collection = "messages" if isinstance(node, SentCount) else "events"
    stages = _answering(node, scope)
    answer: Any = {"$ifNull": [{"$first": f"${field}.answer"}, None if isinstance(node, Last) else 0]}
    lookup = {"from": collection, "localField": "who", "foreignField": "profile", "pipeline": stages, "as": field}
    return {"$lookup": lookup}, {"$set": {field: bounded(answer) if isinstance(node, Total) else answer}}


def _answering(node: Any, scope: Scope) -> list[Document]:
    match node:
        case SentCount(count=count):
            return [{"$match": _messages(node, scope)}, {"$limit": count + 1}, {"$count": "answer"}]
        case Did(span=span, count=count):
            return [{"$match": _events(span, scope)}, {"$limit": count + 1}, {"$count": "answer"}]
        case Total(span=span, property=name):
            addend = {"$let": {"vars": {"v": f"$properties.{name}"}, "in": double("$$v", LARGEST_RESULT)}}
            return [{"$match": _events(span, scope)}, {"$group": {"_id": None, "answer": {"$sum": addend}}}]
        case _:
            newest = {"$sort": {"happened_at": -1, "_id": -1}}
            value = {"$project": {"_id": 0, "answer": f"${property_path(node.property)}"}}
            return [{"$match": _events(node.span, scope)}, newest, {"$limit": 1}, value]


def _events(span: Span, scope: Scope) -> Document:
    named = {"name": {"$eq": span.event}, "happened_at": _within(span.within, scope)}
    return named if span.where is None else {"$and": [named, condition(span.where, Scope(scope.now, scope.zone))]}


def _messages(node: SentCount, scope: Scope) -> Document:
    asked = {
        "metadata.rule": node.rule,
        "metadata.topic": node.topic,
        "metadata.labels": node.label,
        "channel": node.channel,
    }
    return {
        "at": _within(node.within, scope),
        "direction": "outbound",
        "delivery.state": {"$in": list(WENT_OUT)},
        "metadata.rule": {"$gt": ""},
        **{path: {"$eq": value} for path, value in asked.items() if value},
    }


def _within(length: Duration | None, scope: Scope) -> Document:
    until = {"$lte": scope.now}
    return {"$gte": length.before(scope.now), **until} if length else until


# -- where to begin


def _first_events(past: Sequence[Node], scope: Scope) -> Span | None:
    """Return the events of which everybody in the audience has one: those of the shortest window."""
    spans = [span for part in past if (span := _implied(part, scope))]
    return min(spans, key=_length, default=None)


def _implied(part: Node, scope: Scope) -> Span | None:
    match part:
        case Did(span=span, op=op, count=count) if (op in (">=", "==") and count > 0) or op == ">":
            return span
        case Compare(left=Last(span=span)) | Compare(right=Last(span=span)):
            return span  # missing on a side makes it false
        case Compare(left=Total(span=span), op=(">" | ">="), right=right):
            least = scope.constant(right)
            return span if least is not None and least > 0 else None
        case _:
            return None


def _length(span: Span) -> timedelta:
    return span.within.at_most if span.within else timedelta.max


def _is_recent(span: Span) -> bool:
    return _length(span) <= RECENT


def _whose(events: Document) -> tuple[Document, ...]:
    """Return the stages from events to the profiles they belong to now: those of a merged-away one to whom it became."""
    top = {"$first": {"$filter": {"input": "$up", "cond": {"$not": ["$$this.merged_into"]}}}}
    return (
        {"$match": events},
        {"$group": {"_id": "$profile"}},
        {"$lookup": {"from": "profiles", "localField": "_id", "foreignField": "_id", "as": "found"}},
        {"$unwind": "$found"},
        {"$graphLookup": {"from": "profiles", "startWith": "$found.merged_into", "connectFromField": "merged_into",
                          "connectToField": "_id", "as": "up"}},
        {"$replaceRoot": {"newRoot": {"$ifNull": [top, "$found"]}}},
    )  # fmt: skip


def _index(plain: Sequence[Node], scope: Scope) -> tuple[str, ...]:
    """Return the fields of the index that narrows most: an equality before a range, each with the ids in order if it can."""
    ranked = sorted((found for part in plain if (found := _indexable(part, scope))), key=lambda one: one[0])
    if not ranked:
        return ()
    rank, path = ranked[0]
    return (path, "_id") if rank == 0 or rank == 2 else (path,)


def _indexable(part: Node, scope: Scope) -> tuple[int, str] | None:
    """Return how well an index serves a condition (0 best), and its field."""
    match part:
        case Member(item=Contact() as contact, container=Listing(), is_negated=False):
            rank = 0
        case (
            Compare(op=op, left=Contact() as contact, right=other)
            | Compare(op=op, left=other, right=Contact() as contact)
        ):
            if op == "!=" or scope.constant(other) is None:
                return None
            rank = 1 if op != "==" else (2 if part.bracket is Kind.FLAG else 0)
        case Truth(value=Contact() as contact):
            rank = 2
        case _:
            return None
    if contact.is_builtin:
        return (rank, contact.name) if contact.name not in (*_RESTLESS, "name", "id") else None
    return rank, f"attributes.{contact.name}.value"
