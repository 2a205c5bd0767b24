"""What will go out in the next 30 days: every firing of a clock, day by day, and how many contacts come to their next step.

How large each audience is costs a count each: a page's script asks for it when the day comes into sight.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from aiohttp import web

from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of
from admin.pages import page
from admin.roles import may
from admin.rule_book import running, zone_of_house
from profiles.audience import count
from rules.applying import RUNS
from rules.occasions import scheduled, selection
from rules.rule import Rule
from rules.schedule import Firing, firings

DAYS = 30
COUNTED = 100_000
MOST_DUE = 100_000
MOST_FIRINGS = 2_000
"""Of one rule within the days shown: every quarter of an hour is 2,880 a month, and no list for people."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule on one day: its first firing stands for the others."""

    rule: Rule
    first: Firing
    times: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the house's own zone."""

    on: date
    is_past: bool
    entries: tuple[Entry, ...]
    due: tuple[tuple[str, int], ...]
    """(rule, contacts) whose waiting ends on that day."""


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show the days from this week's Monday on."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    rules, now = running(desk), desk.clock()
    zone = zone_of_house(rules)
    today = now.astimezone(zone).date()
    living = [rule for rule in rules.bookcase.book.rules.values() if rule.state in ("live", "test")]
    due = await _due(desk, zone, now)
    entries = _entries(living, zone, now)
    first, last = today - timedelta(today.weekday()), today + timedelta(DAYS)
    last += timedelta(6 - last.weekday())
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    return page(
        request, "calendar.html", zone=str(zone), today=today,
        days=[Day(day, day < today, tuple(entries.get(day, ())), tuple(due.get(day, ()))) for day in days],
        **await frame(desk, agent),
    )  # fmt: skip


@may("rules")
async def size(request: web.Request) -> web.Response:
    """Answer how many contacts one firing would be for, as things stand now: at most 100,000 are counted."""
    desk = request.config_dict[DESK]
    rules, now = running(desk), desk.clock()
    rule = rules.bookcase.book.rules.get(request.query.get("rule", ""))
    local = _local(request.query.get("at", ""))
    if rule is None or local is None or scheduled(rule) is None or not _is_countable(rule):
        return web.json_response({"ok": False})
    zone = zone_of_house(rules)
    firing = Firing(local, local.replace(tzinfo=zone).astimezone(UTC))
    # with nobody's zone set apart it is all of them: the same local hour comes to each in turn
    number = await count(desk.store, selection(rule, firing, zone, now, home=True, others=()), at_most=COUNTED)
    return web.json_response({"ok": True, "n": number, "is_most": number >= COUNTED})


def _entries(living: list[Rule], zone: tzinfo, now: datetime) -> Mapping[date, list[Entry]]:
    found: defaultdict[date, list[Entry]] = defaultdict(list)
    for rule in living:
        trigger = scheduled(rule)
        if trigger is None:
            continue
        by_day: defaultdict[date, list[Firing]] = defaultdict(list)
        for number, firing in enumerate(firings(trigger, zone, now, now + timedelta(DAYS))):
            if number >= MOST_FIRINGS:
                break
            by_day[firing.local.date()].append(firing)
        for day, some in by_day.items():
            found[day].append(Entry(rule, some[0], len(some)))
    for entries in found.values():
        entries.sort(key=lambda entry: (entry.first.at, entry.rule.id))
    return found


async def _due(desk: Desk, zone: tzinfo, now: datetime) -> Mapping[date, list[tuple[str, int]]]:
    """Return how many contacts come to their next step, by day and rule; past the first 100,000 no more are counted."""
    day = {"$dateToString": {"date": "$due_at", "format": "%Y-%m-%d", "timezone": str(zone)}}
    pipeline: list[Mapping[str, Any]] = [
        {"$match": {"due_at": {"$gte": now, "$lt": now + timedelta(DAYS)}}},
        {"$limit": MOST_DUE},
        {"$group": {"_id": {"day": day, "rule": "$rule"}, "n": {"$sum": 1}}},
        {"$sort": {"n": -1, "_id": 1}},
    ]
    found: defaultdict[date, list[tuple[str, int]]] = defaultdict(list)
    for row in await desk.store.aggregate(RUNS, pipeline):
        found[date.fromisoformat(row["_id"]["day"])].append((str(row["_id"]["rule"]), int(row["n"])))
    return found


def _is_countable(rule: Rule) -> bool:
    return rule.audience is None or rule.audience.needs.is_of_profile


def _local(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text[:16])
    except ValueError:
        return None
    return found if found.tzinfo is None else None
