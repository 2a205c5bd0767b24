"""What the fault tests found, in one table: every zero beside a control that is not zero."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

LINES = (
    ("acknowledged messages", "acknowledged", "lost"),
    ("intents of rules", "intents", "twice"),
    ("cap attempts", "attempts", "over"),
    ("opt-outs", "opt-outs", "violations"),
    ("webhooks, copies and all", "webhooks", "stored twice"),
)


@dataclass(slots=True)
class Figures:
    """Counted over all tests of a run; `control` is the same fault done to the obvious design."""

    seed: int
    seconds: float
    load: float = 0.0
    """How many processes wanted to run when it began, without ours."""
    found: Counter[str] = field(default_factory=Counter)
    control: Counter[str] = field(default_factory=Counter)
    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def is_timed(self) -> bool:
        """Return whether times say anything: the machine was ours."""
        return self.load <= (os.cpu_count() or 1)

    def add(self, **counts: int) -> None:
        """Add what a test counted; a blank in a name is an underscore here."""
        self.found.update({name.replace("_", " "): count for name, count in counts.items()})

    def add_control(self, **counts: int) -> None:
        """Add what a test counted of its control."""
        self.control.update({name.replace("_", " "): count for name, count in counts.items()})

    def took(self, what: str, *seconds: float) -> None:
        """Note how long something took."""
        self.times[what].extend(seconds)

    def table(self) -> Iterator[str]:
        """Yield the lines of the table; what no test of this run counted is left out."""
        yield f"seed {self.seed}, {self.seconds:g} s for each long test, {self.load:.1f} at work on {os.cpu_count()} cores before"
        for title, counted, wrong in LINES:
            if self.found[counted]:
                control = f"   (control: {self.control[wrong]:,} {wrong} of {self.control[counted]:,})"
                more = f", {self.found['unknown']:,} unknown" if counted == "intents" else ""
                shown = control if self.control[counted] else ""
                yield f"{title:26s}{self.found[counted]:>10,}   {self.found[wrong]:,} {wrong}{more}{shown}"
        kills = {name: count for name, count in self.found.items() if name.startswith("killed ")}
        if kills:
            yield "kill -9: " + ", ".join(f"{name.removeprefix('killed ')} {count}" for name, count in kills.items())
        if self.found["crash points"]:
            yield f"crash points walked: {self.found['crash points']}"
        for what, seconds in self.times.items():
            ordered = sorted(seconds)
            p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            yield f"{what}: {len(ordered)}, median {ordered[len(ordered) // 2]:.2f} s, p99 {p99:.2f} s, longest {ordered[-1]:.2f} s"
