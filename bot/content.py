"""A bot's folder as texts: what is read, compared, kept and written of it. Code (actions/) and secrets are none of its business.

Each file is written whole or not at all: a draft beside it, on disk, then one rename.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

_PATTERNS = (
    "domain.y*ml", "domain/**/*.y*ml", "data/**/*.y*ml", "tests/**/*.y*ml", "kb/**/*.md",
    "config.y*ml", "validation.yml", "profile.yml", "handover.yml", "titles.yml", "flows.y*ml", "flows/**/*.y*ml",
)  # fmt: skip
LARGEST_FILE = 4_000_000
"""Bytes; a larger one is not kept in versions (a document of the database holds 16 MB)."""


def read_content(folder: Path) -> dict[str, str]:
    """Return path -> text of the files that make the bot, by path. What is not UTF-8 is passed over."""
    found: dict[str, str] = {}
    for path in _paths(folder):
        try:
            found[path.relative_to(folder).as_posix()] = path.read_bytes().decode("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return dict(sorted(found.items()))


def digest(text: str) -> str:
    """Return the name of this text: equal names, equal texts."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_content(folder: Path, changes: Mapping[str, str | None]) -> None:
    """Write these files in this order, each atomically; None takes a file away."""
    for path, text in changes.items():
        place = _inside(folder, path)
        if text is None:
            place.unlink(missing_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, text)


def changed_since(folder: Path, before: Mapping[str, str], paths: Iterable[str]) -> tuple[str, ...]:
    """Return which of these files are not any more what they were when `before` was read."""
    now = {path: _text(_inside(folder, path)) for path in paths}
    return tuple(path for path, text in now.items() if text != before.get(path))


def is_writable(folder: Path) -> bool:
    """Whether we may change the files of this folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def copy_folder(source: Path, target: Path) -> None:
    """Make `target` a copy of the whole folder, code and all; it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        shutil.copytree(source, draft, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (draft, *draft.rglob("*")):  # the source may be read-only
            path.chmod(path.stat().st_mode | 0o200)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _paths(folder: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        for path in folder.glob(pattern):
            if path.is_file() and path.stat().st_size <= LARGEST_FILE:
                yield path


def _inside(folder: Path, path: str) -> Path:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise ValueError(f"expected a path inside the bot's folder, got {path!r}.")
    return folder.joinpath(*parts)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _replace(place: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(place.stat().st_mode & 0o777 if place.exists() else 0o644)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
