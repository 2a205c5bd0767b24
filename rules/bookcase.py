"""Where the book stands: its folder, looked at every two seconds, and the last good text of each file, kept in the database.

A valid file swaps in whole; an invalid one leaves what was there before, also over a restart. Collection `rule_versions`: one row
per file and content, so that a run can end on the version it began with and people can see what changed.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from profiles.calendar import Clock
from profiles.every import Every
from profiles.findings import ContentError
from profiles.record import from_document
from profiles.store import Store
from profiles.written import Place
from rules.book import Book, Surroundings, bare
from rules.book_folder import Mark, age_of, marks_of, no_text, pictures_in, read_folder, text_in, unreadable_in, write
from rules.book_reading import read_book, reread
from rules.rule import Rule

log = logging.getLogger("rules.bookcase")

VERSIONS = "rule_versions"
LOOK_SECONDS = 2.0
SETTLED_SECONDS = 0.3  # a file younger than this may still be being written: it is read at the next look
MOST_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Version:
    """One good text of a file, and since when and by whose hand it was used."""

    id: str
    file: str
    text: str
    at: datetime
    """When it was last put to use; the latest of a file is its last good text."""
    first_at: datetime
    rule: str = ""
    """Empty for a house file."""
    version: str = ""
    by: str = "file"


@dataclass(frozen=True, slots=True)
class Ahead:
    """A book that was read before there was a database, and of what."""

    texts: Mapping[str, str]
    around: Surroundings
    book: Book


class Bookcase:
    """Keeps `book` up to date; whoever listens is told of every book that differs."""

    def __init__(
        self, folder: Path, store: Store | None, around: Surroundings, *, clock: Clock, ahead: Ahead | None = None
    ) -> None:
        self.book = Book()
        self._ahead = ahead
        self._store, self._around, self._clock = store, around, clock
        self.folder = folder
        self._marks: dict[str, Mark] = {}
        self._texts: dict[str, str] = {}
        self._broken: dict[str, ContentError] = {}
        self._good: dict[str, str] = {}
        self._stored: dict[str, str] = {}
        self._older: dict[tuple[str, str], str] = {}
        self._read: dict[tuple[str, str], Rule | None] = {}
        self._listeners: list[Callable[[Book], None]] = []
        self.on_saved: Callable[[str], None] = lambda file: None
        """Called with each file that is saved here (rules/following.py)."""
        self._looking = Every(LOOK_SECONDS, self.look, name="book")

    def listen(self, listener: Callable[[Book], None]) -> None:
        """Tell this listener of every book to come."""
        self._listeners.append(listener)

    async def open(self) -> Book:
        """Read the book for the first time: the folder, and for broken files what was good before. Raises Unavailable."""
        if self._store is not None:
            await self._recall(self._store)
        await self.look(at_once=True)
        return self.book

    async def start(self) -> None:
        """Begin to look for changed files."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop looking."""
        await self._looking.close()

    async def look(self, *, at_once: bool = False) -> None:
        """Read the files that changed; swap the book if it differs. `at_once`: also those that have only just been written."""
        if await asyncio.to_thread(self._take, at_once) or at_once:
            before = self.book
            book = self._read_ahead()
            if book is None:
                book = await asyncio.to_thread(read_book, dict(self._texts), self._around, dict(self._good), before)
            self._use(replace(book, mistakes=(*self._broken.values(), *book.mistakes)))
            for error in self.book.mistakes:
                if error not in before.mistakes:
                    log.warning("book.mistake place=%s", error.at)
            if self.book != before:
                log.info("book.read rules=%d mistakes=%d", len(self.book.rules), len(self.book.mistakes))
                for listener in self._listeners:
                    listener(self.book)
        if self._store is not None:
            await self._remember(self._store)

    def at(self, rule: str, version: str) -> Rule | None:
        """Return a rule at a version: the one in use, or one that was good once; None when nobody remembers it."""
        now = self.book.rules.get(rule)
        if now is not None and now.version == version:
            return now
        key = (rule, version)
        if key not in self._read:
            text = self._older.get(key)
            self._read[key] = reread(text, rule, self.book.names) if text else None
            if text and self._read[key] is None:
                log.warning("book.older_version unreadable rule=%s version=%s", rule, version)
        return self._read[key]

    def text_of(self, file: str) -> str | None:
        """Return what a file says now, right or wrong, as it was last looked at; None when there is no such file."""
        return self._texts.get(file)

    @property
    def files(self) -> tuple[str, ...]:
        """Return the names of all files of the book, in order."""
        return tuple(sorted({*self._texts, *self._broken}))

    async def check(self, file: str, text: str) -> tuple[ContentError, ...]:
        """Return what would be wrong in this file if it had this text: for an editor, while somebody writes."""
        return (await self.tried(file, text)).mistakes_in(file)

    async def tried(self, file: str, text: str) -> Book:
        """Return the book as it would be if this file had this text; nothing uses it."""
        texts = {**self._texts, file: text}
        return await asyncio.to_thread(read_book, texts, self._around, dict(self._good), self.book)

    async def save(
        self, file: str, text: str, *, by: str, instead_of: Collection[str | None] | None = None
    ) -> tuple[ContentError, ...] | None:
        """Write a file of the book and use it at once; with mistakes in it nothing is written, and they are returned.

        `instead_of` are the texts that may be written over (None: no file): when the file says another by now, nothing is
        written and None is returned, however many save at once, in whatever process.
        """
        name = bare(file)
        if Path(name).name != name or not name.endswith(".yml") or name.startswith("."):
            return (ContentError(Place(file), f'expected a file name such as birthday.yml, got "{file[:80]}".'),)
        if found := await self.check(file, text):
            return found
        if not await asyncio.to_thread(write, self.folder / file, text, instead_of):
            return None
        await self.look(at_once=True)
        if self._store is not None:
            saved = {"by": by, "saved_at": self._clock()}
            await self._store.change(VERSIONS, {"_id": _row_id(file, text)}, {"$set": saved})
            self.on_saved(file)
        return ()

    async def versions(self, rule: str) -> tuple[Version, ...]:
        """Return the remembered versions of a rule, the latest first."""
        if self._store is None:
            return ()
        rows = await self._store.find(VERSIONS, {"rule": {"$eq": rule}}, sort=[("at", -1)], limit=100)
        return tuple(from_document(Version, row) for row in rows)

    def _take(self, at_once: bool) -> bool:
        """Read the files whose mark changed; return whether anything did. In a thread: disks may be slow."""
        pictures = pictures_in(self.folder)
        has_others = pictures != self._around.pictures
        self._around = replace(self._around, pictures=pictures)
        marks = dict(marks_of(self.folder))
        changed = {file for file, mark in marks.items() if self._marks.get(file) != mark}
        gone = set(self._marks) - set(marks)
        for file in changed:
            if not at_once and age_of(marks[file], self._clock) < SETTLED_SECONDS:
                continue
            self._marks[file] = marks[file]
            self._keep(file)
        for file in gone:
            del self._marks[file]
            self._texts.pop(file, None)
            self._broken.pop(file, None)
            self._good.pop(file, None)  # who takes a file away means it
        return bool(changed or gone or has_others)

    def _read_ahead(self) -> Book | None:
        """Return, once, the book that was read ahead of the same files; with mistakes in it the last good texts are asked, too."""
        ahead, self._ahead = self._ahead, None
        is_same = ahead and not ahead.book.mistakes and (ahead.texts, ahead.around) == (self._texts, self._around)
        return ahead.book if ahead and is_same and not self._broken else None

    def _keep(self, file: str) -> None:
        self._broken.pop(file, None)
        try:
            self._texts[file] = text_in(self.folder / file)
        except OSError as error:
            self._break(file, ContentError(Place(file), f"expected a text in UTF-8, got {error.strerror}."))
        except UnicodeDecodeError as error:
            self._break(file, no_text(file, error))

    def _break(self, file: str, mistake: ContentError) -> None:
        """Note that the file can not be read; what was good before goes on."""
        self._texts.pop(file, None)
        if file in self._good:
            self._texts[file] = self._good[file]
        self._broken[file] = mistake

    async def _recall(self, store: Store) -> None:
        rows = await store.find(VERSIONS, {}, sort=[("at", -1)], limit=MOST_REMEMBERED)
        for row in rows:
            version = from_document(Version, row)
            self._good.setdefault(version.file, version.text)
            if version.rule:
                self._older.setdefault((version.rule, version.version), version.text)

    def _use(self, book: Book) -> None:
        self.book = book
        for file, text in book.texts.items():
            self._good[file] = text
        for rule, file in book.files.items():
            self._older[rule, book.rules[rule].version] = book.texts[file]

    async def _remember(self, store: Store) -> None:
        """Keep every text that came into use; what an absent database did not take is offered at the next look."""
        rules = {file: self.book.rules[rule] for rule, file in self.book.files.items()}
        for file, text in self.book.texts.items():
            if self._stored.get(file) == text or self._texts.get(file) != text:
                continue
            now, rule = self._clock(), rules.get(file)
            put = {"file": file, "text": text, "at": now, "rule": rule.id if rule else ""}
            put["version"] = rule.version if rule else digest(text)
            update = {"$set": put, "$setOnInsert": {"first_at": now}}
            await store.change(VERSIONS, {"_id": _row_id(file, text)}, update, upsert=True)
            self._stored[file] = text


def read_ahead(folder: Path, around: Surroundings) -> Ahead | None:
    """Return the book of a folder as it is now; None when it can not be read: who opens the bookcase is told why."""
    try:
        if unreadable_in(folder):
            return None
        texts, around = read_folder(folder), replace(around, pictures=pictures_in(folder))
    except (OSError, ValueError):
        return None
    return Ahead(texts, around, read_book(texts, around))


def _row_id(file: str, text: str) -> str:
    return f"{file}@{digest(text)}"


def digest(text: str) -> str:
    """Return what tells one text of a file from another."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
