"""The nouns of flows: what a business process asks, does and decides, step by step, as Rasa's flows.yml declares it.

Format: "Flows", "Flow Steps" and "Starting Flows" of Rasa's public documentation. Flows start by an intent
(`nlu_trigger`), a `link` or a `call`; nothing here needs a language model. bot/flow_files.py reads them, bot/flowing.py
goes through them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.conditions import Condition
from profiles.written import NOWHERE, Place

END = "END"
CANCEL = "action_cancel_flow"
CONTINUED = "utter_flow_continue_interrupted"
CANCELLED = "utter_flow_cancelled_rasa"
COMPLETED = "utter_can_do_something_else"

ON_CANCEL = "pattern_cancel_flow"
ON_CONTINUE = "pattern_continue_interrupted"
ON_COMPLETED = "pattern_completed"
ON_HANDOFF = "pattern_human_handoff"
PATTERNS = (ON_CANCEL, ON_CONTINUE, ON_COMPLETED, ON_HANDOFF)
"""Flows that the engine itself starts; a flow of that name in a bot's files takes the place of ours."""
CANCEL_INTENTS = ("cancel", "cancel_flow")
"""End the running flow, unless the bot's own pattern_cancel_flow names others under nlu_trigger."""

WORDS: Mapping[str, Mapping[str, str]] = {
    CONTINUED: {"fr": "Reprenons où nous en étions.", "en": "Let's go on where we left off."},
    COMPLETED: {"fr": "Puis-je faire autre chose pour vous ?", "en": "Is there anything else I can do for you?"},
    CANCELLED: {"fr": "D’accord, on laisse cela.", "en": "All right, let's leave it."},
}
"""What is said where the bot has no response of that name."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a step leads: to the step `to` (or END) if the condition holds; None always does."""

    to: str
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value for which the condition holds is refused with this response."""

    condition: Condition
    utter: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `name` is the action, the slot to collect, or the flow to call or link to; `ways` in order."""

    id: str
    kind: str
    name: str
    at: Place
    ways: tuple[Way, ...] = (Way(END),)
    values: tuple[tuple[str, Any], ...] = ()
    """set_slots: what is set."""
    utter: str | None = None
    """collect: what asks, in place of action_ask_<slot> or utter_ask_<slot>."""
    asks_always: bool = False
    is_kept: bool = False
    """collect: the value outlives the flow."""
    forces: bool = False
    """collect: whatever the customer says is the answer."""
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """An intent that starts the flow, if it is understood at least this surely."""

    intent: str
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One process; steps by their ids, in the order they are written."""

    id: str
    name: str
    at: Place
    steps: Mapping[str, Step]
    guard: Condition | None = None
    triggers: tuple[Trigger, ...] = ()
    persisted: tuple[str, ...] = ()
    completes: bool = True
    """When it ends and nothing is left to do, pattern_completed follows."""

    @property
    def first(self) -> str:
        """The id of the first step; END when there is none."""
        return next(iter(self.steps), END)

    @property
    def slots(self) -> Iterator[str]:
        """The slots that the flow collects or sets."""
        for step in self.steps.values():
            if step.kind == "collect":
                yield step.name
            yield from (name for name, _ in step.values)


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows of a bot, with the patterns that come with the engine."""

    by_id: Mapping[str, Flow] = field(default_factory=dict)
    by_intent: Mapping[str, tuple[tuple[Flow, Trigger], ...]] = field(default_factory=dict)
    rejections: Mapping[str, tuple[Rejection, ...]] = field(default_factory=dict)
    """By slot: what the domain refuses (`validation:`) whichever flow asks."""
    collected: frozenset[str] = frozenset()
    """The slots that some flow asks for."""
    cancels: tuple[str, ...] = CANCEL_INTENTS

    def __bool__(self) -> bool:
        return bool(self.by_id)

    @property
    def written(self) -> list[Flow]:
        """Those in the bot's own files."""
        return [flow for flow in self.by_id.values() if flow.at is not NOWHERE]

    def ahead(self, ids: Sequence[str]) -> Iterator[Step]:
        """Yield the questions of these flows and of those they call; not those asked each time anew."""
        seen, waiting = set(ids), list(ids)
        while waiting:
            for step in self.by_id[waiting.pop()].steps.values():
                if step.kind == "collect" and not step.asks_always:
                    yield step
                elif step.kind == "call" and step.name not in seen:
                    seen.add(step.name)
                    waiting.append(step.name)


def flows_of(
    written: Mapping[str, Flow], responses: Collection[str], rejections: Mapping[str, tuple[Rejection, ...]]
) -> Flows:
    """Return these flows with the patterns they need; none at all where none is written."""
    if not written:
        return Flows()
    by_id = {**_default_patterns(COMPLETED in responses), **written}
    by_intent: dict[str, tuple[tuple[Flow, Trigger], ...]] = {}
    for flow in by_id.values():
        for trigger in () if flow.id in PATTERNS else flow.triggers:
            by_intent[trigger.intent] = (*by_intent.get(trigger.intent, ()), (flow, trigger))
    steps = [step for flow in by_id.values() for step in flow.steps.values()]
    return Flows(
        by_id,
        by_intent,
        rejections,
        collected=frozenset(step.name for step in steps if step.kind == "collect"),
        cancels=tuple(trigger.intent for trigger in by_id[ON_CANCEL].triggers) or CANCEL_INTENTS,
    )


def _default_patterns(has_completed: bool) -> dict[str, Flow]:
    """Return the flows that the engine starts by itself; one that asks for more only where the bot has words for it."""
    said = {ON_CONTINUE: (CONTINUED,), ON_CANCEL: (CANCEL, CANCELLED), ON_HANDOFF: ("action_hand_over",)}
    if has_completed:
        said[ON_COMPLETED] = (COMPLETED,)
    return {name: _saying(name, actions) for name, actions in said.items()}


def _saying(name: str, actions: tuple[str, ...]) -> Flow:
    ids = [*(str(number) for number in range(len(actions))), END]
    steps = {
        ids[number]: Step(ids[number], "action", action, NOWHERE, (Way(ids[number + 1]),))
        for number, action in enumerate(actions)
    }
    return Flow(name, name, NOWHERE, steps, completes=False)
