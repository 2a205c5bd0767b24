"""A preview, said on the terminal or as JSON: what the contacts would get of one rule, and what its SMS come to."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from admin.texts import texts
from causerie.rehearsal_wish import Wish
from causerie.rehearsal_words import counted, plain, said, when
from causerie.rule_commands import Say
from channels.sms_text import bodies
from rules.cast import TRAITS
from rules.memory import MemoryReader
from rules.reasons import spoken
from rules.recall import Recalled
from rules.rehearsal import Stage, Told, tried
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.sms_cost import Estimate, estimate

AHEAD = timedelta(days=30)
"""How far a preview looks: the second message of most rules is within it."""


async def say_preview(
    stage: Stage, rule: Rule, recalled: Recalled, wish: Wish, say: Say, *, now: datetime, total: int | None
) -> None:
    """Say what each of these contacts gets of the rule, and why the others get nothing.

    `total`: how many it is for, None where nobody counted.
    """
    rehearsed = await tried(stage, recalled.contacts, rule.id, now=now, ahead=AHEAD)
    if wish.as_json:
        say(json.dumps({"rule": rule.id, "audience": total, "told": [plain(row) for row in rehearsed.told]}, indent=2))
        return
    state = f"{rule.id} ({rule.state})"
    speaks = wish.language
    if total is not None:
        audience = counted(speaks, total, "contact")
        state = said(speaks, "{state}: {contacts} in its audience now.", state=state, contacts=audience)
    say(state)
    if not any(isinstance(step, Send) for step in walk(rule.steps)):
        say(said(speaks, "It sends nothing."))
    for id, profile in recalled.contacts.profiles.items():
        trait = TRAITS.get(id, {}).get(speaks, "")
        say("")
        say(f"{profile.name or id}" + (f" ({trait})" if trait else ""))
        rows = [row for row in rehearsed.told if row.profile == id]
        if not rows:
            is_inside = _is_inside(stage, recalled, rule, id, now)
            why = "gets nothing: nothing began" if is_inside else "gets nothing: not in the rule's audience"
            say(f"  {said(speaks, why)}")
        for row in rows:
            for line in _lines(row, stage, speaks):
                say(f"  {line}")


def _is_inside(stage: Stage, recalled: Recalled, rule: Rule, id: str, now: datetime) -> bool:
    if rule.audience is None:
        return True
    reader = MemoryReader(recalled.contacts, zone=stage.book.policy.zone)
    return rule.audience.test(reader.person(recalled.contacts.profiles[id], now).facts)


def _lines(row: Told, stage: Stage, language: str) -> Iterable[str]:
    said = spoken(row.reason, language)
    where = f" {row.channel}" if row.channel else ""
    variant = f" [{row.variant}]" if row.variant else ""
    yield f"{when(row.at, stage)}  {said}{where}{variant}"
    if row.title:
        yield f"    {row.title}"
    yield from (f"    {line}" for line in row.text.splitlines()[:12])


async def say_cost(
    stage: Stage, rule: Rule, recalled: Recalled, wish: Wish, say: Say, *, now: datetime, total: int | None
) -> None:
    """Say what its SMS come to, where it sends some."""
    reader = MemoryReader(recalled.contacts, zone=stage.book.policy.zone)
    cost = estimate(
        rule, stage.book, [reader.person(one, now) for one in recalled.contacts.profiles.values()],
        reaches=stage.reaches, renders=stage.renders, prefers=stage.prefers, bodies=bodies, audience=total, now=now,
    )  # fmt: skip
    if cost:
        say("")
        say(_cost_said(cost, wish.language))


def _cost_said(cost: Estimate, language: str) -> str:
    """Return what the console says beside a preview, in one line."""
    speaks = texts("fr" if language.startswith("fr") else "en")
    said = [
        speaks(
            "{language}: {cost}",
            language=name,
            cost=speaks.count("{n} segment an SMS", "{n} segments an SMS", segments),
        )
        for name, segments in cost.by_language
    ]
    if cost.messages is not None:
        counted = speaks.count("{n} segment", "{n} segments", cost.segments or 0)
        said.append(speaks("about {n} SMS, {segments}", n=cost.messages, segments=counted))
        if cost.total is None:
            said.append(speaks("no price: see sms prices in pressure.yml"))
        else:
            shown = speaks.number(cost.total, 2, 2)
            said.append(speaks("about {total} {currency}", total=shown, currency=cost.currency))
    return "SMS: " + "; ".join(said)
