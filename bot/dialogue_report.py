"""What `causerie bot test` says: the dialogues that went wrong step by step, and how well intents are understood."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.played import NOTHING, Played, Step, in_words
from bot.scores import Figures, as_table, figures_of

_KINDS = {
    "intent": "intents",
    "entities": "groups of entities",
    "actions": "steps of the bot",
    "words": "sayings of the bot",
}
_SAID = 60  # characters of a customer's message that a line shows


def as_lines(played: Sequence[Played]) -> Iterator[str]:
    """Yield the report for a person: every failed dialogue with each of its steps, then the figures."""
    for dialogue in played:
        if not dialogue.is_right:
            yield f'FAILED {dialogue.at}: "{dialogue.name}"'
            yield from _steps(dialogue.steps)
    intents = intent_figures(played)
    if intents.total:
        yield from as_table(intents)
    for wanted, guessed, count in intents.confusions:
        yield f"{wanted} was taken for {guessed}: {count} of {_wanted(intents, wanted)}."
    yield _summary(played)


def as_json(played: Sequence[Played]) -> Mapping[str, Any]:
    """Return the report for programs."""
    return {
        "dialogues": {"total": len(played), "passed": sum(dialogue.is_right for dialogue in played)},
        **{kind: _share(played, kind) for kind in _KINDS},
        "intents": intent_figures(played).as_json(),
        "failed": [
            {"name": dialogue.name, "at": str(dialogue.at), "steps": [_step(step) for step in dialogue.steps]}
            for dialogue in played
            if not dialogue.is_right
        ],
    }


def intent_figures(played: Sequence[Played]) -> Figures:
    """Return how well the intents of all messages were understood."""
    return figures_of((step.expected, step.got) for step in _of(played, "intent"))


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    said = None
    for step in steps:
        if step.said != said:
            said = step.said
            yield f"  > {said if len(said) <= _SAID else said[: _SAID - 1] + '…'}"
        if step.is_right:
            yield f"    ok     {step.kind} {step.expected or NOTHING}"
        else:
            yield f"    WRONG  {in_words(step)}  ({step.at})"


def _summary(played: Sequence[Played]) -> str:
    parts = []
    for kind, name in _KINDS.items():
        share = _share(played, kind)
        if share["total"]:
            parts.append(f"{share['right']} of {share['total']} {name}")
    passed = sum(dialogue.is_right for dialogue in played)
    return f"{passed} of {len(played)} dialogues went as written" + (f" ({', '.join(parts)})." if parts else ".")


def _share(played: Sequence[Played], kind: str) -> dict[str, int]:
    steps = list(_of(played, kind))
    return {"total": len(steps), "right": sum(step.is_right for step in steps)}


def _of(played: Sequence[Played], kind: str) -> Iterator[Step]:
    return (step for dialogue in played for step in dialogue.steps if step.kind == kind)


def _wanted(figures: Figures, name: str) -> int:
    return next(score.wanted for score in figures.scores if score.name == name)


def _step(step: Step) -> dict[str, Any]:
    shown = {"kind": step.kind, "at": str(step.at), "user": step.said, "expected": step.expected, "got": step.got}
    return {
        **shown,
        "right": step.is_right,
        **({} if step.confidence is None else {"confidence": round(step.confidence, 4)}),
    }
