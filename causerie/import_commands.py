"""`causerie import profiles FILE.csv`: a file of customers taken over through the one writer, row by row, as often as one likes.

A server may run meanwhile. Rules hear nothing of the rows themselves; who comes to stand in a segment that a rule watches has
entered it, like everybody.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from admin.agents import audit_row
from admin.import_cells import DayOrder, Given, given
from admin.import_columns import Column, columns
from admin.importing import TRIED, Taken, work
from causerie.import_file import CsvFile, Unreadable
from causerie.options import Options
from causerie.progress import Progress
from channels import house
from profiles.calendar import utc_now
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.profile import Source
from profiles.snapshot import Done, Outcome, Refusal
from profiles.store import Store, Unavailable
from profiles.writer import Writer
from rules.book import Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import folder_of
from rules.vocabulary_file import Words

Say = Callable[[str], None]
AT_ONCE = 200
"""Rows that are offered to the writer together."""
TOLD_EVERY = 5_000
MOST_SHOWN = 100
_WHY: Mapping[str, str] = {
    "two_people": "its addresses are those of two people here, {0}. Hint: merge them in the console, or mend the row",
    "another_user": "this person has proved to be another user. Hint: mend the id, or the address that led to them",
    "erasing": "this person is just being erased",
    "too_many_identities": "this person has too many addresses, {0}",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asked to have taken over, and how it is to be read."""

    file: Path
    proved: Sequence[str] = ()
    """Spaces whose addresses are proved to be theirs."""
    named: Mapping[str, str] = field(default_factory=dict)
    """header -> what that column is, "" to leave it out."""
    source: Source = "declared"
    days: DayOrder = "year"
    encoding: str = "utf-8-sig"
    tries: bool = False
    """Whether nothing is to be written."""
    everything: bool = False
    """Show all refusals, not the first 100."""


@dataclass(slots=True)
class _Tally:
    """What became of the rows so far."""

    counted: Counter[str] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)
    """Of a trial, the addresses of those who would be new by now."""


async def import_profiles(options: Options, store: Store, wanted: Wanted, say: Say, progress: Progress) -> int:
    """Take over the file's rows and say what became of them; 1 when one was refused, or the file could not be read.

    Raises OSError.
    """
    file = CsvFile(wanted.file, wanted.encoding)
    try:
        header, total = await asyncio.to_thread(file.measure)
    except Unreadable as error:
        say(f"{wanted.file.name}: {error}")
        return 1
    found, faults = columns(header, _words(options), proved=wanted.proved, named=wanted.named)
    for line in (*faults, *(() if faults else found)):
        say(f"{wanted.file.name}: {line}" if faults else f"  {line}")
    if faults:
        return 1
    if not wanted.tries:
        await store.prepare(INDEXES)
        about, now = f"import:{wanted.file.name}", utc_now()
        await store.insert("audit", audit_row("people.imported", by="command", about=about, at=now, rows=total))
    writer = Writer(store, process=f"import-{secrets.token_hex(4)}")
    if secret := await store.get("settings", "secret"):
        writer.recent.hashes = Hashes(bytes(secret["value"]))  # who was erased comes back banned
    try:
        tally, stopped = await _taken(options, writer, wanted, found, total, say, progress)
    finally:
        await writer.close()
    _say_tally(tally, wanted, stopped, say)
    return 1 if stopped or tally["refused"] else 0


async def _taken(
    options: Options,
    writer: Writer,
    wanted: Wanted,
    found: Sequence[Column],
    total: int,
    say: Say,
    progress: Progress,
) -> tuple[Counter[str], int]:
    """Return what became of the rows, and the line at which the database gave no answer, 0 when it always did."""
    tally, done = _Tally(), 0
    rows = CsvFile(wanted.file, wanted.encoding).rows()
    while batch := list(islice(rows, AT_ONCE)):
        read = [(line, given(cells, found, country=options.server.country, days=wanted.days)) for line, cells in batch]
        good = [(line, row) for line, row in read if isinstance(row, Given)]
        for line, row in read:
            if not isinstance(row, Given):
                _refuse(tally, wanted, line, "; ".join(map(str, row)), say)
        works = (writer.commit(work(row, source=wanted.source, tries=wanted.tries)) for _, row in good)
        for (line, row), outcome in zip(good, await asyncio.gather(*works, return_exceptions=True), strict=True):
            if isinstance(outcome, Unavailable):
                return tally.counted, line
            if isinstance(outcome, BaseException):
                raise outcome
            _note(tally, wanted, line, row, outcome, say)
        if (done + len(batch)) // TOLD_EVERY > done // TOLD_EVERY:
            progress(f"{done + len(batch):,} of {total:,} rows")
        done += len(batch)
    return tally.counted, 0


def _note(tally: _Tally, wanted: Wanted, line: int, row: Given, outcome: Outcome, say: Say) -> None:
    match outcome:
        case Done(changes):
            taken: Taken = changes.answer
            tally.counted[taken.came_to] += 1
        case Refusal(reason, came_to) if reason == TRIED:
            was_met = came_to == "new" and not tally.met.isdisjoint(row.proved)
            tally.counted["changed" if was_met else came_to] += 1
            tally.met.update(row.proved if came_to == "new" else ())
        case Refusal(reason, detail):
            _refuse(tally, wanted, line, _WHY.get(reason, detail or reason).format(detail), say)


def _refuse(tally: _Tally, wanted: Wanted, line: int, why: str, say: Say) -> None:
    tally.counted["refused"] += 1
    if wanted.everything or tally.counted["refused"] <= MOST_SHOWN:
        say(f"{wanted.file.name}:{line}: {why}")


def _say_tally(tally: Counter[str], wanted: Wanted, stopped: int, say: Say) -> None:
    if tally["refused"] > MOST_SHOWN and not wanted.everything:
        say(f"... and {tally['refused'] - MOST_SHOWN:,} more refused. Hint: --all")
    counted = ", ".join(f"{tally[one]:,} {one}" for one in ("new", "changed", "unchanged", "refused"))
    say(f"Rows: {sum(tally.values()):,} ({counted})." + (" It was tried: nothing was written." if wanted.tries else ""))
    if stopped:
        say(
            f"Stopped at line {stopped}: the database did not confirm it. Hint: give the command again, it repeats nothing"
        )


def _words(options: Options) -> Words:
    around = Surroundings(channels=house.words(), zone=ZoneInfo(options.rules.zone), language=options.server.language)
    return read_book(read_folder(folder_of(options.rules)), around).words
