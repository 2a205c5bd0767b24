"""All that is worth saying about a book before launch, gathered in one place for the terminal and the editor.

What people resent, what comes to nothing, what can not be written, what an SMS costs too much, what webhook never leaves.
Nothing of it refuses a file. Pure: what an SMS says of a message is the channels' matter, so `bodies` is passed in.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from rules.book import Book
from rules.fruitless import fruitless
from rules.intrusion import Warning, warnings
from rules.options import RulesOptions
from rules.proofreading import Unwritten, proofread
from rules.thrift import Bodies, Costly, costly
from rules.unreached import Unreached, unreached

Advice: TypeAlias = Warning | Unwritten | Costly | Unreached


def counsel(
    book: Book, now: datetime, options: RulesOptions, *, bodies: Bodies, words: Collection[str], file: str | None = None
) -> tuple[Advice, ...]:
    """Return what whoever launches the rules of this book should know; `words` name the channels that send SMS.

    With `file`, only what this file of the book says or writes.
    """
    of_rules: tuple[Warning | Unreached, ...] = (*warnings(book), *fruitless(book, now), *unreached(book, options))
    of_texts: tuple[Unwritten | Costly, ...] = (
        *proofread(book, now, file=file),
        *costly(book, now, bodies=bodies, words=words, file=file),
    )
    return (*(one for one in of_rules if file in (None, one.at.file)), *of_texts)


def weight(advice: Advice) -> str:
    """Return how much it matters: `warning`, or `note` for what is only worth knowing."""
    return "note" if isinstance(advice, Warning) and advice.is_note else "warning"
