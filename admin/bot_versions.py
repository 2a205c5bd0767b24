"""Every state of the bot's files since people teach it here: who changed what, line by line, and the way back."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from admin import agents
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.learning import audit_of, workshop_of
from admin.pages import at, fragment, page
from admin.roles import may
from admin.speech import bound
from bot import versions
from bot.versions import Version
from bot.workshop import Refused

PAGE = 40
MOST_LINES = 400
_AROUND = 2  # unchanged lines shown beside a change


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison: `+` came, `-` went, ` ` stayed, `@` a gap."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One file before and after."""

    path: str
    lines: tuple[Line, ...]


@may("propose")
async def show(request: web.Request) -> web.Response:
    """Show the versions, the latest first; a script asks for more of them."""
    return await _page(request)


@may("propose")
async def show_one(request: web.Request) -> web.Response:
    """Show what one version changed."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    workshop_of(request)
    version = await _version(request)
    before = await versions.by_number(desk.store, version.number - 1)
    head = await versions.latest(desk.store)
    texts = await versions.texts_of(desk.store, version)
    old = await versions.texts_of(desk.store, before) if before else {}
    return page(
        request, "learning_version.html", version=version, head=head, files=compare(old, texts) if before else (),
        is_first=before is None, agents=await agents.everyone(desk.store), **await frame(desk, agent),
    )  # fmt: skip


@may("teach")
async def restore(request: web.Request) -> web.StreamResponse:
    """Make the files what they were in this version, tried first like every edit."""
    agent, fields, version = agent_of(request), await form(request), await _version(request)
    seen = fields.get("seen", "")
    came = await workshop_of(request).restore(
        version.number,
        seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
        by=agent.id,
        audit=lambda made: audit_of(made, agent),
    )
    if isinstance(came, Refused):
        return await _page(request, came)
    raise web.HTTPSeeOther(at("learning", "versions", done=str(came.version.number)))


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Compared, ...]:
    """Return the files that differ, with the lines that do and two around them; at most 400 lines in all."""
    left, found = MOST_LINES, []
    for path in sorted(before.keys() | after.keys()):
        lines = tuple(_lines(before.get(path, ""), after.get(path, "")))[:left]
        if lines:
            found.append(Compared(path, lines))
        left -= len(lines)
    return tuple(found)


def _lines(before: str, after: str) -> Iterator[Line]:
    if before == after:
        return
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_AROUND, lineterm="")
    for number, line in enumerate(compared):
        if number > 2 and line.startswith("@@"):
            yield Line("@", "")
        elif number > 2:
            yield Line(line[:1], line[1:])


async def _version(request: web.Request) -> Version:
    id = request.match_info["id"]
    number = int(id) if id.isascii() and id.isdigit() and len(id) < 10 else 0
    found = await versions.by_number(request.config_dict[DESK].store, number)
    if found is None:
        raise web.HTTPNotFound
    return found


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    desk, agent, workshop = request.config_dict[DESK], agent_of(request), workshop_of(request)
    after = request.query.get("after", "")
    below = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else None
    found = await versions.before(desk.store, below, PAGE + 1)
    known: dict[str, Any] = {
        "versions": found[:PAGE],
        "following": str(found[PAGE - 1].number) if len(found) > PAGE else None,
        "head": await versions.latest(desk.store),
        "agents": await agents.everyone(desk.store),
    }
    if request.headers.get("X-Fragment"):
        return fragment(request, "_versions.html", **known)
    speaks = bound(texts_of(request))
    return page(
        request, "learning_versions.html", can_edit=workshop.can_edit, done=request.query.get("done", "")[:12],
        error=speaks.refusal(refused.reason) if refused else None, problems=refused.problems if refused else (),
        status=422 if refused else 200, **known, **await frame(desk, agent),
    )  # fmt: skip
