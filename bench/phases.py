"""Where does an event's time go on its way to a delivery? The instants of each contact, by the step that ended then."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import mean, quantiles
from typing import Any

from bench.stage import Stage
from profiles.snapshot import Changes
from rules.moves import Ask, Outcome
from rules.person import Person
from rules.rule import Rule

STEPS = ("kept", "taken", "read", "granted", "written", "handed over")
"""The event is on disk; its batch begins; the contact is read; the gate answers; the message is on disk; the channel has it."""


@dataclass(slots=True)
class Phases:
    """What a contact's steps took, seen at the seams of the parts at work."""

    at: dict[str, dict[str, float]] = field(default_factory=dict)
    """contact -> step -> when it ended."""

    def watch(self, process: Stage) -> None:
        """Take note of what this process does from now on."""
        turn = process.rules.turn
        reads, answers = turn._reader.persons, turn._gatekeeper.answer

        async def persons(ids: Iterable[str], *how: Any) -> dict[str, Person]:
            ids = list(ids)
            self.note("taken", ids)
            found = await reads(ids, *how)
            self.note("read", ids)
            return found

        async def answer(asked: Iterable[tuple[Ask, Rule, Person]]) -> dict[str, dict[str, Outcome]]:
            asked = list(asked)
            found = await answers(asked)
            self.note("granted", [person.id for _, _, person in asked])
            return found

        turn._reader.persons, turn._gatekeeper.answer = persons, answer  # type: ignore[method-assign,assignment]
        process.writer.listen(self._committed)

    def note(self, step: str, contacts: Iterable[str]) -> None:
        """These contacts ended this step just now."""
        now = time.perf_counter()
        for id in contacts:
            self.at.setdefault(id, {}).setdefault(step, now)

    def took(self, began: Mapping[str, float]) -> Mapping[str, Mapping[str, float]]:
        """Return what each step took in ms: the median, the 99th of a hundred, and the mean of the slowest event in a hundred."""
        whole = [(began[id], at) for id, at in self.at.items() if id in began and set(STEPS) <= at.keys()]
        slowest = sorted(whole, key=lambda one: one[1][STEPS[-1]] - one[0])[-max(len(whole) // 100, 1) :]
        found = {}
        for place, step in enumerate(STEPS):
            spent, late = ([_of(one, place) * 1e3 for one in some] for some in (whole, slowest))
            hundredths = quantiles(spent, n=100)
            found[step] = {
                "p50": round(hundredths[49], 1),
                "p99": round(hundredths[98], 1),
                "slowest": round(mean(late), 1),
            }
        return found

    def _committed(self, committed: list[Changes]) -> None:
        self.note("kept", [event.profile for changes in committed for event in changes.events])
        self.note("written", [message.profile for changes in committed for message in changes.messages])


def _of(one: tuple[float, Mapping[str, float]], place: int) -> float:
    began, at = one
    return at[STEPS[place]] - (at[STEPS[place - 1]] if place else began)
