"""Who did what: the audit, latest first, paged by key. Rows are only ever inserted, in the commit of the act they tell of."""

from typing import Any

from aiohttp import web

from admin import agents
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of
from admin.keys import names_of
from admin.pages import fragment, page
from admin.paging import Key, after_key, key_of
from admin.roles import may

PAGE = 60


@may("audit")
async def show(request: web.Request) -> web.Response:
    """Show the audit, whole or of one agent; a script asks for more of it."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    by = request.query.get("by", "")[:60]
    where = after_key({"by": by} if by else {}, "at", key_of(request.query.get("after")))
    rows = await desk.store.find("audit", where, sort=[("at", -1), ("_id", 1)], limit=PAGE + 1)
    following = str(Key(rows[PAGE - 1]["at"], rows[PAGE - 1]["_id"])) if len(rows) > PAGE else None
    known: dict[str, Any] = {
        "rows": rows[:PAGE],
        "following": following,
        "agents": await agents.everyone(desk.store),
        "programs": await names_of(desk.store, (str(row["by"]) for row in rows[:PAGE])),
        "by": by,
    }
    if request.headers.get("X-Fragment"):
        return fragment(request, "_audit.html", **known)
    return page(request, "audit.html", **known, **await frame(desk, agent))
