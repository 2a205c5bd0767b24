"""What lies in the data folder of the embedded database, and may we use it?

causerie.json   the mark that the folder is ours: format, MongoDB's version, port
lock            held by the server that uses the folder; its pid, to name it to a second one
keyfile, password   made at the first start, readable by their owner alone
db/, mongod.log     MongoDB's own
"""

import fcntl
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from causerie.mongod_program import CannotStart, Program, release_line

FORMAT = 1
REPLICA_SET = "rs0"
_MARK = "causerie.json"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Mark:
    """What causerie.json says: who wrote this folder last."""

    format: int
    mongod: str
    port: int
    is_set_up: bool = False
    """Whether the replica set and its user were made."""


class DataFolder:
    """A data folder that this process holds locked, from `claim` until `release`."""

    def __init__(self, path: Path, lock: int, mark: Mark) -> None:
        self.path, self._lock, self.mark = path, lock, mark
        self.db = path / "db"
        self.log = path / "mongod.log"
        self.keyfile = path / "keyfile"

    @property
    def password(self) -> str:
        """Return the password of the embedded database's only user."""
        return (self.path / "password").read_text().strip()

    @property
    def url(self) -> str:
        """Return the address with the password in it: for the driver, never for a log."""
        return f"{self.direct_url}&replicaSet={REPLICA_SET}"

    @property
    def direct_url(self) -> str:
        """Return the address of this very mongod, whatever it knows of its replica set."""
        return f"mongodb://causerie:{self.password}@127.0.0.1:{self.mark.port}/?authSource=admin"

    @property
    def orphan(self) -> int | None:
        """Return the pid of a mongod that still runs on this folder, left by a server that died; else None.

        Known by its command line: mongod.lock is emptied before mongod has ended, and its pid may be another's by now.
        """
        begins = f"mongod --dbpath {self.db} "  # as mongod_process.spawn writes it
        return next((pid for pid, line in _processes() if begins in line), None)

    def note(self, **changes: Any) -> None:
        """Remember these facts in the mark, on disk before this returns."""
        mark = replace(self.mark, **changes)
        if mark != self.mark or not (self.path / _MARK).exists():
            write_private(self.path / _MARK, json.dumps(asdict(mark), indent=2) + "\n")
        self.mark = mark

    def prepare(self, program: Program) -> None:
        """Make what the first start needs and later starts keep; a first start cut off in the middle is resumed."""
        self.note(mongod=program.version)
        self.db.mkdir(mode=0o700, exist_ok=True)
        for name in ("keyfile", "password"):
            if not (self.path / name).exists():
                write_private(self.path / name, secrets.token_hex(32))
            (self.path / name).chmod(0o600)  # a restored backup may have opened them; mongod refuses that

    def release(self) -> None:
        """Let another server have the folder."""
        os.close(self._lock)


def claim(path: Path, program: Program) -> DataFolder:
    """Lock the folder (made if missing) for this process. Raises CannotStart: in use, foreign, newer, not writable."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(path)
        lock = _lock(path)
    except OSError as error:
        raise CannotStart(
            f"store.folder: {path}: {error.strerror}. Hint: choose a folder that we may write."
        ) from error
    try:
        return DataFolder(path, lock, _usable_mark(path, program))
    except BaseException:
        os.close(lock)
        raise


def address_in_use(folder: str) -> str | None:
    """Return the address of the database that a running server keeps in this folder; None when no server holds it."""
    path = Path(folder).absolute()
    try:
        lock = os.open(path / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return DataFolder(path, lock, Mark(**json.loads((path / _MARK).read_text()))).url
    finally:
        os.close(lock)
    return None


def free_port() -> int:
    """Return a loopback port that nobody listens on now, below those that outgoing connections take at random."""
    candidates = (20_000 + secrets.randbelow(12_000) for _ in range(100))
    return next(port for port in candidates if is_free(port))


def is_free(port: int) -> bool:
    """Whether we could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mongod: a closing connection is no owner
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def write_private(path: Path, text: str) -> None:
    """Put this text in a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as writer:
        writer.write(text)
        writer.flush()
        os.fsync(writer.fileno())
    draft.replace(path)


def _refuse_foreign(path: Path) -> None:
    known = {_MARK, f"{_MARK}.draft", _LOCK, "models", "bot"}
    if (path / _MARK).exists():
        return
    others = sorted(entry.name for entry in path.iterdir() if entry.name not in known)
    if others:
        raise CannotStart(
            f"store.folder: {path}: not a Causerie data folder; expected an empty folder or one with {_MARK}, "
            f"got {', '.join(others[:3])}. Hint: set CAUSERIE_STORE__FOLDER to a new folder; nothing was changed here."
        )


def _lock(path: Path) -> int:
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise CannotStart(
            f"store.folder: {path}: another Causerie server uses this folder; its process is {holder}. "
            "Hint: stop that one, or set CAUSERIE_STORE__FOLDER (and CAUSERIE_SERVER__PORT) for a second server."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _usable_mark(path: Path, program: Program) -> Mark:
    file = path / _MARK
    if not file.exists():
        return Mark(FORMAT, program.version, free_port())
    try:
        mark = Mark(**json.loads(file.read_text()))
        known = mark.format, release_line(mark.mongod), range(1, 65536).index(mark.port)
    except (ValueError, TypeError) as error:
        raise CannotStart(
            f"{file}: not readable as the mark of a data folder: {error}. Hint: restore the file from a backup."
        ) from error
    if known[0] > FORMAT:
        raise CannotStart(
            f"{file}: written by a newer Causerie; expected format {FORMAT} or older, got {mark.format}. "
            "Hint: install that newer Causerie, or set CAUSERIE_STORE__FOLDER to another folder."
        )
    if known[1] > program.line:
        raise CannotStart(
            f"{file}: written by a newer MongoDB; expected {program.version} or older, got {mark.mongod}. "
            f"Hint: put mongod {mark.mongod} on PATH, or set CAUSERIE_STORE__FOLDER to another folder."
        )
    missing = [name for name in ("password", "db/WiredTiger") if mark.is_set_up and not (path / name).exists()]
    if missing:
        raise CannotStart(
            f"store.folder: {path}: parts of the data are gone: {', '.join(missing)}. "
            "Hint: restore the whole folder from a backup, or set CAUSERIE_STORE__FOLDER to a new one."
        )
    return mark


def _processes() -> Iterator[tuple[int, str]]:
    """Yield (pid, command line) of all that run here."""
    if not Path("/proc/self/cmdline").exists():
        listed = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False).stdout
        yield from ((int(pid), line) for pid, _, line in (row.strip().partition(" ") for row in listed.splitlines()))
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue  # ended meanwhile, or not ours to see
