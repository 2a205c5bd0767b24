"""Replies that agents write once and use often: a shortcut typed after "/", a text with {{name}} in it."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from admin.agents import audit_row
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form, posted
from admin.pages import at, page
from admin.roles import may
from profiles.ids import new_id
from profiles.record import from_document, to_document
from profiles.store import AlreadyThere, Plan, Store, Update

COLLECTION = "canned"
MOST = 500
VARIABLES = ("name", "first_name", "agent", "signature", "channel")


@dataclass(frozen=True, slots=True)
class Canned:
    """One canned reply. An empty language serves both."""

    id: str
    shortcut: str
    text: str
    by: str
    at: datetime
    language: str = ""


async def all_canned(store: Store) -> tuple[Canned, ...]:
    """Return every canned reply by its shortcut."""
    documents = await store.find(COLLECTION, {}, sort=[("shortcut", 1)], limit=MOST)
    return tuple(from_document(Canned, document) for document in documents)


@may("converse")
async def show(request: web.Request) -> web.Response:
    """Show all canned replies; those who may edit them get the forms."""
    return await _page(request, error=None, draft={})


@may("canned")
async def save(request: web.Request) -> web.StreamResponse:
    """Keep a new canned reply, or change one."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    speaks, now = texts_of(request), desk.clock()
    shortcut = fields.get("shortcut", "").removeprefix("/").casefold()
    text = (await posted(request)).get("text", "").replace("\r\n", "\n").strip()[:4000]
    if not (shortcut and len(shortcut) <= 30 and all(letter.isalnum() or letter in "-_" for letter in shortcut)):
        error = speaks("A shortcut is one word of letters, digits, - and _.")
        return await _page(request, error=error, draft=fields)
    if not text:
        return await _page(request, error=speaks("Write something first."), draft=fields)
    language = fields.get("language", "") if fields.get("language") in ("en", "fr") else ""
    id = fields.get("id") or new_id(now)
    canned = to_document(Canned(id, shortcut, text, agent.id, now, language))
    canned.pop("_id")
    plan = Plan()
    plan.update(COLLECTION, Update(id, None, canned, {} if language else {"language": ""}, upsert=not fields.get("id")))
    plan.insert("audit", audit_row("canned.saved", by=agent.id, about=f"canned:{shortcut}", at=now, text=text))
    try:
        await desk.store.commit(plan)
    except AlreadyThere:
        return await _page(request, error=speaks("This shortcut is taken."), draft=fields)
    raise web.HTTPSeeOther(at("canned"))


@may("canned")
async def remove(request: web.Request) -> web.StreamResponse:
    """Remove a canned reply; what was sent with it stays."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    id = request.match_info["id"]
    if await desk.store.remove(COLLECTION, {"_id": id}):
        row = audit_row("canned.removed", by=agent.id, about=f"canned:{id}", at=desk.clock())
        await desk.store.insert("audit", row)
    raise web.HTTPSeeOther(at("canned"))


async def _page(request: web.Request, *, error: str | None, draft: dict[str, str]) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    canned = await all_canned(desk.store)
    return page(
        request, "canned.html", canned=canned, variables=VARIABLES, error=error, draft=draft,
        status=422 if error else 200, **await frame(desk, agent),
    )  # fmt: skip
