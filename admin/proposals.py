"""What agents propose to teach the bot: kept until somebody who may teach accepts or refuses it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from admin.agents import Agent, audit_row
from admin.desk import Desk
from bot.edits import AddExample, AddPassage, Edit, MoveExample, NewAnswer
from profiles.ids import new_id
from profiles.record import from_document, to_document
from profiles.store import Plan

COLLECTION = "proposals"
MOST = 50
_KINDS: dict[str, type[Any]] = {
    "example": AddExample,
    "moved": MoveExample,
    "answer": NewAnswer,
    "passage": AddPassage,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One edit that waits for somebody's word."""

    id: str
    at: datetime
    by: str
    kind: str
    fields: dict[str, Any]
    question: str | None = None
    """The question that it settles."""
    state: Literal["open", "accepted", "refused"] = "open"

    @property
    def edit(self) -> Edit:
        """The edit as the workshop takes it."""
        fields = dict(self.fields)
        if "examples" in fields:
            fields["examples"] = [(language, text) for language, text in fields["examples"]]
        made: Edit = _KINDS[self.kind](**fields)
        return made


async def propose(desk: Desk, edit: Edit, agent: Agent, *, question: str | None) -> None:
    """Keep an agent's proposal."""
    now = desk.clock()
    kind = next(name for name, made in _KINDS.items() if isinstance(edit, made))
    proposal = Proposal(new_id(now), now, agent.id, kind, asdict(edit), question)
    plan = Plan()
    plan.insert(COLLECTION, {**to_document(proposal), "state": "open"})
    plan.insert("audit", audit_row("bot.proposed", by=agent.id, about=f"proposal:{proposal.id}", at=now, kind=kind))
    await desk.store.commit(plan)


async def open_ones(desk: Desk) -> tuple[Proposal, ...]:
    """Return the proposals that wait, the latest first."""
    found = await desk.store.find(COLLECTION, {"state": "open"}, sort=[("at", -1), ("_id", 1)], limit=MOST)
    return tuple(from_document(Proposal, document) for document in found)


async def by_id(desk: Desk, id: str) -> Proposal | None:
    """Return a proposal that waits."""
    document = await desk.store.first(COLLECTION, {"_id": {"$eq": id}, "state": "open"})
    return from_document(Proposal, document) if document else None


async def close(desk: Desk, proposal: Proposal, state: Literal["accepted", "refused"], agent: Agent) -> bool:
    """Note what became of a proposal; False when somebody was first."""
    now = desk.clock()
    put = {"$set": {"state": state, "closed_by": agent.id, "closed_at": now}}
    if await desk.store.change(COLLECTION, {"_id": proposal.id, "state": "open"}, put) is None:
        return False
    if state == "refused":
        row = audit_row("bot.proposal_refused", by=agent.id, about=f"proposal:{proposal.id}", at=now)
        await desk.store.insert("audit", row)
    return True
