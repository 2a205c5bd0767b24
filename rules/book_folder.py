"""The book's folder: which files it has, what they say, and how one is written so that nobody reads half of it."""

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from profiles.calendar import Clock
from profiles.strict_yaml import LARGEST
from rules.book import CARDS, MOST_FILES, TEMPLATES

PICTURES = f"{CARDS}images"
PNG = b"\x89PNG\r\n\x1a\n"

Mark = tuple[int, int, int]
"""What changes when a file is written: its time in nanoseconds, its size, its number on the disk."""


def read_folder(folder: Path) -> Mapping[str, str]:
    """Return the texts of a book's folder by file name. Raises OSError, and ValueError for what is no folder or no text."""
    if not folder.is_dir():
        raise ValueError(f"rules.folder: expected a folder, got {folder}")
    return {file: (folder / file).read_text(encoding="utf-8-sig") for file, _ in marks_of(folder)}


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
