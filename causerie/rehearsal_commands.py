"""`causerie preview` and `causerie simulate`: what the rules would do, told before anybody gets anything. Nothing is written."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from admin.texts import texts
from causerie.options import Options
from causerie.progress import Progress
from causerie.rehearsal_words import counted, number, said
from causerie.rule_commands import Say, unknown_rule
from channels import house
from channels.sms_text import bodies
from profiles.audience import count, stream
from profiles.calendar import utc_now
from profiles.store import Store
from rules.book import Book, Surroundings, read_book
from rules.book_folder import read_folder
from rules.cast import TRAITS, cast
from rules.choice import most_reactive
from rules.letters import Letters
from rules.memory import MemoryReader
from rules.options import folder_of
from rules.policy import Reach, Reaches
from rules.reasons import spoken
from rules.recall import MOST_CONTACTS, Recalled, recall
from rules.rehearsal import Rehearsed, Stage, Told, replayed, tried
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.sms_cost import SAMPLED, Estimate, estimate

SAMPLE = 5
AHEAD = timedelta(days=30)
"""How far a preview looks: the second message of most rules is within it."""
SHOWN = 40
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked to see."""

    rule: str = ""
    contact: str = ""
    """A profile's id, or an address such as email:anna@example.org."""
    days: int = 30
    ahead: int = 0
    language: str = "en"
    as_json: bool = False
    everything: bool = False
    """All rows, not the first 40."""


async def preview(options: Options, store: Store, wish: Wish, say: Say, now: datetime | None = None) -> int:
    """Say how many a rule is for, and what some of them would get; 1 when there is no such rule or contact."""
    now = now or utc_now()
    stage = stage_of(options)
    rule = stage.book.rules.get(wish.rule)
    if rule is None:
        return unknown_rule(stage.book, wish.rule, say)
    ids, total = await _chosen(store, stage.book, rule, wish, now)
    if not ids:
        say(_nobody(wish))
        return 1 if wish.contact else 0
    recalled = await recall(store, stage.editions(rule.id), since=now, until=now, only=ids)
    await _say_preview(stage, rule, recalled, wish, say, now=now, total=total)
    if not wish.contact and not wish.as_json:
        some, _ = await _chosen(store, stage.book, rule, wish, now, SAMPLED)
        await _say_cost(stage, rule, await recall(store, stage.editions(rule.id), since=now, until=now, only=some), wish,
                        say, now=now, total=total)  # fmt: skip
    return 0


async def preview_cast(options: Options, wish: Wish, say: Say, now: datetime | None = None) -> int:
    """Say what people who do not exist would get of a rule: no database is asked."""
    now = now or utc_now()
    stage = stage_of(options)
    rule = stage.book.rules.get(wish.rule)
    if rule is None:
        return unknown_rule(stage.book, wish.rule, say)
    contacts = cast(stage.book.policy.topics.values(), now)
    await _say_preview(stage, rule, Recalled(contacts, ()), wish, say, now=now, total=None)
    return 0


async def simulate(
    options: Options, store: Store, wish: Wish, say: Say, progress: Progress, now: datetime | None = None
) -> int:
    """Say who would have got what in the last days, or will get in the next ones, and which limit stopped whom."""
    now = now or utc_now()
    stage = stage_of(options)
    if wish.rule and wish.rule not in stage.book.rules:
        return unknown_rule(stage.book, wish.rule, say)
    if not (0 < max(wish.days, wish.ahead) <= LONGEST_DAYS):
        say(f"expected 1 to {LONGEST_DAYS} days, got {max(wish.days, wish.ahead)}.")
        return 1
    editions = stage.editions(wish.rule)
    if not editions.current:
        say("No rule of the book is live. Hint: causerie simulate --rule <name> plays a draft as if it were.")
        return 1
    since, until = (now, now + timedelta(days=wish.ahead)) if wish.ahead else (now - timedelta(days=wish.days), now)
    only = await _found(store, wish.contact) if wish.contact else ()
    if wish.contact and not only:
        say(_nobody(wish))
        return 1
    recalled = await recall(
        store, editions, since=since, until=now, only=only,
        counting=lambda done: progress(f"Reading: {done:,} contacts"),
    )  # fmt: skip
    days = _Days(progress, since, until)
    rehearsed = await replayed(
        stage, editions, recalled, since=since, until=until, rule=wish.rule, passing=days.passing
    )
    if wish.as_json:
        say(_as_json(rehearsed, since, until))
    else:
        _say_rehearsed(rehearsed, stage, wish, say, since=since, until=until)
    return 0


def stage_of(options: Options) -> Stage:
    """Return the book with the channels that are switched on; with none, as if all that there are were."""
    language, zone = options.server.language, ZoneInfo(options.rules.zone)
    around = Surroundings(house.words(), zone=zone, language=language)
    book = read_book(read_folder(folder_of(options.rules)), around)
    spaces = house.spaces()
    enabled = [name for name in spaces if getattr(options.channels.get(name), "enabled", False)]
    reaches = Reaches(Reach(name, spaces[name]) for name in enabled or spaces)
    return Stage(book, reaches, Letters(book.templates, language=language), most_reactive)


# -- whom


async def _chosen(
    store: Store, book: Book, rule: Rule, wish: Wish, now: datetime, many: int = SAMPLE
) -> tuple[Sequence[str], int | None]:
    """Return whose preview is made, and how many the rule is for (None: nobody counted)."""
    if wish.contact:
        return await _found(store, wish.contact), None
    if rule.audience is None:
        total = await store.count("profiles", {"merged_into": None})
        some = await store.find("profiles", {"merged_into": None}, sort=[("_id", 1)], limit=many, only=["_id"])
        return [one["_id"] for one in some], total
    if not rule.audience.needs.is_of_profile:
        some = await store.find("profiles", {"merged_into": None}, sort=[("_id", 1)], limit=many, only=["_id"])
        return [one["_id"] for one in some], None
    audience = rule.audience.audience(now, book.policy.zone)
    async for ids in stream(store, audience, at_once=many):
        return ids, await count(store, audience)
    return (), 0


async def _found(store: Store, contact: str) -> Sequence[str]:
    """Return the profile with this id or address, whichever it is."""
    if await store.get("profiles", contact):
        return (contact,)
    identity = await store.get("identities", contact)
    if identity:
        return (str(identity["profile"]),)
    some = await store.find("profiles", {"identities.address": {"$eq": contact}}, limit=1, only=["_id"])
    return tuple(str(one["_id"]) for one in some)


def _nobody(wish: Wish) -> str:
    if wish.contact:
        return (
            f'expected a contact, got "{wish.contact}". Hint: a profile\'s id, or an address such as anna@example.org'
        )
    return f"{wish.rule}: nobody is in its audience now."


# -- a preview, said


async def _say_preview(
    stage: Stage, rule: Rule, recalled: Recalled, wish: Wish, say: Say, *, now: datetime, total: int | None
) -> None:
    inside = {
        id: rule.audience is None or _is_inside(stage, recalled, rule, id, now) for id in recalled.contacts.profiles
    }
    rehearsed = await tried(stage, recalled.contacts, rule.id, now=now, ahead=AHEAD)
    if wish.as_json:
        say(json.dumps({"rule": rule.id, "audience": total, "told": [_plain(row) for row in rehearsed.told]}, indent=2))
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
        trait = TRAITS.get(id, {}).get(wish.language, "")
        say("")
        say(f"{profile.name or id}" + (f" ({trait})" if trait else ""))
        rows = [row for row in rehearsed.told if row.profile == id]
        if not rows:
            why = "gets nothing: nothing began" if inside[id] else "gets nothing: not in the rule's audience"
            say(f"  {said(speaks, why)}")
        for row in rows:
            for line in _lines(row, stage, wish.language):
                say(f"  {line}")


async def _say_cost(
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


def _is_inside(stage: Stage, recalled: Recalled, rule: Rule, id: str, now: datetime) -> bool:
    reader = MemoryReader(recalled.contacts, zone=stage.book.policy.zone)
    person = reader.person(recalled.contacts.profiles[id], now)
    return rule.audience is None or rule.audience.test(person.facts)


def _lines(row: Told, stage: Stage, language: str) -> Iterable[str]:
    said = spoken(row.reason, language)
    where = f" {row.channel}" if row.channel else ""
    variant = f" [{row.variant}]" if row.variant else ""
    yield f"{_when(row.at, stage)}  {said}{where}{variant}"
    if row.title:
        yield f"    {row.title}"
    yield from (f"    {line}" for line in row.text.splitlines()[:12])


# -- a simulation, said


def _say_rehearsed(
    rehearsed: Rehearsed, stage: Stage, wish: Wish, say: Say, *, since: datetime, until: datetime
) -> None:
    zone, speaks = stage.book.policy.zone, wish.language
    say(
        said(
            speaks,
            "{since} to {until} ({zone}): {contacts}, {events}, {decisions}. Nothing was sent or written.",
            since=f"{since.astimezone(zone):%Y-%m-%d}",
            until=f"{until.astimezone(zone):%Y-%m-%d}",
            zone=str(zone),
            contacts=counted(speaks, rehearsed.contacts, "contact"),
            events=counted(speaks, rehearsed.events, "event"),
            decisions=counted(speaks, len(rehearsed.told), "decision"),
        )
    )
    if rehearsed.contacts >= MOST_CONTACTS:
        most = counted(speaks, MOST_CONTACTS, "contact")
        say(said(speaks, "Only the first {contacts} were played.", contacts=most))
    shown = rehearsed.told if wish.everything or wish.contact else rehearsed.told[:SHOWN]
    if shown:
        say("")
    rules = max((len(row.rule) for row in shown), default=0)
    names = min(max((len(row.name) for row in shown), default=0), 24)
    for row in shown:
        text = f': "{" ".join(row.text.split())[:60]}"' if row.text else ""
        where = f" {row.channel}" if row.channel else ""
        say(
            f"{_when(row.at, stage)}  {row.name[:24]:<{names}}  {row.rule:<{rules}}  "
            f"{spoken(row.reason, wish.language)}{where}{text}"
        )
    if len(shown) < len(rehearsed.told):
        rest = number(speaks, len(rehearsed.told) - len(shown))
        say(said(speaks, "... and {rows} more. Hint: --all, --rule, --contact or --json", rows=rest))
    say("")
    _say_totals(rehearsed, wish.language, say)


def _say_totals(rehearsed: Rehearsed, language: str, say: Say) -> None:
    rules = sorted({row.rule for row in rehearsed.told})
    width = max((len(rule) for rule in rules), default=0)
    if rules:
        columns = ("rule", "sent", "waits", "not sent", "why not, most often")
        rule, sent, waits, refused, reason = (said(language, title) for title in columns)
        say(f"{rule:<{width}}  {sent:>7} {waits:>6} {refused:>8}  {reason}")
    for rule in rules:
        found = rehearsed.of_rule(rule)
        sums = {verdict: sum(reasons.values()) for verdict, reasons in found.items()}
        why = sorted(found.get("not sent", {}).items(), key=lambda one: (-one[1], one[0]))[:3]
        words = ", ".join(f"{spoken(reason, language)} {times}" for reason, times in why)
        say(
            f"{rule:<{width}}  {sums.get('sent', 0):>7} {sums.get('waits', 0):>6} {sums.get('not sent', 0):>8}  {words}"
        )


def _as_json(rehearsed: Rehearsed, since: datetime, until: datetime) -> str:
    rules = sorted({row.rule for row in rehearsed.told})
    return json.dumps(
        {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "contacts": rehearsed.contacts,
            "events": rehearsed.events,
            "rules": {rule: rehearsed.of_rule(rule) for rule in rules},
            "told": [_plain(row) for row in rehearsed.told],
        },
        indent=2,
        ensure_ascii=False,
    )


def _plain(row: Told) -> dict[str, Any]:
    return {name: value for name, value in {**asdict(row), "at": row.at.isoformat()}.items() if value != ""}


def _when(at: datetime, stage: Stage) -> str:
    return f"{at.astimezone(stage.book.policy.zone):%Y-%m-%d %H:%M}"


@dataclass(slots=True)
class _Days:
    """Says on the terminal how far a long rehearsal is: each tenth of its days."""

    progress: Callable[[str], None]
    since: datetime
    until: datetime
    told: int = 0

    def passing(self, now: datetime) -> None:
        done = int(10 * ((now - self.since) / (self.until - self.since)))
        if done > self.told:
            self.told = done
            self.progress(f"Playing: {now:%Y-%m-%d}, {done * 10} %")
