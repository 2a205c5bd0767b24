"""The steps of a rule as a graph: which step follows which, and where parallel branches meet again."""

from dataclasses import dataclass, field

from rules.rule_step import Parallel, Step, branches


@dataclass(frozen=True, slots=True)
class Graph:
    """Built once per version of a rule."""

    first: str | None
    steps: dict[str, Step] = field(default_factory=dict)
    following: dict[str, str | None] = field(default_factory=dict)
    """step -> the step after it and all within it; None where its branch ends."""

    def head(self, branch: "tuple[Step, ...]", step: str) -> str | None:
        """Return where a branch of this step leads: its first step, or what follows when it is empty."""
        return branch[0].id if branch else self.following[step]


def graph(steps: tuple[Step, ...]) -> Graph:
    """Return the graph of these steps; their ids are unique."""
    built = Graph(steps[0].id if steps else None)
    _add(built, steps, None)
    return built


def _add(built: Graph, steps: tuple[Step, ...], after: str | None) -> None:
    for number, step in enumerate(steps):
        follows = steps[number + 1].id if number + 1 < len(steps) else after
        built.steps[step.id] = step
        built.following[step.id] = follows
        for branch in branches(step):
            # a parallel branch ends in nothing: the run goes on when its last branch has ended
            _add(built, branch, None if isinstance(step, Parallel) else follows)
