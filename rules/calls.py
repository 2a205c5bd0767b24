"""Somebody calls a rule for one contact and hears at once what was decided: sent on its way, held until, or why not.

The caller waits for the decision, never for a provider. What is answered is what stands in the database after the turn, so a
call repeated under the same occurrence, by whatever process, decides nothing twice and hears the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from profiles.record import Document, from_document
from profiles.store import Store, Unavailable
from rules.applying import DECISIONS, RUNS, refusal_id
from rules.entry import Occasion
from rules.graph import graph
from rules.rule import Rule
from rules.run import Run, run_id
from rules.thinking import Edition
from rules.turn import News, Turn

Outcome = Literal["accepted", "held", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a call, as it is stored."""

    outcome: Outcome
    """waiting: the rule has begun, and sends nothing yet."""
    reason: str = ""
    """A code (rules/reasons.py says it in words); empty where nothing objected."""
    until: datetime | None = None
    """When it is looked at again."""
    run: str = ""
    messages: tuple[tuple[str, str], ...] = ()
    """(message id, channel) of what is on its way."""


async def call(turn: Turn, store: Store, rule: Rule, profile: str, occasion: Occasion) -> Decided:
    """Let the rule begin for this contact, who is not merged away, and return what was decided.

    Raises Unavailable when the database did not confirm it; the same call may then be made again.
    """
    id = run_id(rule.id, profile, occasion.occurrence)
    if await store.get(RUNS, id) is None:
        ground = turn if rule.id in turn.editions.current else turn.beside(Edition(rule, graph(rule.steps)))
        await ground.work([News(profile, occasion=(rule.id, occasion))])
    run = await store.get(RUNS, id)
    if run is not None:
        return _decided(from_document(Run, run), await store.find(DECISIONS, {"run": id}, sort=[("at", 1)]))
    told = await store.get(DECISIONS, refusal_id(rule.id, profile, occasion.occurrence))
    reason = str(told["reason"]) if told else await turn.why_not(rule, profile, occasion)
    if not reason:
        raise Unavailable("the decision was not confirmed")
    return Decided("refused", reason)


def _decided(run: Run, told: Sequence[Document]) -> Decided:
    sent = [pair for one in run.sends.values() for pair in zip(one.messages, one.channels, strict=False)]
    if sent:
        return Decided("accepted", run=run.id, messages=tuple(sent))
    held = next((token for token in run.tokens if token.held), None)
    if held:
        return Decided("held", held.held, held.due_at, run.id)
    refused = next((str(row["reason"]) for row in told if row["reason"] != "sent"), "")
    if refused:
        return Decided("refused", refused, run=run.id)
    return Decided("waiting", until=run.due_at, run=run.id) if run.is_alive else Decided("accepted", run=run.id)
