"""What one transaction writes: documents to insert, changes of documents, documents that go away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
Filter: TypeAlias = Mapping[str, Any]
Sort: TypeAlias = Sequence[tuple[str, int]]
Alter: TypeAlias = Filter | Sequence[Filter]
"""What a change does: update operators, or a pipeline whose values the database works out."""


@dataclass(slots=True)
class Update:
    """One change to one document: only if it still has `version` (0: it must not exist yet; None: whatever it has)."""

    id: str
    version: int | None
    put: Document = field(default_factory=dict)
    drop: Document = field(default_factory=dict)
    add: Document = field(default_factory=dict)
    upsert: bool = False
    first: Document = field(default_factory=dict)
    """What to set only when this makes the document."""
    stamp: tuple[str, ...] = ()
    """Paths to set to the database's own instant."""


@dataclass(slots=True)
class Plan:
    """What one transaction writes: collection -> documents to insert, -> updates, -> ids to delete."""

    inserts: dict[str, list[Document]] = field(default_factory=dict)
    updates: dict[str, list[Update]] = field(default_factory=dict)
    deletes: dict[str, list[str]] = field(default_factory=dict)

    def insert(self, collection: str, document: Document) -> None:
        """Add a document that must be new (its `_id` is a natural key)."""
        self.inserts.setdefault(collection, []).append(document)

    def update(self, collection: str, update: Update) -> None:
        """Add a change to one document."""
        self.updates.setdefault(collection, []).append(update)

    def delete(self, collection: str, id: str) -> None:
        """Add a document that goes away; already gone is fine."""
        self.deletes.setdefault(collection, []).append(id)

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.deletes)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Those who would write the next plan as soon as this one is committed, and not wait until it is on disk."""

    is_wanted: Callable[[], bool]
    """Asked when the plan is written, in another thread: it costs one command more."""
    go: Callable[[], None]
    """Called when reads see what the plan wrote."""
