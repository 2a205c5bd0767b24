"""mongod's own log file: its last complaint, to quote it, and its size, to bound it.

Each line is a JSON object (https://www.mongodb.com/docs/manual/reference/log-messages/).
"""

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

LARGEST_BYTES = 16 * 1024 * 1024
_TAIL_BYTES = 256 * 1024
_GRAVE = ("F", "E")
_BURST = timedelta(seconds=5)
Entry = dict[str, Any]


def last_complaint(log: Path) -> str:
    """Return the last trouble in mongod's log as one line (disk full, port taken ...), or where to look.

    Errors come in bursts, cause first, so the first of the last burst is quoted.
    """
    cause: Entry | None = None
    for entry in _tail(log):
        if entry.get("s") in _GRAVE:
            if cause and _at(cause) - _at(entry) > _BURST:
                break
            cause = entry
    return _sentence(cause) if cause else f"nothing grave; see {log}"


def turn_over(log: Path, pid: int | None = None) -> bool:
    """Set a large log aside as <name>.1, in place of the one before, and tell mongod. Return whether it was large."""
    try:
        if log.stat().st_size <= LARGEST_BYTES:
            return False
    except FileNotFoundError:
        return False
    log.replace(log.with_name(f"{log.name}.1"))
    if pid is not None:
        os.kill(pid, signal.SIGUSR1)  # with --logRotate reopen it opens the name anew
    return True


def _tail(log: Path) -> Iterator[Entry]:
    """Yield the entries at the end of the log, newest first; a torn line is passed over."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _at(entry: Entry) -> datetime:
    try:
        return datetime.fromisoformat(entry["t"]["$date"])
    except (KeyError, TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)


def _sentence(entry: Entry) -> str:
    about, detail = entry.get("msg", ""), _detail(entry.get("attr"))
    return " ".join((f"{about}: {detail}" if detail else str(about)).split())[:400]


def _detail(attributes: Any) -> Any:
    if not isinstance(attributes, dict):
        return attributes
    message = attributes.get("message")
    if isinstance(message, dict):  # the storage engine's: its `error` is a bare number such as 28
        return f"{message.get('error_str', '')}: {message.get('msg', '')}"
    return attributes.get("error") or message or attributes
