"""A bot is read and trained once for all tests that use the same folder: a brain never changes, and a test's server needs one."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.brain import Brain
from bot.models import Models

MOST_KEPT = 8


@contextmanager
def trained_once() -> Iterator[None]:
    """Within the block, a folder that was read before, and whose files did not change, is not read again.

    Who keeps models (a server on its data folder) reads and trains as ever.
    """
    load = Brain.load
    known: dict[object, Brain] = {}

    def load_once(folder: Path, *, models: Models | None = None, **more: Any) -> Brain:
        if models is not None and models._folder is not None:
            return load(folder, models=models, **more)
        key = (folder, _state(folder), *sorted(more.items()))
        if key not in known:
            while len(known) >= MOST_KEPT:
                known.pop(next(iter(known)))
            known[key] = load(folder, **more)
        return known[key]

    Brain.load = load_once  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Brain.load = load  # type: ignore[method-assign]


def _state(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = hashlib.sha256()
    for path in files:
        contents.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return contents.hexdigest()
