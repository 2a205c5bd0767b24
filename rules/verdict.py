"""What would a rule do for one contact now? The engine's own thinking, asked without writing or sending anything."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from profiles.expression_closures import condition
from profiles.expression_tree import Both, Node
from profiles.timeline import Event
from rules.choice import Prefers
from rules.entry import Occasion, enter
from rules.gatekeeper import Gatekeeper, Renders
from rules.graph import graph
from rules.journey import advance
from rules.memory import Contacts, MemoryLedgers
from rules.moves import Outcome, Skipped
from rules.person import Person
from rules.policy import Policy, Reaches
from rules.rule import Rule
from rules.rule_trigger import OnChange, OnConversation, OnEvent, OnSegment, OnThreshold, Trigger
from rules.run import Run
from rules.signals import with_run
from rules.triggers import CHANGED, CONVERSATION, ENTERED, LEFT, begins


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it. Nothing in it was written down."""

    reason: str = ""
    """Why the contact does not enter; empty: they would."""
    untrue: tuple[Node, ...] = ()
    """With the reason `audience`: the parts of the rule's `for` that are not true of them."""
    run: Run | None = None
    outcomes: tuple[tuple[str, Outcome], ...] = ()
    """Step -> what the gates say of the messages that would leave at once; none: the rule waits first."""


async def verdict(
    rule: Rule,
    person: Person,
    event: Event | None,
    *,
    policy: Policy,
    reaches: Reaches,
    renders: Renders,
    prefers: Prefers,
) -> Verdict:
    """Return what this rule would do for this contact if it began now; `event`: what begins it, where an event does."""
    beginning = begins(rule, event, person.facts) if event else None
    occasion = Occasion("asked", person.facts.now, beginning.key if beginning else "", event)
    steps = graph(rule.steps)
    run = enter(rule, steps, person, occasion, control=policy.control)
    if isinstance(run, Skipped):
        return Verdict(run.reason, tuple(_untrue(rule, person, event)) if run.reason == "audience" else ())
    move = advance(run, rule, steps, with_run(person.facts, run), None)
    contacts = Contacts()
    contacts.add(person.facts.profile, ledger=person.facts.ledger, conversations=person.conversations)
    gatekeeper = Gatekeeper(MemoryLedgers(contacts), renders, reaches, policy=policy, prefers=prefers)
    answers = await gatekeeper.answer([(ask, rule, person) for ask in move.asks])
    return Verdict(run=run, outcomes=tuple(answers.get(run.id, {}).items()))


def events_of(trigger: Trigger) -> tuple[str, ...]:
    """Return the names of the events that may begin a rule; none where the clock or a call does."""
    match trigger:
        case OnEvent(match=match):
            return (match.name,)
        case OnConversation(state=state):
            return CONVERSATION[state]
        case OnSegment(change=change):
            return (ENTERED if change == "entered" else LEFT,)
        case OnChange() | OnThreshold():
            return (CHANGED,)
        case _:
            return ()


def _untrue(rule: Rule, person: Person, event: Event | None) -> Iterator[Node]:
    if rule.audience is None:
        return
    tree = rule.audience.tree
    facts = replace(person.facts, event=event, start=event)
    yield from (
        part for part in (tree.items if isinstance(tree, Both) else (tree,)) if not condition(part)(facts, event)
    )
