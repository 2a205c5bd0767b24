"""How somebody becomes an agent: a link that works once, for the first admin at first start and for everybody after."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.agents import COLLECTION as AGENTS
from admin.agents import Agent, audit_row, born
from admin.desk import PREFIX, Desk
from admin.roles import Role
from profiles.ids import new_id
from profiles.record import from_document, to_document
from profiles.store import Plan, Stale, Update

COLLECTION = "invitations"
FIRST = "first start"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open door for one. `id` is the hash of the link's token."""

    id: str
    role: Role
    by: str
    created_at: datetime
    ends_at: datetime
    email: str = ""
    """Only this address may come in; empty: whichever they choose."""
    used_at: datetime | None = None
    version: int = 0


async def first_link(desk: Desk) -> str | None:
    """Return the address where the first admin signs up, or None when there is an agent already.

    Each call makes a new link and ends the one before: only the last one printed works.
    """
    if await desk.store.count(AGENTS, {}, at_most=1):
        return None
    await desk.store.remove(COLLECTION, {"by": FIRST})
    return await invite(desk, "admin", by=FIRST)


async def invite(desk: Desk, role: Role, *, by: str, email: str = "") -> str:
    """Keep a new invitation, audited, and return its link. The link is shown once: only its hash is kept."""
    token = secrets.token_urlsafe(32)
    now = desk.clock()
    ends_at = now + timedelta(days=desk.options.invitation_days)
    invitation = Invitation(_hash(token), role, by, now, ends_at, email.strip().casefold())
    document = to_document(invitation)
    document.pop("_id")
    plan = Plan()
    plan.update(COLLECTION, Update(invitation.id, 0, document))
    plan.insert("audit", audit_row("agent.invited", by=by, about=invitation.id, at=now, role=role))
    await desk.store.commit(plan)
    return f"{desk.public_url}{PREFIX}/welcome/{token}"


async def find(desk: Desk, token: str) -> Invitation | None:
    """Return the invitation of a link that still works."""
    document = await desk.store.get(COLLECTION, _hash(token))
    found = from_document(Invitation, document) if document else None
    return found if found and found.used_at is None and found.ends_at > desk.clock() else None


async def open_ones(desk: Desk) -> list[Invitation]:
    """Return the invitations that nobody used yet."""
    where = {"used_at": None, "ends_at": {"$gt": desk.clock()}}
    documents = await desk.store.find(COLLECTION, where, sort=[("created_at", -1)], limit=100)
    return [from_document(Invitation, document) for document in documents]


async def withdraw(desk: Desk, id: str, *, by: str) -> bool:
    """End an invitation and return whether it was still open."""
    gone = bool(await desk.store.remove(COLLECTION, {"_id": id, "used_at": None}))
    if gone:
        await desk.store.insert("audit", audit_row("agent.uninvited", by=by, about=id, at=desk.clock()))
    return gone


async def accept(
    desk: Desk, invitation: Invitation, *, name: str, email: str, password: str, language: str
) -> Agent | None:
    """Make the agent and use up the invitation in one commit; None if the link was used meanwhile.

    `password` is the hash. Raises AlreadyThere when somebody has this e-mail address.
    """
    now = desk.clock()
    agent = Agent(
        new_id(now), email.strip().casefold(), name.strip(), invitation.role, now,
        password=password, language=language, capacity=desk.options.capacity,
    )  # fmt: skip
    plan = Plan()
    plan.update(AGENTS, born(agent))
    plan.update(COLLECTION, Update(invitation.id, invitation.version, {"used_at": now, "agent": agent.id}))
    plan.insert("audit", audit_row("agent.joined", by=agent.id, about=agent.id, at=now, role=agent.role))
    try:
        await desk.store.commit(plan)
    except Stale:
        return None
    return agent


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
