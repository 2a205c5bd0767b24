"""Every part of one process: opened in the order in which they need each other, closed in the opposite one."""

import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aiohttp import web

from admin.desk import Drafts
from admin.erasing import Erasing
from bot.answering import answerer, copy_of, folder_of, semantic_of
from bot.brain import Mind
from bot.idle import IdleReturn
from bot.live import LiveBrain, load_live
from bot.minds import drafting, mind_of
from bot.outside import Outside
from bot.reminders import Reminders
from bot.remote_actions import performer
from bot.workshop import Workshop
from causerie.options import Options
from channels import house
from channels.backlog import Backlog
from channels.channel import Channel, Door, Limits
from channels.inapp import InApp
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from channels.passing import Passing
from channels.shedding import Shedding, shedding
from channels.sweeper import Sweeper
from channels.wallet import Wallet
from channels.webchat import Webchat
from profiles.calendar import Clock
from profiles.consents import Consents
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.neighbours import Neighbours
from profiles.passes import Cards
from profiles.permits import Permits
from profiles.personal_links import PersonalLinks
from profiles.seals import Seals
from profiles.sole import release
from profiles.store import Store
from profiles.topics import Topic
from profiles.writer import Writer
from rules.book import Book
from rules.bookcase import PICTURES
from rules.choice import most_reactive
from rules.errands import Errands
from rules.policy import Reach
from rules.running import Running, open_rules
from rules.tracking import Tracker
from rules.wallet_errands import WalletErrands

if TYPE_CHECKING:
    from bot.actions import Actions
    from bot.remote_actions import RemoteActions


@dataclass(frozen=True, slots=True)
class Ground:
    """What everybody stands on: one database, one writer, one feed, one clock, one secret."""

    store: Store
    writer: Writer
    feed: Feed
    clock: Clock
    process: str
    """This process among those that share the database: hex digits, new at each start."""
    secret: bytes
    """This installation's own: made once, kept in the database, the same in every process."""
    personal: PersonalLinks
    neighbours: Neighbours


GROUND = web.AppKey("ground", Ground)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where messages come in and go out, and what people agreed to be sent."""

    channels: dict[str, Channel]
    listening: AsyncExitStack
    """Closes what listens to the outside, before all else ends."""
    shedding: Shedding
    back_door: BackDoor
    sweeper: Sweeper
    ledgers: Ledgers
    consents: Consents


@dataclass(frozen=True, slots=True)
class Bot:
    """Who answers, who runs its actions, and where people teach it."""

    brain: LiveBrain
    mind: Mind
    actions: "Actions | RemoteActions"
    workshop: Workshop | None
    """None where the answers come from elsewhere."""
    drafts: Drafts | None
    """Who proposes replies to agents; None where no language model is configured."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All of one process that the site is made of."""

    ground: Ground
    doors: Doors
    bot: Bot
    rules: Running


async def open_parts(options: Options, database_url: str, clock: Clock, opened: AsyncExitStack) -> Parts:
    """Open every part and start its tasks; `opened` closes them all.

    Raises what a part raises that can not start (a bot's ContentErrors, a channel's wrong token).
    """
    ground = await _lay_ground(options, database_url, clock, opened)
    brain = load_live(
        folder_of(options.bot, options.edits), options.models, semantic=semantic_of(options.bot), clock=clock
    )
    opened.push_async_callback(brain.close)
    mind = mind_of(options.bot, brain, options.llm, ground.store, clock)
    opened.push_async_callback(mind.close)
    book = _Book(options)
    doors = await _open_doors(options, ground, mind, book, opened)
    bot = await _wake_bot(options, ground, brain, mind, opened)
    doors.sweeper.on_look.append(ground.neighbours.see)
    await ground.neighbours.start()
    seals = Seals(ground.store, clock=clock)
    opened.push_async_callback(seals.close)
    await seals.start()
    rules = await _open_rules(options, ground, doors, opened)
    erasing = Erasing(ground.store, ground.writer, ground.feed, Hashes(ground.secret), clock=clock)
    opened.push_async_callback(erasing.close)
    doors.sweeper.bury(erasing.bury)
    await erasing.start()
    await doors.sweeper.start()  # whoever buries with it stands by now
    book.open(rules)
    await brain.start()
    if bot.workshop:
        await bot.workshop.start()
    return Parts(ground, doors, bot, rules)


async def _lay_ground(options: Options, database_url: str, clock: Clock, opened: AsyncExitStack) -> Ground:
    process = secrets.token_hex(6)
    store = Store(database_url, options.database)
    opened.push_async_callback(store.close)
    await store.prepare(INDEXES)
    secret = await _signing_secret(store)
    writer = Writer(store, process=process, clock=clock)
    writer.recent.hashes = Hashes(secret)
    feed = Feed()
    neighbours = Neighbours(store, writer, feed, clock=clock)
    opened.push_async_callback(neighbours.close)  # after the writer: the last commits are told, too
    opened.push_async_callback(writer.close)  # closed late: whoever closes before may still write
    writer.listen(feed.announce)
    has_wallet = getattr(options.channels.get(Wallet.name), "enabled", False)
    personal = PersonalLinks(secret, options.public_url, has_wallet=has_wallet)
    return Ground(store, writer, feed, clock, process, secret, personal, neighbours)


async def _signing_secret(store: Store) -> bytes:
    fresh = {"$setOnInsert": {"value": secrets.token_bytes(32)}}
    document = await store.change("settings", {"_id": "secret"}, fresh, upsert=True)
    assert document
    return bytes(document["value"])


class _Book:
    """The rule book, which is opened after the doors; nobody comes in through these before."""

    rules: Running | None = None

    def __init__(self, options: Options) -> None:
        self.cards = Cards(language=options.server.language, zone=ZoneInfo(options.rules.zone))

    def open(self, rules: Running) -> None:
        """Let those who came before the book know what is in it, now and whenever it changes."""
        self.rules = rules
        self.cards.images = rules.bookcase.folder / PICTURES
        self._deal(rules.bookcase.book)
        rules.bookcase.listen(self._deal)

    def _deal(self, book: Book) -> None:
        self.cards.known = book.cards

    def topics(self) -> Mapping[str, Topic]:
        """Return what people may agree to, as the book is now."""
        return self.rules.bookcase.book.policy.topics if self.rules else {}


async def _open_doors(options: Options, ground: Ground, mind: Mind, book: _Book, opened: AsyncExitStack) -> Doors:
    store, writer, clock, server = ground.store, ground.writer, ground.clock, options.server
    limits: dict[str, Limits] = {}
    front_door = FrontDoor(
        writer, store, answer=answerer(mind, one_conversation=options.bot.one_conversation), limits=limits,
        country=server.country, language=server.language, page=ground.personal.preferences,
    )  # fmt: skip
    opened.push_async_callback(front_door.close)
    ledgers = Ledgers(store)
    permits = Permits(store, ledgers, clock=clock)
    opened.push_async_callback(permits.close)  # after the back door: it still settles
    channels: dict[str, Channel] = {}
    back_door = BackDoor(channels, writer, clock=clock, permits=permits)
    sweeper = Sweeper(store, back_door, process=ground.process, clock=clock)
    sweeper.bury(partial(release, store))
    sweeper.on_look.append(back_door.count)
    passing = Passing(store, back_door, ground.feed.hints, process=ground.process)
    opened.push_async_callback(sweeper.close)  # after the back door: while it sends, our pulse says so
    opened.push_async_callback(back_door.close)
    opened.push_async_callback(Backlog(store, back_door, process=ground.process).close)
    opened.push_async_callback(passing.close)
    writer.listen(back_door.take)

    consents = Consents(store, ledgers, permits)
    gate = Shedding(server.shed_seconds)
    receive = shedding(front_door.receive, gate, limits)
    door = Door(
        receive, options.public_url, clock, store, writer, ground.feed, ground.secret, server.country,
        identity_secrets=options.identity_secrets(ground.secret), consents=consents, topics=book.topics,
        cards=book.cards,
    )  # fmt: skip
    channels.update(await house.connect(options.channels, door))
    show_inboxes(channels)
    listening = await opened.enter_async_context(AsyncExitStack())
    for channel in channels.values():
        listening.push_async_callback(channel.close)
        limits[channel.name] = channel.limits
    return Doors(channels, listening, gate, back_door, sweeper, ledgers, consents)


def show_inboxes(channels: Mapping[str, Channel]) -> None:
    """Let the web chat's open pages hear what comes into the inbox; channels do not know each other."""
    inbox, chat = channels.get("inapp"), channels.get("webchat")
    if isinstance(inbox, InApp) and isinstance(chat, Webchat):
        inbox.show, chat.has_inbox = chat.look, True


async def _wake_bot(options: Options, ground: Ground, brain: LiveBrain, mind: Mind, opened: AsyncExitStack) -> Bot:
    """Start all that the bot does beside answering: its outside acts, reminders, the way back from an idle agent."""
    store, writer, clock = ground.store, ground.writer, ground.clock
    actions = performer(options.bot)
    opened.push_async_callback(actions.close)
    outside = Outside(mind, actions, writer, store, clock=clock, one_conversation=options.bot.one_conversation)
    opened.push_async_callback(outside.close)
    writer.listen(outside.hear)
    await outside.start()
    idle = IdleReturn(writer, store, after=timedelta(minutes=options.bot.idle_minutes), clock=clock)
    opened.push_async_callback(idle.close)
    await idle.start()
    reminders = Reminders(brain, actions, writer, store, clock=clock)
    opened.push_async_callback(reminders.close)
    await reminders.start()
    drafts = drafting(options.llm, mind, brain, store, clock)
    if drafts is not None and drafts is not mind:
        opened.push_async_callback(drafts.close)
    return Bot(brain, mind, actions, _workshop(options, ground, brain, opened), drafts)


def _workshop(options: Options, ground: Ground, brain: LiveBrain, opened: AsyncExitStack) -> Workshop | None:
    if options.bot.brain != "embedded":
        return None
    workshop = Workshop(
        ground.store, brain, copy=copy_of(options.bot, options.edits), is_shipped=not options.bot.folder,
        clock=ground.clock,
    )  # fmt: skip
    opened.push_async_callback(workshop.close)
    return workshop


async def _open_rules(options: Options, ground: Ground, doors: Doors, opened: AsyncExitStack) -> Running:
    reaches = [Reach(channel.name, channel.space, channel.limits.threads) for channel in doors.channels.values()]
    rules = await open_rules(
        ground.store, ground.writer, reaches, most_reactive, options.rules, language=options.server.language,
        clock=ground.clock, tracker=Tracker(options.public_url, ground.secret), personal=ground.personal,
        words=house.words(), hints=ground.feed.hints,
    )  # fmt: skip
    opened.push_async_callback(rules.close)
    doors.sweeper.bury(rules.bury)
    await rules.start()
    errands = Errands(ground.store, options.rules, clock=ground.clock)
    opened.push_async_callback(errands.close)
    await errands.start()
    wallet = doors.channels.get(Wallet.name)
    passes = WalletErrands(
        ground.store, wallet.passes.keep if isinstance(wallet, Wallet) else None, clock=ground.clock
    )  # fmt: skip
    opened.push_async_callback(passes.close)
    await passes.start()
    return rules
