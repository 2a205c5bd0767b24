"""The search page: what was said and who is known, for one question."""

from typing import Any

from aiohttp import web

from admin import agents, search
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of
from admin.pages import fragment, page
from admin.paging import key_of
from admin.roles import may


@may("converse")
async def show(request: web.Request) -> web.Response:
    """Show the messages and the first people found; a script asks for more messages."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    asked = request.query.get("q", "")[: search.LONGEST]
    found, following = await search.messages(desk, asked, after=key_of(request.query.get("after")))
    known: dict[str, Any] = {
        "found": found,
        "following": following,
        "asked": asked,
        "agents": await agents.everyone(desk.store),
    }
    if request.headers.get("X-Fragment"):
        return fragment(request, "_found.html", **known)
    people, _ = await search.people(desk, asked) if asked else ([], None)
    return page(request, "search.html", people=people[:6], **known, **await frame(desk, agent))
