"""Why did Anna not get it? A rule's decisions, all or of one contact; where nothing was stored, what the rule says of them now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from admin import search
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.inbox import NAMES
from admin.pages import fragment, page
from admin.paging import Key, after_key, key_of
from admin.people import read_profile
from admin.roles import may
from admin.rule_book import rule_of, running
from admin.speech import bound
from admin.texts import Texts
from profiles.expression_sentence import sentence
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.timeline import Event
from rules import wording
from rules.applying import DECISIONS
from rules.choice import most_reactive
from rules.moves import Granted, Held, Outcome, Skipped
from rules.occasions import date_of, is_for, scheduled
from rules.reading import Reader, Reads, zone_of
from rules.rule import Rule
from rules.rule_trigger import OnDate
from rules.schedule import firings
from rules.sentences_trigger import beginning
from rules.triggers import begins
from rules.verdict import Verdict, events_of, verdict

PAGE = 50
YEAR = timedelta(days=366)
LOOKED_AT = 20
"""Events of a contact, of those that may begin a rule, that are looked at for one that does."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What a rule says of one contact now, in sentences of the reader's language."""

    lines: tuple[str, ...]
    untrue: tuple[str, ...] = ()
    event: Event | None = None
    """The last event of theirs that might have begun it."""


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show a rule's decisions, the latest first; of one contact, with what holds now; a script asks for more of them."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    rule, asked = rule_of(request), request.query.get("q", "")[: search.LONGEST].strip()
    contact = await read_profile(desk, request.query["contact"][:60]) if request.query.get("contact") else None
    rows, following = await _rows(desk, rule, contact, key_of(request.query.get("after")))
    known: dict[str, Any] = {
        "rule": rule, "rows": rows, "following": following, "contact": contact, "people": await _people(desk, rows),
    }  # fmt: skip
    if request.headers.get("X-Fragment"):
        return fragment(request, "_decisions.html", **known)
    found, _ = await search.people(desk, asked) if asked and contact is None else ([], None)
    book = running(desk).bookcase.book
    return page(
        request, "rule_decisions.html", **known, asked=asked, found=found[:12], file=book.files[rule.id],
        mistakes=book.mistakes_in(book.files[rule.id]),
        explained=await explain(desk, rule, contact, texts_of(request)) if contact else None,
        **await frame(desk, agent),
    )  # fmt: skip


async def explain(desk: Desk, rule: Rule, profile: Profile, speaks: Texts) -> Explained:
    """Return what the rule would do for this contact now, and what stands against it. Nothing is written or sent."""
    rules, now, language = running(desk), desk.clock(), speaks.language
    policy, words = rules.gatekeeper.policy, rules.bookcase.book.names.vocabulary.words
    reader = Reader(desk.store, Ledgers(desk.store), zone=policy.zone)
    person = (await reader.persons([profile.id], Reads.of([rule]), now)).get(profile.id)
    if person is None:
        return Explained((bound(speaks).why("erased"),))
    names, event = events_of(rule.trigger), None
    if names:
        events = await _events(desk, profile, names)
        event = next((one for one in events if begins(rule, one, person.facts)), None)
        if event is None:
            when = beginning(rule, language, words)
            if not events:
                return Explained((speaks("What begins this rule never happened to them: {when}.", when=when),))
            said = speaks("It happened to them, but not as the rule asks: {when}.", when=when)
            return Explained((said,), event=events[0])
    clock = _clock(rule, profile, policy.zone, now, speaks)
    came = await verdict(
        rule,
        person,
        event,
        policy=policy,
        reaches=rules.gatekeeper.reaches,
        renders=rules.letters,
        prefers=most_reactive,
    )
    untrue = tuple(sentence(part, language, words) for part in came.untrue)
    return Explained((*clock, *_said(came, rule, speaks)), untrue, event)


def _clock(rule: Rule, profile: Profile, zone: tzinfo, now: datetime, speaks: Texts) -> tuple[str, ...]:
    """Return when a rule's clock strikes for this contact; a date of theirs may be unknown, or far away."""
    trigger = scheduled(rule)
    if trigger is None:
        return ()
    place = zone_of(profile, zone) if trigger.zone == "contact" else ZoneInfo(trigger.zone)
    if isinstance(trigger, OnDate) and date_of(profile.value(trigger.attribute), place) is None:
        return (speaks("The date it hangs on is not known of them: {name}.", name=trigger.attribute),)
    found = (one for one in firings(trigger, place, now, now + YEAR) if is_for(trigger, one, place, profile))
    strikes = next(found, None)
    if strikes is None:
        return (speaks("Its clock does not strike for them within a year."),)
    day, at = strikes.local.date(), strikes.local.time()
    when = f"{wording.day(day, speaks.language)}, {wording.hour(at, speaks.language)}"
    return (speaks("Its clock strikes next for them on {when}.", when=when),)


def _said(came: Verdict, rule: Rule, speaks: Texts) -> tuple[str, ...]:
    if came.reason == rule.state == "paused":
        return (speaks("The rule is paused: nobody gets it."),)
    if came.reason:
        said = bound(speaks).why(came.reason)
        return (said[:1].upper() + said[1:] + ".",)
    if came.run and came.run.is_ghost:
        return (speaks("They are held out, to measure by: decided and counted, never sent."),)
    if not came.outcomes:
        return (speaks("They would enter; the rule waits before its first message."),)
    return tuple(_outcome(step, outcome, speaks) for step, outcome in came.outcomes)


def _outcome(step: str, outcome: Outcome, speaks: Texts) -> str:
    match outcome:
        case Granted(channels=channels):
            said = speaks("If it began now, the message of step {step} would leave on {channels}.", step=step,
                          channels=", ".join(channels))  # fmt: skip
        case Held(reason=reason):
            why = bound(speaks).why(reason)
            said = speaks("If it began now, the message of step {step} would wait: {why}.", step=step, why=why)
        case Skipped(reason=reason):
            why = bound(speaks).why(reason)
            said = speaks("If it began now, the message of step {step} would not leave: {why}.", step=step, why=why)
    return said


async def _events(desk: Desk, profile: Profile, names: tuple[str, ...]) -> list[Event]:
    """Return the latest events of a contact that may begin a rule, the latest first."""
    where = {"profile": {"$in": [profile.id, *profile.absorbed]}, "name": {"$in": list(names)}}
    rows = await desk.store.find("events", where, sort=[("happened_at", -1)], limit=LOOKED_AT)
    return [from_document(Event, row) for row in rows]


async def _rows(
    desk: Desk, rule: Rule, contact: Profile | None, after: Key | None
) -> tuple[list[Document], str | None]:
    where: dict[str, Any] = {"rule": {"$eq": rule.id}}
    if contact:
        where["profile"] = {"$in": [contact.id, *contact.absorbed]}
    rows = await desk.store.find(
        DECISIONS, after_key(where, "at", after), sort=[("at", -1), ("_id", 1)], limit=PAGE + 1
    )
    return rows[:PAGE], str(Key(rows[PAGE - 1]["at"], rows[PAGE - 1]["_id"])) if len(rows) > PAGE else None


async def _people(desk: Desk, rows: list[Document]) -> Mapping[str, Profile]:
    found = await desk.store.get_many("profiles", {row["profile"] for row in rows}, only=NAMES)
    return {row["_id"]: from_document(Profile, row) for row in found}
