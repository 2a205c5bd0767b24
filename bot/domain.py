"""The nouns of a bot: intents, slots, forms, responses, as Rasa's domain.yml declares them.

Format: Rasa 3.x open source, "Domain". Keys that Rasa has and this engine does not use are let pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.conditions import Condition as BranchCondition
from bot.events import TWO_STAGE
from profiles.written import Place


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a mapping holds: inside this form (None: outside any), and while this slot is asked for; or in this flow."""

    active_loop: str | None
    requested_slot: str | None
    active_flow: str | None = None


@dataclass(frozen=True, slots=True)
class SlotMapping:
    """One way a slot is filled from what the customer says."""

    kind: str
    entity: str | None = None
    role: str | None = None
    group: str | None = None
    value: Any = None
    intents: tuple[str, ...] = ()
    not_intents: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing the bot remembers."""

    name: str
    kind: str
    at: Place
    initial: Any = None
    influences: bool = True
    values: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 1.0
    mappings: tuple[SlotMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Slots to be asked for, one after another."""

    name: str
    at: Place
    required: tuple[str, ...]
    ignored_intents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing a customer may want, and which entities rules may see beside it (None: all)."""

    name: str
    at: Place
    use_entities: tuple[str, ...] | None = None
    ignore_entities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variation:
    """One wording of a response, and where it applies."""

    at: Place
    text: str = ""
    buttons: tuple[Mapping[str, Any], ...] = ()
    image: str | None = None
    channel: str | None = None
    language: str | None = None
    conditions: tuple[tuple[str, Any], ...] = ()
    has_conditions: bool = False
    predicate: BranchCondition | None = None
    """A condition written as in flows: `slots.visits > 1`."""


@dataclass(frozen=True, slots=True)
class Domain:
    """All that domain.yml and domain/** declare."""

    intents: Mapping[str, Intent] = field(default_factory=dict)
    entities: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    """What rules may see of entities: their names, and `name#role` and `name#group` as declared."""
    slots: Mapping[str, Slot] = field(default_factory=dict)
    responses: Mapping[str, tuple[Variation, ...]] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    actions: Mapping[str, Place] = field(default_factory=dict)
    """Custom actions: declared, and neither a response nor a form."""
    session_minutes: float = 60.0
    carry_over: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The same as plain Rasa dictionaries, for custom actions."""

    def knows_action(self, name: str) -> bool:
        """Whether a rule may run this."""
        return name in self.responses or name in self.forms or name in self.actions or self.is_retrieval(name)

    def is_retrieval(self, name: str) -> bool:
        """Whether this says the response that was chosen for the message: `utter_faq` stands for all `utter_faq/...`."""
        return name not in self.responses and any(response.startswith(f"{name}/") for response in self.responses)

    def is_loop(self, name: str | None) -> bool:
        """Whether this action goes on over several messages: a form, or the two-stage fallback."""
        return name in self.forms or name == TWO_STAGE
