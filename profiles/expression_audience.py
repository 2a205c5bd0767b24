"""Whom does a condition hold for, in the whole database?"""

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """How the database finds the profiles a condition holds for; merged-away ones never are among them."""

    filter: Document
    """On `profiles`. Exact when there is no `pipeline`, else true of all whom it selects, and perhaps of more."""
    pipeline: tuple[Document, ...]
    """When the past is asked for: what to aggregate on `collection`; it gives documents with `_id`, one per profile."""
    collection: str
    """Where the pipeline begins: profiles, or events when these narrow it down best."""
    index: tuple[str, ...]
    """Fields of an index on `profiles` that makes the cost follow the audience, not the base; empty: none needed, or none helps."""
