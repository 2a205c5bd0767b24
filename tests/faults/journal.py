"""What happened, written down by whoever saw it from outside: one JSON line a fact, on disk before anybody is told.

Checkers are fed from journals, never from the tables of the server under test. Instants are the machine's running time
(`now`), which all processes share and no test sets.
"""

import json
import os
import time
from pathlib import Path
from typing import Any


class Journal:
    """One writer, any number of readers. A line cut short by a kill was never acknowledged, and is not read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)

    def note(self, **fact: Any) -> None:
        """Write one fact down; it is on disk when this returns."""
        self._file.write(json.dumps(fact).encode() + b"\n")
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def facts(path: Path) -> list[dict[str, Any]]:
    """Return all that stands in a journal, in order."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


def now() -> float:
    """Return this machine's running time in seconds."""
    return time.monotonic()
