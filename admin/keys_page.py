"""API keys in the console: which there are, a new one, shown once, and the end of one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from admin import agents, paging
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.keys import (
    LONGEST_DAYS,
    LONGEST_NAME,
    REMEMBERED_SECONDS,
    SCOPES,
    Key,
    create_key,
    days_of,
    fresh_id,
    is_id,
    name_of,
    revoke_key,
)
from admin.pages import at, page
from admin.roles import may
from admin.texts import Texts
from profiles.record import from_document
from profiles.store import AlreadyThere, Document

PAGE = 60


@may("keys")
async def show(request: web.Request) -> web.Response:
    """Show the keys that are good, the latest first, and below them those that are not."""
    return await _page(request)


@may("keys")
async def make(request: web.Request) -> web.Response:
    """Make a key and show it, this once; the same form sent again, by a reload or a step back, makes no second one."""
    desk, fields, now = request.config_dict[DESK], await form(request), request.config_dict[DESK].clock()
    name, days = name_of(fields.get("name", "")), days_of(fields.get("days", ""))
    scopes = [scope for scope in SCOPES if fields.get(scope) == "yes"]
    if wrong := _wrong(fields, texts_of(request)):
        return await _page(request, wrong=wrong, typed=fields, status=422)
    id = fields.get("id", "")
    ends_at = now + timedelta(days=days) if days else None
    try:
        made = await create_key(
            desk.store, name or "", scopes, now=now, by=agent_of(request).id, expires_at=ends_at,
            id=id if is_id(id) else "",
        )  # fmt: skip
    except AlreadyThere:
        return await _page(request, made_before=id, status=409)
    return await _page(request, made=made)


@may("keys")
async def show_one(request: web.Request) -> web.Response:
    """Show what one key may do, who made it, when it was used, and the way to end it."""
    return await _one(request)


@may("keys")
async def revoke(request: web.Request) -> web.StreamResponse:
    """End a key, once it was said that this is meant; who comes second reads who was first."""
    desk, id = request.config_dict[DESK], request.match_info["id"]
    if (await form(request)).get("sure") != "yes":
        return await _one(request, error=texts_of(request)("Say that you are sure: it can not be undone."), status=422)
    done = await revoke_key(desk.store, id, now=desk.clock(), by=agent_of(request).id)
    raise web.HTTPSeeOther(at("keys", id, done="yes" if done else "before"))


def _wrong(fields: Mapping[str, str], speaks: Texts) -> dict[str, str]:
    """Return what to say at which field."""
    wrong = {}
    if name_of(fields.get("name", "")) is None:
        wrong["name"] = speaks("Write a name of 1 to {most} characters.", most=LONGEST_NAME)
    if not any(fields.get(scope) == "yes" for scope in SCOPES):
        wrong["scopes"] = speaks("Choose at least one: a key that may do nothing opens nothing.")
    if fields.get("days") and days_of(fields["days"]) is None:
        most = speaks.number(LONGEST_DAYS, 0)
        wrong["days"] = speaks("Write a whole number of days from 1 to {most}, or nothing.", most=most)
    return wrong


async def _page(request: web.Request, *, status: int = 200, **known: Any) -> web.Response:
    desk, agent, now = request.config_dict[DESK], agent_of(request), request.config_dict[DESK].clock()
    after, ended = request.query.get("after"), request.query.get("ended")
    good, more_good = await _keys(desk, _good(now), after) if not ended else ([], None)
    others, more_others = await _keys(desk, _no_longer_good(now), ended) if ended or not after else ([], None)
    unsaid: dict[str, Any] = {"made": None, "made_before": None, "wrong": {}, "typed": {}}
    return page(
        request, "keys.html", good=good, more_good=more_good, others=others, more_others=more_others, now=now,
        is_first=not (after or ended), form_id=fresh_id(), kinds=_kinds(texts_of(request)), longest=LONGEST_NAME,
        status=status, **(unsaid | known), **await frame(desk, agent),
    )  # fmt: skip


async def _one(request: web.Request, *, error: str | None = None, status: int = 200) -> web.Response:
    desk, id = request.config_dict[DESK], request.match_info["id"]
    document = await desk.store.get("keys", id)
    if document is None:
        raise web.HTTPNotFound
    key = from_document(Key, document)
    revoked = await desk.store.get("audit", f"key.revoked:{id}")
    return page(
        request, "key.html", key=key, state=key.state(desk.clock()), revoked_by=revoked["by"] if revoked else None,
        team=await agents.everyone(desk.store), done=request.query.get("done", "") if key.revoked_at else "",
        seconds=int(REMEMBERED_SECONDS), error=error, status=status, **await frame(desk, agent_of(request)),
    )  # fmt: skip


async def _keys(desk: Desk, where: Document, after: str | None) -> tuple[list[Key], str | None]:
    """Return a page of keys, the latest made first, and after what the next one begins, if there is one."""
    where = paging.after_key(where, "created_at", paging.key_of(after))
    rows = await desk.store.find("keys", where, sort=[("created_at", -1), ("_id", 1)], limit=PAGE + 1)
    keys = [from_document(Key, row) for row in rows[:PAGE]]
    return keys, str(paging.Key(keys[-1].created_at, keys[-1].id)) if len(rows) > PAGE else None


def _good(now: datetime) -> Document:
    return {"revoked_at": None, "$or": [{"expires_at": None}, {"expires_at": {"$gt": now}}]}


def _no_longer_good(now: datetime) -> Document:
    return {"$or": [{"revoked_at": {"$ne": None}}, {"expires_at": {"$lte": now}}]}


def _kinds(speaks: Texts) -> list[tuple[str, list[str]]]:
    """Return all scopes by what they are about, under its heading."""
    about = {
        speaks("People"): ("profiles", "identities", "consents"),
        speaks("Conversations"): ("conversations", "messages"),
        speaks("Events and rules"): ("events", "rules"),
        speaks("Devices"): ("devices",),
    }
    return [(title, [one for one in SCOPES if one.split(":")[0] in nouns]) for title, nouns in about.items()]
