"""The rule book as a page: each rule with what it did this week, each broken file with its mistakes, and the switch of a rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from aiohttp import web
from ruamel.yaml.error import YAMLError

from admin.agents import audit_row
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.pages import at, fragment, page
from admin.roles import may
from admin.webhooks_page import given_up
from bot.finders import fold
from bot.roundtrip import rewritten
from profiles.findings import ContentError
from rules.intrusion import warnings
from rules.occasions import scheduled
from rules.rule import Rule
from rules.running import Running
from rules.schedule import firings
from rules.tallies import Tally, tallies

PAGE = 40
STATES = ("live", "test", "draft", "paused")
WEEK = timedelta(days=7)
HORIZONS = (timedelta(days=2), timedelta(days=35), timedelta(days=400))


@dataclass(frozen=True, slots=True)
class Row:
    """One rule of the list."""

    rule: Rule
    file: str
    tally: Tally
    next_at: datetime | None
    """When its clock strikes next, in the house's own zone; None for rules that wait for an event."""
    warnings: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A file with mistakes, and whether an earlier text of it goes on."""

    file: str
    mistakes: tuple[ContentError, ...]
    goes_on: bool


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show the rules by name, all or those of a state or with some words; a script asks for more of them."""
    return await _page(request)


@may("publish")
async def set_state(request: web.Request) -> web.StreamResponse:
    """Write another state into a rule's file, and nothing else; with mistakes in the file nothing is written."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    state, case = fields.get("state", ""), running(desk).bookcase
    if state not in STATES:
        raise web.HTTPBadRequest
    await case.look(at_once=True)  # what somebody wrote a second ago must not be undone by this
    rule = rule_of(request)
    file = case.book.files[rule.id]
    before = case.text_of(file) or rule.text
    try:
        text = rewritten(before, lambda table: table.__setitem__("state", state))
    except (YAMLError, ValueError):
        return await _page(request, mistakes=case.book.mistakes_in(file), status=422)
    try:
        found = await case.save(file, text, by=agent.id, instead_of=(before,))
    except OSError:
        return await _page(request, is_read_only=True, status=409)
    if found is None:  # somebody wrote this very moment
        raise web.HTTPConflict(text=texts_of(request)("This form is no longer valid. Load the page again."))
    if found:
        return await _page(request, mistakes=found, status=422)
    row = audit_row("rule.state", by=agent.id, about=f"rule:{rule.id}", at=desk.clock(), before=rule.state, after=state)
    await desk.store.insert("audit", row)
    raise web.HTTPSeeOther(at("rules", rule.id) if fields.get("back") == "rule" else at("rules", done=rule.id))


def running(desk: Desk) -> Running:
    """Return the rules of this server; 404 where there are none."""
    if desk.rules is None:
        raise web.HTTPNotFound
    return desk.rules


def rule_of(request: web.Request) -> Rule:
    """Return the rule that the address names, or answer 404."""
    rule = running(request.config_dict[DESK]).bookcase.book.rules.get(request.match_info["id"])
    if rule is None:
        raise web.HTTPNotFound
    return rule


def zone_of_house(rules: Running) -> tzinfo:
    """Return whose hours count where a contact's own are not known."""
    return rules.gatekeeper.policy.zone


def next_firing(rule: Rule, zone: tzinfo, now: datetime) -> datetime | None:
    """Return when a rule's clock strikes next, within 400 days; None where no clock pulls it."""
    trigger = scheduled(rule)
    if trigger is None or rule.state not in ("live", "test"):
        return None
    for horizon in HORIZONS:  # most strike within days: so few days are looked at
        if found := next(firings(trigger, zone, now, now + horizon), None):
            return found.at
    return None


async def _page(
    request: web.Request, *, mistakes: tuple[ContentError, ...] = (), is_read_only: bool = False, status: int = 200
) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    rules = running(desk)
    book, now = rules.bookcase.book, desk.clock()
    asked, state = request.query.get("q", "")[:80].strip(), request.query.get("state", "")
    after = request.query.get("after", "")
    chosen = _after(after, _by_title(book.rules.values(), texts_of(request).language))
    chosen = [rule for rule in chosen if _is_asked(rule, asked, state)]
    shown = chosen[:PAGE]
    counted: Mapping[str, Tally] = await tallies(desk.store, [rule.id for rule in shown], now - WEEK)
    resented = [warning.rule for warning in warnings(book)]
    zone = zone_of_house(rules)
    known = {
        "rows": [
            Row(rule, book.files[rule.id], counted[rule.id], next_firing(rule, zone, now), resented.count(rule.id))
            for rule in shown
        ],
        "following": shown[-1].id if len(chosen) > PAGE else None,
        "asked": asked,
        "state": state,
        "stale": book.stale,
    }
    if request.headers.get("X-Fragment"):
        return fragment(request, "_rules.html", **known)
    return page(
        request, "rules.html", **known, broken=_broken(rules), states=STATES, mistakes=mistakes, status=status,
        is_read_only=is_read_only, given_up=await given_up(request),
        total=len(book.rules), done=request.query.get("done", "")[:80], **await frame(desk, agent),
    )  # fmt: skip


def _broken(rules: Running) -> tuple[Broken, ...]:
    book = rules.bookcase.book
    files = dict.fromkeys(mistake.at.file for mistake in book.mistakes)
    return tuple(Broken(file, book.mistakes_in(file), file in book.texts) for file in files)


def _by_title(rules: Iterable[Rule], language: str) -> list[Rule]:
    """Return the rules in the order of what their reader calls them; accents and case do not count."""
    return sorted(rules, key=lambda rule: (fold(rule.called(language)), rule.id))


def _after(id: str, rules: list[Rule]) -> list[Rule]:
    """Return the rules behind this one, all where it is none of them."""
    names = [rule.id for rule in rules]
    return rules[names.index(id) + 1 :] if id in names else rules


def _is_asked(rule: Rule, asked: str, state: str) -> bool:
    if state and rule.state != state:
        return False
    said = (*rule.title.values(), *rule.about.values(), rule.owner, rule.topic, *rule.labels)
    about = " ".join((rule.id, *said)).casefold()
    return all(word in about for word in asked.casefold().split())
