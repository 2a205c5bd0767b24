"""The people who answer: who they are, what they may do, how much the queue may give them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from admin.roles import Role, has
from profiles.ids import new_id
from profiles.record import difference, from_document, to_document
from profiles.seals import sealable
from profiles.store import Plan, Store, Update

COLLECTION = "agents"
_TURNING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]")
"""Controls (some terminals obey those above 7f, too), ends of lines, and what writes the rest of a line backwards: a name
stands within sentences, of the audit and the command line too."""


@dataclass(frozen=True, slots=True)
class Totp:
    """A second factor: the shared secret (base 32) and the last 30-second step used, so that no code works twice."""

    secret: str
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """One who may sign in. Whoever writes it must have read this `version`."""

    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    password: str = ""
    """The argon2id hash."""
    language: str = "en"
    signature: str = ""
    """Offered as {{signature}} in canned replies."""
    capacity: int = 5
    is_away: bool = False
    is_active: bool = True
    totp: Totp | None = None
    recovery: tuple[str, ...] = ()
    """Hashes of the recovery codes that are left."""
    version: int = 0

    def may(self, permission: str) -> bool:
        """Return whether this agent's role is granted the permission."""
        return self.is_active and has(self.role, permission)

    @property
    def initials(self) -> str:
        """Return one or two letters to stand for the agent."""
        return initials(self.name)


def called(text: str) -> str:
    """Return how colleagues call somebody, from what was typed: at most 80 characters; empty when nothing is left."""
    return upright(text)[:80]


def upright(text: str) -> str:
    """Return a name without controls, ends of lines and what writes the rest of a line backwards."""
    return _TURNING.sub("", text).strip()


def initials(name: str) -> str:
    """Return the first letters of the first and last word of a name, or nothing when there is no letter."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


async def by_id(store: Store, id: str) -> Agent | None:
    """Return the agent with this id."""
    document = await store.get(COLLECTION, id)
    return from_document(Agent, document) if document else None


async def by_email(store: Store, email: str) -> Agent | None:
    """Return the agent who signs in with this address."""
    document = await store.first(COLLECTION, {"email": {"$eq": email.strip().casefold()}})
    return from_document(Agent, document) if document else None


async def everyone(store: Store) -> dict[str, Agent]:
    """Return every agent by id, also those who left (their names stay on what they wrote)."""
    documents = await store.find(COLLECTION, {}, sort=[("name", 1)])
    return {document["_id"]: from_document(Agent, document) for document in documents}


async def change(
    store: Store, before: Agent, after: Agent, *audit: Mapping[str, Any], witness: Agent | None = None
) -> Agent:
    """Write the agent and the audit rows in one commit. Raises Stale when somebody changed the agent, or the witness, meanwhile.

    A `witness` is another agent whose being as they are is what allows the change.
    """
    plan = Plan()
    if witness:
        plan.update(COLLECTION, Update(witness.id, witness.version))
    put, drop = difference(before, after)
    if put or drop:
        plan.update(COLLECTION, Update(before.id, before.version, put, drop))
    for row in audit:
        plan.insert("audit", dict(row))
    if plan:
        await store.commit(plan)
    return replace(after, version=before.version + 1) if put or drop else after


def born(agent: Agent) -> Update:
    """Return the update that makes a new agent, for a plan that may write more."""
    document = to_document(agent)
    document.pop("_id")
    return Update(agent.id, 0, document)


def audit_row(act: str, *, by: str, about: str, at: datetime, **details: Any) -> dict[str, Any]:
    """Return the row that says who did what to whom; it is only ever inserted, in the same commit as the act."""
    row = sealable({"_id": new_id(at), "at": at, "by": by, "act": act, "about": about})
    return {**row, "details": details} if details else row
