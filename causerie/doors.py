"""Where messages come in and go out: the channels, the front door, the back door, and whoever watches over what is sent."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from bot.answering import answerer
from bot.brain import Mind
from causerie.ground import Ground
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
from channels.webchat import Webchat
from profiles.consents import Consents
from profiles.ledgers import Ledgers
from profiles.passes import Cards
from profiles.permits import Permits
from profiles.sole import release
from profiles.topics import Topic
from rules.book import Book
from rules.book_folder import PICTURES
from rules.running import Running


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


class BookToCome:
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


async def open_doors(options: Options, ground: Ground, mind: Mind, book: BookToCome, opened: AsyncExitStack) -> Doors:
    """Open every channel that is switched on, behind the front door and before the back door; `opened` closes them.

    Raises what a channel raises that can not start (a wrong token). Nothing dead is buried before the sweeper is started.
    """
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
