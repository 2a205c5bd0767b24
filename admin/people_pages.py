"""The pages about people: the list and its search, one contact, and the edits, merges and undos an agent makes there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from admin import agents, search, timeline
from admin.agents import Agent, audit_row
from admin.answers import answer
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of
from admin.incoming import body
from admin.pages import fragment, page
from admin.people import person, read_profile, threads_of
from admin.roles import may
from profiles import attributes, merging
from profiles.snapshot import Changes, Refusal, Snapshot, Work


@may("people")
async def show_people(request: web.Request) -> web.Response:
    """Show people, the newest first, or those a search finds; a script asks for more of them."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    asked = request.query.get("q", "")[: search.LONGEST]
    found, following = await search.people(desk, asked, after=request.query.get("after"))
    if request.headers.get("X-Fragment"):
        return fragment(request, "_people.html", people=found, following=following, asked=asked)
    return page(
        request, "people.html", people=found, following=following, asked=asked, **await frame(desk, agent)
    )  # fmt: skip


@may("people")
async def show_person(request: web.Request) -> web.Response:
    """Show one contact: what we know, and the whole timeline."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    profile = await read_profile(desk, request.match_info["id"])
    if profile is None:
        raise web.HTTPNotFound
    threads = await threads_of(desk, profile)
    return page(
        request, "person.html", profile=profile, person=await person(desk, profile), threads=threads,
        stretch=await timeline.stretch(desk.store, profile), agents=await agents.everyone(desk.store),
        reads={thread.id: thread.customer_read_seq for thread in threads}, **await frame(desk, agent),
    )  # fmt: skip


@may("converse")
async def edit(request: web.Request) -> web.Response:
    """Learn or forget one attribute; a value of null forgets it."""
    desk, agent, id = request.config_dict[DESK], agent_of(request), request.match_info["id"]
    fields = await body(request, name=str, value=(str, type(None)))
    name, value = str(fields.get("name", "")).strip(), fields.get("value")

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.profile(id)
        if profile is None:
            return Refusal("unknown_profile")
        by = f"agent:{agent.id}"
        learned = attributes.edit(profile, name, value or None, source="declared", by=by, now=snapshot.now)
        if isinstance(learned, Refusal):
            return learned
        audit = audit_row("profile.edited", by=agent.id, about=profile.id, at=snapshot.now, attribute=name,
                          before=_plain(profile.value(name)), after=_plain(value))  # fmt: skip
        return Changes(profiles=(learned,), records=(("audit", audit),))

    return await answer(request, desk.writer.commit(Work(think, profiles=(id,))))


@may("merge")
async def preview_merge(request: web.Request) -> web.Response:
    """Show, side by side, who would become one; without another contact, a search for them."""
    desk = request.config_dict[DESK]
    kept = await read_profile(desk, request.match_info["id"])
    if kept is None:
        raise web.HTTPNotFound
    asked = request.query.get("q", "")[: search.LONGEST]
    other = await read_profile(desk, request.query["other"]) if request.query.get("other") else None
    found: list[Any] = []
    if other is None and asked:
        found, _ = await search.people(desk, asked)
    candidates = [profile for profile in found if profile.id != kept.id][:8]
    return fragment(request, "_merge.html", kept=kept, other=other, candidates=candidates, asked=asked)


@may("merge")
async def merge(request: web.Request) -> web.Response:
    """Make another contact a part of this one."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    id = request.match_info["id"]
    fields = await body(request, other=str, conflict=str)
    other = await read_profile(desk, str(fields.get("other", "")))
    threads = tuple(thread.id for thread in await threads_of(desk, other)) if other else ()

    def think(snapshot: Snapshot) -> Changes | Refusal:
        kept, absorbed = snapshot.profile(id), snapshot.profile(other.id) if other else None
        if kept is None or absorbed is None:
            return Refusal("unknown_profile")
        by = f"agent:{agent.id}"
        settles = str(fields["conflict"]) if fields.get("conflict") else None
        merged = merging.merge(snapshot, kept, absorbed, by=by, why="agent", now=snapshot.now, settles=settles)
        return _audited(merged, "profile.merged", kept.id, agent, snapshot, absorbed=absorbed.id)

    work = Work(think, profiles=(id, other.id) if other else (id,), conversations=threads)
    return await answer(request, desk.writer.commit(work))


@may("merge")
async def undo(request: web.Request) -> web.Response:
    """Make two contacts again of one that was merged."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    record = await desk.store.get("merges", request.match_info["id"])
    if record is None:
        raise web.HTTPNotFound
    kept = await read_profile(desk, str(record["kept"]))
    threads = tuple(thread.id for thread in await threads_of(desk, kept)) if kept else ()

    def think(snapshot: Snapshot) -> Changes | Refusal:
        undone = merging.undo(snapshot, record, by=f"agent:{agent.id}", now=snapshot.now)
        return _audited(undone, "profile.merge_undone", str(record["kept"]), agent, snapshot, merge=str(record["_id"]))

    work = Work(think, profiles=(str(record["kept"]), str(record["absorbed"])), conversations=threads)
    return await answer(request, desk.writer.commit(work))


@may("merge")
async def settle(request: web.Request) -> web.Response:
    """Say that two contacts are two people: the conflict leaves the list."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    id = request.match_info["id"]
    row = await desk.store.get("conflicts", id)
    if row is None:
        raise web.HTTPNotFound

    def think(snapshot: Snapshot) -> Changes | Refusal:
        settled = merging.settle(id, by=f"agent:{agent.id}", how="different", now=snapshot.now)
        audit = audit_row("conflict.settled", by=agent.id, about=str(row["profiles"][0]), at=snapshot.now, conflict=id)
        return Changes(amends=(settled,), records=(("audit", audit),))

    return await answer(request, desk.writer.commit(Work(think)))


def _audited(
    thought: Changes | Refusal, act: str, about: str, agent: Agent, snapshot: Snapshot, **details: Any
) -> Changes | Refusal:
    if isinstance(thought, Refusal):
        return thought
    row: Mapping[str, Any] = audit_row(act, by=agent.id, about=about, at=snapshot.now, **details)
    return replace(thought, records=(*thought.records, ("audit", row)))


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
