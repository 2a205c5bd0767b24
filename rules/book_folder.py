"""The book's folder: which files it has, what they say, and how one is written so that nobody reads half of it."""

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from profiles.calendar import Clock
from profiles.findings import ContentError
from profiles.strict_yaml import LARGEST
from profiles.written import Place
from rules.book import CARDS, MOST_FILES, TEMPLATES

PICTURES = f"{CARDS}images"
PNG = b"\x89PNG\r\n\x1a\n"

Mark = tuple[int, int, int]
"""What changes when a file is written: its time in nanoseconds, its size, its number on the disk."""


def read_folder(folder: Path) -> Mapping[str, str]:
    """Return the texts of a book's folder by file name, without what is no text. Raises OSError, and ValueError: no folder."""
    return {file: text for file, text in _all_in(folder).items() if isinstance(text, str)}


def unreadable_in(folder: Path) -> tuple[ContentError, ...]:
    """Return what is wrong with the files of the book that are no text. Raises as `read_folder` does."""
    return tuple(error for error in _all_in(folder).values() if isinstance(error, ContentError))


def no_text(file: str, error: UnicodeDecodeError) -> ContentError:
    """Return the mistake of a file that is not written in UTF-8."""
    line = error.object.count(b"\n", 0, error.start) + 1
    return ContentError(
        Place(file, line, 1),
        "expected a text in UTF-8, got other bytes.",
        "save it as UTF-8",
        french="attendu un texte en UTF-8, trouvé d'autres octets.",
    )


def _all_in(folder: Path) -> Mapping[str, str | ContentError]:
    if not folder.is_dir():
        raise ValueError(f"rules.folder: expected a folder, got {folder}")
    return {file: _text_or_mistake(folder, file) for file, _ in marks_of(folder)}


def _text_or_mistake(folder: Path, file: str) -> str | ContentError:
    try:
        return text_in(folder / file)
    except UnicodeDecodeError as error:
        return no_text(file, error)


def pictures_in(folder: Path) -> frozenset[str]:
    """Return the pictures that cards may name: what begins as a PNG does in the book's folder passes/images."""
    return frozenset(path.name for path in (folder / PICTURES).glob("*.png") if _is_png(path))


def _is_png(path: Path) -> bool:
    try:
        with path.open("rb") as opened:
            return opened.read(len(PNG)) == PNG
    except OSError:
        return False


def marks_of(folder: Path) -> list[tuple[str, Mark]]:
    """Return each file of the book, of its templates and of its cards, with what changes when it is written."""
    found = [mark for inner in ("", TEMPLATES, CARDS) for mark in _marks_in(folder / inner, inner)]
    return sorted(found)[: MOST_FILES + 1]


def _marks_in(folder: Path, before: str) -> Iterator[tuple[str, Mark]]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".yml", ".yaml")) and not entry.name.startswith(".") and entry.is_file():
                stat = entry.stat()
                yield before + entry.name, (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def age_of(mark: Mark, clock: Clock) -> float:
    """Return how many seconds lie between now and a file's writing; a disk's clock may run ahead of ours."""
    return abs(clock().timestamp() - mark[0] / 1e9)


def write(path: Path, text: str, instead_of: Collection[str | None] | None = None) -> bool:
    """Write whole or not at all, one writer at a time; return whether the file said one of `instead_of` (None: no matter)."""
    path.parent.mkdir(exist_ok=True)
    with _alone_in(path.parent):
        if instead_of is not None and not _says_one_of(path, instead_of):
            return False
        aside = path.with_name(f".{path.name}.new")
        with aside.open("w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        aside.replace(path)
    return True


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold this folder's lock, which ends with whoever holds it: two who write one file at once must not mix their texts."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _says_one_of(path: Path, texts: Collection[str | None]) -> bool:
    try:
        return text_in(path) in texts
    except FileNotFoundError:
        return None in texts
    except UnicodeDecodeError:
        return False


def text_in(path: Path) -> str:
    """Return what a file says, no further than a text of the book may go. Raises OSError, UnicodeDecodeError."""
    with path.open("rb") as opened:
        return opened.read(LARGEST + 1).decode("utf-8-sig")
