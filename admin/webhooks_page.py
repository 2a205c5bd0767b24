"""The webhooks of rules that were not taken: given up, and once more by a button, or waiting for another try; and why."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from admin.agents import audit_row
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.pages import at, page
from admin.paging import Key, after_key, key_of
from admin.roles import may
from admin.texts import Texts
from profiles.store import Document
from rules.effects import ERRANDS
from rules.errands import again

PAGE = 60
GIVEN_UP = {"kind": "webhook", "state": "dead"}


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show those that were given up, the latest first, and before them those that failed and are tried again, the soonest first."""
    desk, agent, speaks = request.config_dict[DESK], agent_of(request), texts_of(request)
    where = after_key(GIVEN_UP, "at", key_of(request.query.get("after")))
    rows = await desk.store.find(ERRANDS, where, sort=[("at", -1), ("_id", 1)], limit=PAGE + 1)
    following = str(Key(rows[PAGE - 1]["at"], rows[PAGE - 1]["_id"])) if len(rows) > PAGE else None
    shown = _shown(rows[:PAGE], speaks)
    waiting = [] if request.query.get("after") else _shown(await _waiting(desk), speaks)
    done = request.query.get("done") == "yes"
    return page(
        request,
        "webhooks.html",
        rows=shown,
        waiting=waiting,
        following=following,
        done=done,
        **await frame(desk, agent),
    )


@may("publish")
async def retry(request: web.Request) -> web.StreamResponse:
    """Let one be tried for three more days; 404 where there is none, the list as it is where somebody was quicker."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    done = await again(desk.store, id, desk.clock())
    if done is None:
        raise web.HTTPNotFound
    if done:
        await desk.store.insert("audit", audit_row("webhook.again", by=agent.id, about=id, at=desk.clock()))
    raise web.HTTPSeeOther(at("webhooks", done="yes" if done else None))


async def given_up(request: web.Request) -> int:
    """Return how many were given up, counted to 100."""
    return await request.config_dict[DESK].store.count(ERRANDS, GIVEN_UP, at_most=100)


async def _waiting(desk: Desk) -> list[Document]:
    """Return those that failed and are due later; one that was only just begun has no reason yet."""
    later = {"kind": "webhook", "due_at": {"$gt": desk.clock()}}
    found = await desk.store.find(ERRANDS, later, sort=[("due_at", 1)], limit=PAGE)
    return [row for row in found if row.get("reason")]


def _shown(rows: Iterable[Document], speaks: Texts) -> list[Document]:
    return [{**row, "place": _place(row["target"]), "why": _why(row.get("reason"), speaks)} for row in rows]


def _place(target: str) -> str:
    """Return host and path: what follows them may hold a key."""
    parts = urlsplit(target)
    return f"{parts.hostname or ''}{parts.path}"


def _why(reason: Any, speaks: Texts) -> str:
    match str(reason or ""):
        case "timeout":
            return speaks("It did not answer in time.")
        case "unreachable":
            return speaks("It could not be reached.")
        case "silent":
            return speaks("The other side does not answer: it is left alone for a moment.")
        case "not_public":
            return speaks("Its address is not a public one.")
        case "not_https":
            return speaks("Its address does not begin with https.")
        case "bad_address":
            return speaks("Its address is none.")
        case "no_secret":
            return speaks("No secret to sign with is set.")
        case "nobody":
            return speaks("The contact does not exist any more.")
        case status if status.isdecimal():
            return speaks("It answered {status}.", status=status)
        case other:
            return other
