"""What goes into a bot's turn and what comes out: plain values, so that nobody here needs the database or a channel."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from profiles.swift import swift
from profiles.timeline import Content


@swift
@dataclass(frozen=True, slots=True)
class Heard:
    """One customer message as the bot hears it. `payload` is that of a pressed button: `/intent{...}` or plain words."""

    id: str
    text: str
    channel: str
    at: datetime
    payload: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event: str | None = None
    """Nobody spoke: this intent happened outside the conversation (a reminder is due, a parcel has arrived)."""
    entities: tuple[Mapping[str, Any], ...] = ()
    """What the event is about, as Rasa's entities."""


@swift
@dataclass(frozen=True, slots=True)
class Known:
    """What the bot may know of the profile: its id, language and plain attribute values; and the conversation's id."""

    profile: str
    language: str | None
    values: Mapping[str, Any]
    conversation: str


@swift
@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn comes to; nothing has happened yet."""

    tracker: Mapping[str, Any]
    """The bot's new memory of the conversation: plain, storable, bounded."""
    says: tuple[Content, ...]
    learned: tuple[tuple[str, Any, str], ...] = ()
    """(attribute, value, `declared` or `inferred`) for the profile."""
    handover: tuple[Literal["asked", "not_understood", "action"], str, str | None] | None = None
    """(reason, summary for the agent, team)."""
    language: str | None = None
    """What the conversation is held in now."""
    intent: str | None = None
    confidence: float = 0.0
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(name, properties) of facts for the timeline."""
    actions: tuple[str, ...] = ()
    """What the bot did, in order, as its rules name it; listening at the end is left out."""
    missed: bool = False
    """The bot had no answer to this message."""
    failed: tuple[str, ...] = ()
    """Custom actions that raised, took too long or do not exist; each deserves an ERROR in the log."""


@dataclass(frozen=True, slots=True)
class ActionCall:
    """A custom action that a turn needs: its name, and Rasa's tracker and domain as plain dictionaries."""

    name: str
    tracker: Mapping[str, Any]
    domain: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What a custom action came to: `done`, `rejected` (somebody else shall answer) or `failed` (raised, late, unknown)."""

    outcome: Literal["done", "rejected", "failed"] = "done"
    events: tuple[Mapping[str, Any], ...] = ()
    responses: tuple[Mapping[str, Any], ...] = ()
    problem: str = ""
    is_unknown: bool = False
    """Failed because nobody wrote an action of this name."""


Asking = Generator[ActionCall, ActionResult, Any]
"""A computation that may need custom actions on its way."""
