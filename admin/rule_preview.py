"""Whom would this rule reach, and what would each of them get on each channel? And its messages sent to the testers it names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from admin import search
from admin.agents import audit_row
from admin.desk import DESK, Desk
from admin.guard import CSRF, agent_of, texts_of
from admin.incoming import body
from admin.mail_body import Mail, mail_of
from admin.pages import render
from admin.people import read_profile
from admin.roles import may
from admin.rule_book import running, zone_of_house
from admin.rule_files import file_of, rule_from, text_of
from admin.speech import bound
from channels.sms_text import bodies
from profiles.audience import count, stream
from profiles.expression_audience import Audience
from profiles.findings import Findings
from profiles.ids import new_id
from profiles.ledgers import Ledgers
from profiles.record import from_document
from profiles.timeline import Content, Event
from rules.book import TEMPLATES, is_template
from rules.choice import most_reactive, targets
from rules.gatekeeper import Unrendered
from rules.letters import MAIL, Letters
from rules.moves import Granted, Outcome
from rules.person import Person
from rules.policy import Reach
from rules.reading import Reader, Reads
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.run import Run
from rules.running import Running
from rules.sms_cost import SAMPLED, Estimate, estimate
from rules.template_file import Template, read_template
from rules.thrift import SMS
from rules.trial import letters, sending
from rules.verdict import Verdict, events_of, verdict

COUNTED = 100_000
SAMPLE = 4
MOST_TESTERS = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as one contact would get it on one channel; without content, why there is none. A template alone has no step."""

    step: str
    channel: str
    variant: str
    content: Content | None
    language: str = ""
    missing: tuple[str, ...] = ()
    reason: str = ""
    mail: Mail | None = None
    """How it is read, where it is one."""


@dataclass(frozen=True, slots=True)
class Example:
    """One contact of the audience, and what the rule would do for them."""

    person: Person
    verdict: Verdict | None
    """None for a template alone."""
    shown: tuple[Shown, ...]
    outcomes: tuple[tuple[str, Outcome], ...] = ()


@may("rules")
async def preview(request: web.Request) -> web.Response:
    """Answer with a piece of page: how many, and some of them with their messages. Nothing is written or sent."""
    desk, file = request.config_dict[DESK], file_of(request)
    rules, fields = running(desk), await body(request, text=str, contact=str)
    text, asked = text_of(fields), str(fields.get("contact", "")).strip()[: search.LONGEST]
    speaks = texts_of(request)
    if found := await rules.bookcase.check(file, text):
        return web.json_response(
            {"ok": False, "error": speaks("Mend the mistakes first."), "n": len(found)}, status=422
        )
    if is_template(file):
        known = await _of_template(desk, rules, file, text, asked)
    elif rule := rule_from(rules, file, text):
        known = await _of_rule(desk, rules, rule, asked)
    else:
        return web.json_response({"ok": False, "error": speaks("Only rules and templates have a preview.")}, status=422)
    known["examples"] = await _with_mails(desk, rules, known["examples"])
    html = render("_preview.html", speaks, words=desk.words, csrf=request[CSRF], **known)
    return web.json_response({"ok": True, "html": html})


@may("publish")
async def trial(request: web.Request) -> web.Response:
    """Send a rule's messages, as written now, to the testers that it names: once, at once, and to nobody else."""
    desk, agent, file = request.config_dict[DESK], agent_of(request), file_of(request)
    rules, speaks = running(desk), texts_of(request)
    text = text_of(await body(request, text=str))
    rule = None if await rules.bookcase.check(file, text) else rule_from(rules, file, text)
    if rule is None:
        return web.json_response({"ok": False, "error": speaks("Mend the mistakes first.")}, status=422)
    testers = await _testers(desk, rule)
    if not testers:
        error = speaks("Name contacts under testers: first, such as [email:anna@example.org].")
        return web.json_response({"ok": False, "error": error}, status=422)
    sent, left = 0, []
    for person in await _persons(desk, rules, rule, testers):
        run = await _run(desk, rule, person)
        for one in letters(rule, person, run, reaches=rules.gatekeeper.reaches, renders=rules.letters):
            if one.letter is None:
                left.append(one.reason)
                continue
            await desk.writer.commit(sending(rule, person, one, id=f"trial:{new_id(desk.clock())}"))
            sent += 1
    row = audit_row("rule.tried", by=agent.id, about=f"rule:{rule.id}", at=desk.clock(), messages=sent)
    await desk.store.insert("audit", row)
    told = speaks.count("{n} message on its way to the testers.", "{n} messages on their way to the testers.", sent)
    why = "; ".join(sorted({bound(speaks).why(reason) for reason in left}))
    return web.json_response({"ok": True, "sent": sent, "told": f"{told} {why}".strip()})


async def _of_rule(desk: Desk, rules: Running, rule: Rule, asked: str) -> dict[str, Any]:
    audience = _audience(rules, rule, desk.clock())
    number = await count(desk.store, audience, at_most=COUNTED) if audience else None
    ids = await _asked(desk, asked) if asked else await _sample(desk, audience)
    examples = [await _example(desk, rules, rule, person) for person in await _persons(desk, rules, rule, ids)]
    cost = None if asked else await _cost(desk, rules, rule, audience, number)
    return {"rule": rule, "number": number, "most": COUNTED, "examples": examples, "asked": asked, "cost": cost}


async def _cost(
    desk: Desk, rules: Running, rule: Rule, audience: Audience | None, number: int | None
) -> Estimate | None:
    """Return what its SMS come to; None where it sends none, or where no channel sends any."""
    if rules.gatekeeper.reaches.of(SMS) is None:
        return None
    persons = await _persons(desk, rules, rule, await _sample(desk, audience, SAMPLED))
    return estimate(
        rule, rules.bookcase.book, persons, reaches=rules.gatekeeper.reaches, renders=rules.letters,
        prefers=most_reactive, bodies=bodies, audience=number, now=desk.clock(),
    )  # fmt: skip


async def _of_template(desk: Desk, rules: Running, file: str, text: str, asked: str) -> dict[str, Any]:
    id = file.removeprefix(TEMPLATES).rpartition(".")[0]
    template = read_template(text, id, file, Findings())
    ids = await _asked(desk, asked) if asked else await _sample(desk, None)
    persons = await _persons(desk, rules, None, ids)
    examples = [Example(person, None, ()) for person in persons]
    if template:
        pen = _pen(rules, {id: template}, is_marketing=_is_of_marketing(rules, id))
        examples = [Example(person, None, tuple(_of_person(pen, rules, template, person))) for person in persons]
        read = {one.language for example in examples for one in example.shown}
        for language in [one for one in template.languages if persons and one not in read]:
            more = _of_person(pen, rules, template, persons[0], language)  # nobody among them reads it: its author does
            examples[0] = replace(examples[0], shown=(*examples[0].shown, *more))
    return {"rule": None, "number": None, "most": COUNTED, "examples": examples, "asked": asked, "cost": None}


def _of_person(
    pen: Letters, rules: Running, template: Template, person: Person, language: str | None = None
) -> Iterator[Shown]:
    """Yield what a template says to this contact on each channel, in each variant; in their language, or in this one."""
    run = Run("preview", "preview", "", person.id, person.facts.now)
    for reach in rules.gatekeeper.reaches:
        for variant in ("", *sorted(template.variants)):
            yield _shown(pen, template.id, reach, person, run, variant, "", language)


def _is_of_marketing(rules: Running, template: str) -> bool:
    """Return whether a rule of marketing sends this template; one that no rule sends may be sent by any."""
    kinds = {
        rule.kind
        for rule in rules.bookcase.book.rules.values()
        for step in walk(rule.steps)
        if isinstance(step, Send) and step.template == template
    }
    return not kinds or "marketing" in kinds


def _pen(rules: Running, templates: Mapping[str, Template], *, is_marketing: bool) -> Letters:
    """Return what writes as the engine will, but for the contact's own addresses: nobody acts for them from a preview."""
    return Letters(templates, language=rules.gatekeeper.policy.language, is_marketing=lambda run: is_marketing)


async def _example(desk: Desk, rules: Running, rule: Rule, person: Person) -> Example:
    """Ask the engine what it would do if the rule were live, and write every message it may come to."""
    event = await _event(desk, rule, person)
    live = replace(rule, state="live")
    came = await verdict(
        live, person, event, policy=rules.gatekeeper.policy, reaches=rules.gatekeeper.reaches, renders=rules.letters,
        prefers=most_reactive,
    )  # fmt: skip
    run = came.run or _begun(live, person, event)
    granted = tuple((step, outcome) for step, outcome in came.outcomes if not isinstance(outcome, Granted))
    return Example(person, came, tuple(_messages(rules, rule, person, run)), granted)


def _messages(rules: Running, rule: Rule, person: Person, run: Run) -> Iterator[Shown]:
    pen = _pen(rules, rules.bookcase.book.templates, is_marketing=rule.kind == "marketing")
    for step in walk(rule.steps):
        if isinstance(step, Send):
            for target in targets(person, step.channels, rules.gatekeeper.reaches, most_reactive):
                for variant in sorted(step.variants) or [""]:
                    shown = _shown(pen, step.template, target.reach, person, run, variant, step.id)
                    yield shown if target.identity else replace(shown, reason="no_address")


def _shown(
    pen: Letters, template: str, reach: Reach, person: Person, run: Run, variant: str, step: str,
    language: str | None = None,
) -> Shown:  # fmt: skip
    letter = pen.write(template, reach, person, run, variant, language)
    if isinstance(letter, Unrendered):
        return Shown(step, reach.channel, variant, None, reason=f"template:{letter.reason} {letter.detail}".strip())
    return Shown(step, reach.channel, variant, letter.content, letter.language, letter.missing)


async def _with_mails(desk: Desk, rules: Running, examples: Iterable[Example]) -> list[Example]:
    mailed = {reach.channel for reach in rules.gatekeeper.reaches if reach.space == MAIL}

    async def read(one: Shown) -> Shown:
        if one.content is None or one.channel not in mailed:
            return one
        return replace(one, mail=await mail_of(desk, one.channel, one.content, one.language))

    return [replace(example, shown=tuple([await read(one) for one in example.shown])) for example in examples]


def _audience(rules: Running, rule: Rule, now: datetime) -> Audience | None:
    """Return whom the rule is for, as far as profiles and their past say it; None when it hangs on the event."""
    if rule.audience is None:
        return Audience({"merged_into": None})
    return rule.audience.audience(now, zone_of_house(rules)) if rule.audience.needs.is_of_profile else None


async def _sample(desk: Desk, audience: Audience | None, many: int = SAMPLE) -> list[str]:
    """Return the first few of an audience; of no audience, the latest contacts."""
    if audience is None:
        found, _ = await search.people(desk, "")
        return [profile.id for profile in found[:many]]
    async for ids in stream(desk.store, audience, at_once=many):
        return list(ids)
    return []


async def _asked(desk: Desk, asked: str) -> list[str]:
    found, _ = await search.people(desk, asked)
    return [profile.id for profile in found[:SAMPLE]]


async def _testers(desk: Desk, rule: Rule) -> list[str]:
    """Return the profiles of a rule's testers: named by id, or by an address of theirs."""
    found: list[str] = []
    for name in rule.testers[:MOST_TESTERS]:
        row = await desk.store.get("identities", name)
        profile = await read_profile(desk, str(row["profile"]) if row else name)
        if profile and profile.id not in found:
            found.append(profile.id)
    return found


async def _persons(desk: Desk, rules: Running, rule: Rule | None, ids: Iterable[str]) -> list[Person]:
    reader = Reader(desk.store, Ledgers(desk.store), zone=zone_of_house(rules))
    found = await reader.persons(ids, Reads.of([rule] if rule else []), desk.clock())
    return list(found.values())


async def _event(desk: Desk, rule: Rule, person: Person) -> Event | None:
    """Return the last event of this contact that may have begun the rule: its properties fill the message."""
    names = events_of(rule.trigger)
    ids = [person.id, *person.facts.profile.absorbed]
    where = {"profile": {"$in": ids}, "name": {"$in": list(names)}}
    row = await desk.store.first("events", where, sort=[("happened_at", -1)]) if names else None
    return from_document(Event, row) if row else None


async def _run(desk: Desk, rule: Rule, person: Person) -> Run:
    return _begun(rule, person, await _event(desk, rule, person))


def _begun(rule: Rule, person: Person, event: Event | None) -> Run:
    """Return a run as a message of it would read it, though none begins."""
    start = {**event.properties, "name": event.name, "at": event.happened_at} if event else {}
    return Run("preview", rule.id, rule.version, person.id, person.facts.now, start=start)
