"""`python -m bench all`: every benchmark in its short form, one after the other, and what they found as bench/RESULTS.md."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import cpu
from profiles.calendar import utc_now

RESULTS = Path(__file__).parent / "RESULTS.md"
SHORT: dict[str, Sequence[str]] = {
    "start": (),
    "inbound": ("--rounds", "1", "--seconds", "2"),
    "rules": ("--seconds", "0.6"),
    "gate": ("--rounds", "1", "--seconds", "3", "--contacts", "2000"),
    "events": ("--rounds", "1", "--seconds", "2", "--profiles", "10000,50000"),
    "engine": ("--contacts", "5000", "--seconds", "5"),
    "campaign": ("--contacts", "20000", "--one-by-one", "500"),
    "audience": ("--contacts", "50000"),
    "waiting": ("--runs", "50000"),
    "outbox": ("--rounds", "2"),
    "telegram": ("--rounds", "2"),
    "webpush": ("--rounds", "2", "--messages", "4000"),
    "mail": ("--rounds", "2", "--mails", "4000"),
    "mailing": ("--rounds", "1", "--recipients", "2000,10000", "--controls", "300"),
    "history": ("--pages", "100"),
    "console": ("--conversations", "2000,20000", "--pages", "100"),
    "sockets": ("--idle", "2000", "--seconds", "8"),
    "company": ("--rounds", "1", "--seconds", "2"),
}
"""What each is given so that all end within some ten minutes. The full sizes are their defaults."""
LONGEST_SECONDS = 600.0
_TELLING = 400  # characters of an error's end that say what went wrong


@dataclass(frozen=True, slots=True)
class Ran:
    """One benchmark's run."""

    name: str
    options: Sequence[str]
    exit_code: int
    seconds: float
    load: float
    """The load average (1 minute) as it began."""
    figures: Mapping[str, Any]
    """Empty when it ended without."""
    complaint: str = ""

    @property
    def is_as_claimed(self) -> bool:
        """Whether it ended well, and each claim among its figures is true."""
        return self.exit_code == 0 and all(value for value in self.figures.values() if isinstance(value, bool))


async def report(names: Sequence[str]) -> dict[str, Any]:
    """Run these (all when none is named) one after the other and return which were as claimed.

    bench/RESULTS.md is written after each, so that a run that is broken off leaves what it found. What they print goes to stderr.
    """
    found: list[Ran] = []
    for name in names or tuple(SHORT):
        found.append(await _run(name, SHORT[name]))
        print(f"{name}: {'ok' if found[-1].is_as_claimed else 'NOT AS CLAIMED'}, {found[-1].seconds:.0f} s", flush=True)
        await asyncio.to_thread(RESULTS.write_text, as_page(found, at=utc_now()))
    return {ran.name: ran.is_as_claimed for ran in found}


def as_page(found: Sequence[Ran], *, at: datetime) -> str:
    """Return the page: the machine, the date, and for each benchmark its figures, its claims and the load it met."""
    machine = cpu.machine()
    lines = [
        "# Results",
        "",
        "Written by `make bench` (`python -m bench all`): every benchmark in its short form.",
        "docs/benchmarks.md says what each measures.",
        "",
        f"{at:%Y-%m-%d %H:%M} UTC, {machine['cpus']} cores, {machine['model']}.",
        "Read the ratios and the CPU: rates depend on the load beside.",
        "",
        "| benchmark | as claimed | figures | load | seconds |",
        "|---|---|---|---|---|",
    ]
    for ran in found:
        asked = f"`{' '.join([ran.name, *ran.options])}`"
        told = ", ".join(scalars(ran.figures)) or ran.complaint.replace("|", " ").replace("\n", " ")
        claimed = "yes" if ran.is_as_claimed else "**no**"
        lines.append(f"| {asked} | {claimed} | {told} | {ran.load:.1f} | {ran.seconds:.0f} |")
    if missing := [name for name in SHORT if name not in {ran.name for ran in found}]:
        lines += ["", f"Not in this run: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


def scalars(figures: Mapping[str, Any]) -> list[str]:
    """Return each single figure as `name value`; of a list of levels the last, which is the largest."""
    told = []
    for name, value in figures.items():
        if isinstance(value, bool):
            told.append(f"{name} {'yes' if value else '**no**'}")
        elif isinstance(value, int | float | str) and value != "":
            told.append(f"{name} {value}")
        elif isinstance(value, list) and value and isinstance(value[-1], dict):
            told += [f"{name}: {', '.join(scalars(value[-1]))}"]
    return told


async def _run(name: str, options: Sequence[str]) -> Ran:
    load, began = _load(), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", name, "--json", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            said, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        said, errors = await process.communicate()
    seconds, text = time.monotonic() - began, said.decode()
    sys.stderr.write(text)
    last = text.strip().rpartition("\n")[2]
    figures = json.loads(last) if last.startswith("{") and last.endswith("}") else {}
    assert process.returncode is not None
    return Ran(name, options, process.returncode, seconds, load, figures, errors.decode()[-_TELLING:])


def _load() -> float:
    return float(Path("/proc/loadavg").read_text().split()[0])
