"""What people wrote, read before anything is opened: the bot, learned or recalled, and the rule book. No database is needed."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.answering import folder_of, semantic_of
from bot.live import LiveBrain, load_live
from causerie.options import Options
from channels import house
from profiles.calendar import Clock, utc_now
from rules.book import Surroundings
from rules.bookcase import Ahead, read_ahead
from rules.options import folder_of as book_folder_of


@dataclass(frozen=True, slots=True)
class Content:
    """What a start reads of the files while its database begins."""

    brain: LiveBrain
    book: Ahead | None = None
    """None: the book is read when the rules are opened."""


def read_content(options: Options, clock: Clock = utc_now) -> Content:
    """Return the bot and the book of these options. Raises ContentErrors with everything that is wrong in the bot's files."""
    bot, around = (
        options.bot,
        Surroundings(house.words(), zone=ZoneInfo(options.rules.zone), language=options.server.language),
    )
    brain = load_live(folder_of(bot, options.edits), options.models, semantic=semantic_of(bot), clock=clock)
    return Content(brain, read_ahead(book_folder_of(options.rules), around))
