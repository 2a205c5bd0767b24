"""The API's routes about what the rules know and did: who is in a segment, why somebody was written to or not."""

from contextlib import aclosing
from typing import Any

from admin import api_answers as answers
from admin import api_kinds as kinds
from admin import api_schemas as shapes
from admin.api_profiles import LIMIT, PAGE
from admin.api_route import Call, Refused, Reply, Route
from admin.paging import Key, after_key, key_of
from admin.people import read_profile
from admin.schema import Field, Problem, Whole
from profiles.audience import count, stream
from profiles.expression import Expression, parse
from profiles.expression_audience import Audience
from rules.running import Running

MOST_COUNTED = 1_000_000
MEMBERS = 100


async def list_segments(call: Call) -> Reply:
    """Answer the segments of the rule book."""
    known = _rules(call).bookcase.book.names.vocabulary.segments
    return Reply(200, {"items": [{"name": name, "condition": known[name]} for name in sorted(known)]})


async def get_segment(call: Call) -> Reply:
    """Answer one segment, and how many are in it now."""
    name, audience = call.path["name"], _audience(call)
    found = await count(call.desk.store, audience, at_most=MOST_COUNTED + 1)
    condition = _rules(call).bookcase.book.names.vocabulary.segments[name]
    counted = {"count": min(found, MOST_COUNTED), "is_all": found <= MOST_COUNTED}
    return Reply(200, {"name": name, "condition": condition, **counted})


async def list_members(call: Call) -> Reply:
    """Answer who is in a segment now: profile ids in order."""
    limit = call.query.get("limit", MEMBERS)
    walked = stream(call.desk.store, _audience(call), after=call.query.get("after", ""), at_once=limit + 1)
    async with aclosing(walked) as chunks:  # type: ignore[type-var]
        # none rather than (): before Python 3.14, anext() breaks on a tuple as its default (python/cpython#128078)
        ids = await anext(chunks, None) or ()
    return Reply(200, {"items": list(ids[:limit]), "after": ids[limit - 1] if len(ids) > limit else None})


async def list_decisions(call: Call) -> Reply:
    """Answer what the rules decided about a profile, the latest first."""
    profile = await read_profile(call.desk, call.path["id"])
    if profile is None:
        raise Refused("unknown_profile")
    limit, after = call.query.get("limit", PAGE), key_of(call.query.get("after"))
    if "after" in call.query and after is None:
        raise Refused("invalid", faults=(Problem("after", "expected the `after` of a page"),), in_query=True)
    where: dict[str, Any] = {"profile": {"$in": [profile.id, *profile.absorbed]}}
    if "rule" in call.query:
        where["rule"] = {"$eq": call.query["rule"]}
    rows = await call.desk.store.find(
        "decisions", after_key(where, "at", after), sort=[("at", -1), ("_id", 1)], limit=limit + 1
    )
    last = rows[limit - 1] if len(rows) > limit else None
    items = [answers.decided(row) for row in rows[:limit]]
    return Reply(200, {"items": items, "after": str(Key(last["at"], last["_id"])) if last else None})


def _rules(call: Call) -> Running:
    if call.desk.rules is None:
        raise Refused("no_rules")
    return call.desk.rules


def _audience(call: Call) -> Audience:
    """Return how the database finds who is in the segment that the path names."""
    rules = _rules(call)
    vocabulary = rules.bookcase.book.names.vocabulary
    source = vocabulary.segments.get(call.path["name"])
    if source is None:
        raise Refused("unknown_segment")
    condition = parse(source, vocabulary)
    assert isinstance(condition, Expression)  # it was read with the book, where a segment is of a profile and its past
    return condition.audience(call.now, rules.gatekeeper.policy.zone)


ROUTES = (
    Route("GET", "/segments", list_segments, "rules:read", "List the segments of the rule book.",
          "Lister les segments du livre de règles.", shapes.SEGMENTS, problems=("no_rules",)),
    Route("GET", "/segments/{name}", get_segment, "rules:read", "Count who is in a segment.",
          "Compter qui est dans un segment.", shapes.SEGMENT, problems=("unknown_segment", "no_rules")),
    Route("GET", "/segments/{name}/members", list_members, "rules:read", "List who is in a segment, in order of id.",
          "Lister qui est dans un segment, par identifiant.", shapes.MEMBERS,
          query={"limit": Field(Whole(1, 500), f"How many at most, up to 500; {MEMBERS} unless you say otherwise."),
                 "after": Field(kinds.ID, "The `after` of the page before.")},
          problems=("unknown_segment", "no_rules")),
    Route("GET", "/profiles/{id}/decisions", list_decisions, "rules:read",
          "List why the rules wrote to somebody or did not, the latest first.",
          "Lister pourquoi les règles ont écrit à quelqu'un ou non, du plus récent au plus ancien.", shapes.DECISIONS,
          query={"limit": LIMIT, "after": Field(kinds.ID, "The `after` of the page before."),
                 "rule": Field(kinds.ID, "Only those of this rule.")},
          problems=("unknown_profile",)),
)  # fmt: skip
