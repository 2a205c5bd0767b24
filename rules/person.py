"""One contact as a rule is thought upon: everything that may be asked of them, read before the thinking."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from profiles.conversation import Conversation
from profiles.expression import Facts
from profiles.swift import swift
from rules.run import Run


@swift
@dataclass(frozen=True, slots=True)
class Person:
    """One contact, as the database had them at `facts.now`."""

    facts: Facts
    """Without an event; `conversation` is the thread that moved last."""
    conversations: tuple[Conversation, ...] = ()
    """All their threads, the one that moved last first."""
    segments: frozenset[str] = frozenset()
    """The watched segments that this contact is known to be in."""
    runs: tuple[Run, ...] = ()
    """Those that are alive or still watch for their goal, and those that count for an entry limit or a grace period."""

    begun: Mapping[str, str] = field(default_factory=dict)
    """Runs that are not among these and were begun all the same: id -> the occurrence that began it."""

    @property
    def id(self) -> str:
        """Return the profile's id."""
        return self.facts.profile.id

    def runs_of(self, rule: str) -> tuple[Run, ...]:
        """Return this contact's runs of one rule that are known here."""
        return tuple(run for run in self.runs if run.rule == rule)
