"""mongod's own log file: its last complaint, to quote it, and its size, to bound it.

Each line is a JSON object (https://www.mongodb.com/docs/manual/reference/log-messages/).
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

LARGEST_BYTES = 16 * 1024 * 1024
_TAIL_BYTES = 256 * 1024
_GRAVE = ("F", "E")


def last_complaint(log: Path) -> str:
    """Return the last error in mongod's log as one line (disk full, port taken ...), or where to look."""
    said = ""
    for entry in _tail(log):
        if entry.get("s") in _GRAVE:
            said = _sentence(entry)
            if "exception" in said or "rror:" in said:
                break  # the cause; what stands further up are its consequences' neighbours
    return said or f"it said nothing; see {log}"


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


def _tail(log: Path) -> Iterator[dict[str, object]]:
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


def _sentence(entry: dict[str, object]) -> str:
    detail = entry.get("attr")
    if isinstance(detail, dict):
        detail = detail.get("error") or detail.get("message") or detail
    text = f"{entry.get('msg', '')}: {detail}" if detail else str(entry.get("msg", ""))
    return " ".join(text.split())[:400]
