"""`causerie preview` and `causerie simulate`: what the rules would do, told before anybody gets anything. Nothing is written."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from causerie.options import Options
from causerie.progress import Progress
from causerie.rehearsal_preview import say_cost, say_preview
from causerie.rehearsal_simulation import Days, say_simulation
from causerie.rehearsal_wish import Wish
from causerie.rule_commands import Say, advised, unknown_rule
from channels import house
from profiles.audience import count, stream
from profiles.calendar import utc_now
from profiles.store import Store
from rules.book import Book, Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.cast import cast
from rules.choice import most_reactive
from rules.letters import Letters
from rules.options import folder_of
from rules.policy import Reach, Reaches
from rules.recall import Recalled, recall
from rules.rehearsal import Stage, replayed
from rules.rule import Rule
from rules.sms_cost import SAMPLED

SAMPLE = 5
LONGEST_DAYS = 366


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
    await say_preview(stage, rule, recalled, wish, say, now=now, total=total)
    _say_advice(stage, rule, options, wish, say, now)
    if not wish.contact and not wish.as_json:
        some, _ = await _chosen(store, stage.book, rule, wish, now, SAMPLED)
        await say_cost(stage, rule, await recall(store, stage.editions(rule.id), since=now, until=now, only=some), wish,
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
    await say_preview(stage, rule, Recalled(contacts, ()), wish, say, now=now, total=None)
    _say_advice(stage, rule, options, wish, say, now)
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
    days = Days(progress, since, until)
    rehearsed = await replayed(
        stage, editions, recalled, since=since, until=until, rule=wish.rule, passing=days.passing
    )
    say_simulation(rehearsed, stage, wish, say, since=since, until=until)
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


def _say_advice(stage: Stage, rule: Rule, options: Options, wish: Wish, say: Say, now: datetime) -> None:
    """Say what is worth knowing of the rule before launch, as `causerie check` and the editor do."""
    advice = () if wish.as_json else advised(stage.book, options.rules, now, rule.id)
    if advice:
        say("")
    for one in advice:
        say(f"! {one.told(wish.language)}")


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
