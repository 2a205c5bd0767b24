"""What surrounds every page of the console: the counts beside the views, and which channels there are."""

from typing import Any

from admin import inbox
from admin.agents import Agent
from admin.desk import Desk


async def frame(desk: Desk, agent: Agent) -> dict[str, Any]:
    """Return what the rail at the left shows this agent."""
    known: dict[str, Any] = {
        "channels": tuple(sorted(desk.channels)),
        "here_agents": desk.presence.agents(),
        "teaches": desk.workshop is not None,
        "markets": desk.rules is not None,
    }
    if not agent.may("converse"):
        return {**known, "counts": inbox.Counts(), "mentions": 0}
    return {
        **known,
        "counts": await inbox.counts(desk.store),
        "mentions": await inbox.mentions(desk.store, agent.id),
    }
