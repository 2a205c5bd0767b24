"""Every part of one process: opened in the order in which they need each other, closed in the opposite one."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from admin.desk import Drafts
from admin.erasing import Erasing
from bot.answering import copy_of
from bot.brain import Mind
from bot.idle import IdleReturn
from bot.live import LiveBrain
from bot.minds import drafting, mind_of
from bot.outside import Outside
from bot.reminders import Reminders
from bot.remote_actions import performer
from bot.workshop import Workshop
from causerie.contents import Content, read_content
from causerie.doors import BookToCome, Doors, open_doors
from causerie.ground import Ground, lay_ground
from causerie.options import Options
from channels import house
from channels.wallet import Wallet
from profiles.calendar import Clock
from profiles.erased import Hashes
from profiles.seals import Seals
from rules.bookcase import Ahead
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


async def open_parts(
    options: Options, database_url: str, clock: Clock, opened: AsyncExitStack, content: Content | None = None
) -> Parts:
    """Open every part and start its tasks; `opened` closes them all.

    Raises what a part raises that can not start (a bot's ContentErrors, a channel's wrong token).
    """
    ground = await lay_ground(options, database_url, clock, opened)
    content = content or read_content(options, clock)
    brain = content.brain
    opened.push_async_callback(brain.close)
    mind = mind_of(options.bot, brain, options.llm, ground.store, clock)
    opened.push_async_callback(mind.close)
    book = BookToCome(options)
    doors = await open_doors(options, ground, mind, book, opened)
    bot = await _wake_bot(options, ground, brain, mind, opened)
    doors.sweeper.on_look.append(ground.neighbours.see)
    await ground.neighbours.start()
    seals = Seals(ground.store, clock=clock)
    opened.push_async_callback(seals.close)
    await seals.start()
    rules = await _open_rules(options, ground, doors, content.book, opened)
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


async def _open_rules(
    options: Options, ground: Ground, doors: Doors, book: Ahead | None, opened: AsyncExitStack
) -> Running:
    reaches = [Reach(channel.name, channel.space, channel.limits.threads) for channel in doors.channels.values()]
    rules = await open_rules(
        ground.store, ground.writer, reaches, most_reactive, options.rules, language=options.server.language,
        clock=ground.clock, tracker=Tracker(options.public_url, ground.secret), personal=ground.personal,
        words=house.words(), hints=ground.feed.hints, ahead=book,
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
