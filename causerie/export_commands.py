"""`causerie export KIND FILE`: people, messages, deliveries or events into a file to take away, beside a server or without one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from admin.agents import audit_row
from admin.export_rows import Kind
from admin.exporting import Period, columns, rows
from causerie.export_file import FORMATS, ExportFile
from causerie.progress import Progress
from profiles.calendar import utc_now
from profiles.store import Store

Say = Callable[[str], None]
TOLD_EVERY = 20_000


@dataclass(frozen=True, slots=True)
class Taking:
    """What somebody wants to take away, and where to."""

    kind: Kind
    file: Path
    since: datetime | None = None
    until: datetime | None = None


def instant(text: str) -> datetime:
    """Return the instant that somebody typed; a day is its midnight, and what names no zone is in UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def export(store: Store, taking: Taking, say: Say, progress: Progress) -> int:
    """Write the file and say how many rows it has; 1 when it can not be written there. Raises Unavailable: then no file is left."""
    if wrong := _why_not(taking):
        say(wrong)
        return 1
    about, now = f"export:{taking.file.name}", utc_now()
    await store.insert("audit", audit_row("data.exported", by="command", about=about, at=now, kind=taking.kind))
    count = 0
    try:
        with ExportFile(taking.file, await columns(store, taking.kind)) as file:
            async for page in rows(store, taking.kind, Period(taking.since, taking.until)):
                file.write(page)
                if (count + len(page)) // TOLD_EVERY > count // TOLD_EVERY:
                    progress(f"{count + len(page):,} {taking.kind}")
                count += len(page)
    except OSError as error:
        say(f"{taking.file}: {error.strerror or error}. Hint: name a file that is not there yet, where you may write")
        return 1
    say(f"{taking.file}: {count:,} {taking.kind}.")
    return 0


def _why_not(taking: Taking) -> str:
    if taking.file.suffix not in FORMATS:
        return f'{taking.file}: expected a file that ends with {" or ".join(FORMATS)}, got "{taking.file.suffix}"'
    if taking.file.exists():
        return f"{taking.file}: it is there already. Hint: name another, nothing is written over"
    if taking.kind == "profiles" and (taking.since or taking.until):
        return "--since, --until: people have no period. Hint: leave them out"
    if taking.since and taking.until and taking.since >= taking.until:
        return f"--until: expected later than {taking.since.isoformat()}, got {taking.until.isoformat()}"
    return ""
