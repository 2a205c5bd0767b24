"""The rules of one process, wired: the book and what watches it, the engine, the schedules. The app opens it and closes it."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from profiles.brakes import Brakes
from profiles.calendar import Clock
from profiles.every import Every
from profiles.expression import Expression, parse
from profiles.hints import Hints
from profiles.ledgers import Ledgers
from profiles.personal_links import PersonalLinks
from profiles.store import Store
from profiles.writer import Writer
from rules.book import Book, Surroundings
from rules.bookcase import Ahead, Bookcase
from rules.choice import Prefers
from rules.direct import reread_direct
from rules.engine import Engine
from rules.following import Following
from rules.gatekeeper import Gatekeeper, Renders
from rules.graph import graph
from rules.learning import Learning
from rules.letters import Letters
from rules.membership import SWEEP_SECONDS, Sweep
from rules.occurrences import Occurrences
from rules.options import RulesOptions, folder_of
from rules.personal import examples, links_of
from rules.policy import Policy, Reach, Reaches
from rules.reaction import Reaction
from rules.reading import Reader
from rules.rule import Rule
from rules.rule_trigger import OnSegment
from rules.run import Run
from rules.thinking import Edition, Editions
from rules.tracking import Tracker
from rules.turn import News, Turn
from rules.winner import Winners

LEARN_SECONDS = 1.0
WINNER_SECONDS = 30.0
BRAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """What the console, the API and the tests reach of the rules."""

    bookcase: Bookcase
    engine: Engine
    occurrences: Occurrences
    gatekeeper: Gatekeeper
    letters: Letters
    turn: Turn
    sweep: Sweep
    learning: Learning
    winners: Winners
    options: RulesOptions
    _looking: tuple[Every | Following, ...]
    _opened: AsyncExitStack

    async def start(self) -> None:
        """Begin to work, to keep time and to watch the book's files."""
        await self.engine.start()
        await self.occurrences.start()
        await self.bookcase.start()
        for looking in self._looking:
            await looking.start()

    async def bury(self, process: str) -> None:
        """Free what this process held: it is dead. May be called again."""
        await self.engine.bury(process)
        await self.occurrences.bury(process)

    async def close(self) -> None:
        """Stop; what is left is found by the next process."""
        await self._opened.aclose()


async def open_rules(
    store: Store,
    writer: Writer,
    reaches: Iterable[Reach],
    prefers: Prefers,
    options: RulesOptions,
    *,
    language: str,
    clock: Clock,
    renders: Renders | None = None,
    tracker: Tracker | None = None,
    personal: PersonalLinks | None = None,
    words: frozenset[str] | None = None,
    hints: Hints | None = None,
    ahead: Ahead | None = None,
) -> Running:
    """Read the book and return its rules, not begun yet. Raises Unavailable; a broken file is told, and stops nobody.

    `words` are those that a file may call a channel by, connected here or not; None: those of `reaches`. `ahead` is the book
    as it was read before; what differs is read again.
    """
    zone, known = ZoneInfo(options.zone), Reaches(reaches)
    around = Surroundings(known.words if words is None else words, zone=zone, language=language)
    bookcase = Bookcase(folder_of(options), store, around, clock=clock, ahead=ahead)
    reaction = Reaction(writer.process)
    writer.react(reaction)
    ledgers = Ledgers(store)

    def rule_of(run: Run) -> Rule | None:
        return bookcase.book.rules.get(run.rule) or reread_direct(run.rule, run.rule_version)

    def topic_of(run: Run) -> str:
        found = rule_of(run)
        return found.topic if found else ""

    def is_marketing(run: Run) -> bool:
        """Return whether its mails must show a way out; so they do when its rule is in no book any more."""
        found = rule_of(run)
        return personal is not None and (found is None or found.kind == "marketing")

    links = links_of(personal, topic_of) if personal else examples
    letters = Letters({}, language=language, links=links, is_marketing=is_marketing)
    winners = Winners(store, clock=clock)
    brakes = Brakes(store, clock)
    gatekeeper = Gatekeeper(
        ledgers, renders or letters, known, policy=Policy(zone=zone, language=language), prefers=prefers,
        tracker=tracker, winners=winners, brakes=brakes,
    )  # fmt: skip
    turn = Turn(Reader(store, ledgers, zone=zone), writer, gatekeeper, clock=clock)
    engine = Engine(store, turn, reaction, process=writer.process, clock=clock)
    writer.listen(engine.hear)
    occurrences = Occurrences(store, engine, process=writer.process, zone=zone, clock=clock)

    sweep = Sweep(store, lambda profile: engine.tell(News(profile)), turn, zone=zone, clock=clock)

    def use(book: Book) -> None:
        gatekeeper.policy, letters.templates = book.policy, book.templates
        winners.use(book.rules.values())
        engine.use(editions_of(book, bookcase))

    bookcase.listen(use)
    use(await bookcase.open())
    following = Following(bookcase, store, hints or Hints())
    await following.look()
    opened = AsyncExitStack()
    opened.push_async_callback(engine.close)
    opened.push_async_callback(occurrences.close)
    opened.push_async_callback(bookcase.close)
    learning = Learning(store, writer, zone=zone, clock=clock)
    writer.listen(learning.hear)
    looking = (
        Every(SWEEP_SECONDS, sweep.look, name="segments"),
        Every(LEARN_SECONDS, learning.look, name="reactivity"),
        Every(WINNER_SECONDS, winners.look, name="winners"),
        Every(BRAKE_SECONDS, brakes.look, name="brakes"),
        following,
    )
    for one in looking:
        opened.push_async_callback(one.close)
    return Running(
        bookcase, engine, occurrences, gatekeeper, letters, turn, sweep, learning, winners, options, looking, opened
    )  # fmt: skip


def editions_of(book: Book, bookcase: Bookcase | None = None) -> Editions:
    """Return the rules of a book ready to be walked; a case also remembers those that runs began with."""
    older: dict[tuple[str, str], Edition | None] = {}

    def remembered(rule: str, version: str) -> Edition | None:
        if direct := reread_direct(rule, version):
            return Edition(direct, graph(direct.steps))
        if bookcase is None:
            return None
        if (rule, version) not in older:
            found = bookcase.at(rule, version)
            state = book.rules[rule].state if rule in book.rules else "paused"
            # an older version goes on with the steps it had, and stops when its rule is paused today
            older[rule, version] = Edition(replace(found, state=state), graph(found.steps)) if found else None
        return older[rule, version]

    current = {id: Edition(rule, graph(rule.steps)) for id, rule in book.rules.items()}
    return Editions(current, remembered, control=book.policy.control, segments=watched_segments(book))


def watched_segments(book: Book) -> dict[str, Expression]:
    """Return the conditions of the segments that some rule is about entering or leaving."""
    names = {rule.trigger.segment for rule in book.rules.values() if isinstance(rule.trigger, OnSegment)}
    vocabulary = book.names.vocabulary
    read = {name: parse(vocabulary.segments[name], vocabulary) for name in names if name in vocabulary.segments}
    return {name: condition for name, condition in read.items() if isinstance(condition, Expression)}
