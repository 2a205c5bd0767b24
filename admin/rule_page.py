"""One rule's pages: what it says, its tree, who is inside, what it brought about, why it did not send, and its versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from admin import agents
from admin.bot_versions import compare
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.pages import page
from admin.roles import may
from admin.rule_book import STATES, next_firing, rule_of, running, zone_of_house
from admin.texts import typeset
from rules.drawing import Drawing, draw
from rules.funnel import Standing, funnel, standing
from rules.intrusion import of_rule, warnings
from rules.rule import Rule
from rules.running import Running
from rules.sentences import sentences
from rules.tallies import tallies

WIDEST = 980  # pixels: a tree wider than its place on a large page stands upright there, too
PERIODS = (7, 30, 90)
"""Days that figures may be asked for."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Who stands at one step, with the step's own words."""

    step: str
    text: str
    standing: Standing


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show a rule: sentences, tree, people inside, funnel and reasons of the last 7, 30 or 90 days."""
    desk, agent, language = request.config_dict[DESK], agent_of(request), texts_of(request).language
    rules, rule = running(desk), rule_of(request)
    book, now = rules.bookcase.book, desk.clock()
    days = _days(request)
    since = now - timedelta(days=days)
    words = book.names.vocabulary.words
    drawing, upright = draw(rule, language, words), draw(rule, language, words, is_upright=True)
    inside = await standing(desk.store, rule.id)
    counted = await tallies(desk.store, [rule.id], since)
    return page(
        request, "rule.html", **_head(request, rule), days=days, periods=PERIODS, states=STATES,
        lines=[typeset(line, language) for line in sentences(rule, language, words)],
        drawing=drawing if drawing.width <= WIDEST else None, upright=upright,
        inside=_inside(drawing, inside), at_step={one.step: one for one in inside},
        funnel=await funnel(desk.store, rule.id, since), tally=counted[rule.id],
        next_at=next_firing(rule, zone_of_house(rules), now), braked_until=_braked_until(rules, rule),
        warnings=[one.text.in_(language) for one in warnings(book) if one.rule == rule.id] or
                 [one.text.in_(language) for one in of_rule(rule, book)],
        **await frame(desk, agent),
    )  # fmt: skip


@may("rules")
async def show_versions(request: web.Request) -> web.Response:
    """Show a rule's versions, the latest first, and how one of them differs from the text in use."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    rule = rule_of(request)
    known = await running(desk).bookcase.versions(rule.id)
    chosen = next((one for one in known if one.id == request.query.get("version")), None)
    file = running(desk).bookcase.book.files[rule.id]
    return page(
        request, "rule_versions.html", **_head(request, rule), versions=known, chosen=chosen,
        files=compare({file: chosen.text}, {file: rule.text}) if chosen else (),
        agents=await agents.everyone(desk.store), **await frame(desk, agent),
    )  # fmt: skip


def _head(request: web.Request, rule: Rule) -> Mapping[str, Any]:
    """Return what the head of each of the rule's pages shows."""
    book = running(request.config_dict[DESK]).bookcase.book
    file = book.files[rule.id]
    return {"rule": rule, "file": file, "mistakes": book.mistakes_in(file)}


def _inside(drawing: Drawing, found: tuple[Standing, ...]) -> tuple[Inside, ...]:
    """Return the steps where somebody stands, in the order of the tree; those of an older version last."""
    texts = {box.step: box.text for box in drawing.boxes if box.step}
    order = {step: place for place, step in enumerate(texts)}
    rows = sorted(found, key=lambda one: order.get(one.step, len(order)))
    return tuple(Inside(one.step, texts.get(one.step, one.step), one) for one in rows)


def _braked_until(rules: Running, rule: Rule) -> datetime | None:
    """Return until when the rule pauses by itself, because of complaints."""
    brakes = rules.gatekeeper.brakes
    return brakes.until(f"rule:{rule.id}") if brakes else None


def _days(request: web.Request) -> int:
    asked = request.query.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), 30)
