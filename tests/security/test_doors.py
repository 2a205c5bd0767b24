"""The matrix: every route of the server x everybody who may knock x ids of others. What is not declared fails.

This folder mirrors no package: what it proves holds for the whole server, so it starts the whole server (fortress.py).
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from admin import agents
from admin.keys import SCOPES
from admin.roles import GRANTED, ROLES
from channels import house
from tests.security.doors import OPEN, Door, door_of, doors, every_route
from tests.security.fortress import Fortress, fortress

REFUSED = {400, 401, 403, 404, 405, 409, 410, 415, 422, 426}
OPEN_CHANNELS = {"email", "inapp", "telegram", "twilio", "wallet", "webchat", "webpush"}
WITHOUT_ROUTES = {"apns", "fcm", "smpp"}
"""Channels that nobody calls over HTTP: they call, or listen elsewhere."""
STRANGE = (
    "nobody", "$where", "a.b", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "%7B%22%24gt%22%3A%22%22%7D", "__proto__",
    "%F0%9F%92%A5", "x" * 2_000, "-1", "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
)  # fmt: skip
"""What may stand in an address where an id is expected, as it is written there."""


@dataclass(frozen=True)
class Knocker:
    """Somebody who knocks at every door: what they show, and what it is good for."""

    name: str
    shows: dict[str, str]
    permissions: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()


@pytest.fixture
async def castle(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Fortress]:
    async with fortress(mongo_url, database_name, free_port, tmp_path) as opened:
        await opened.people()
        yield opened


async def test_every_route_says_who_may_come_in_and_nothing_is_declared_that_is_not_there(castle: Fortress) -> None:
    routes = list(every_route(castle.app))
    undeclared = [f"{method} {path}" for method, path, handler in routes if door_of(method, path, handler) is None]
    assert undeclared == [], "declare them in tests/security/doors.py"
    assert set(OPEN) - {f"{method} {path}" for method, path, _ in routes} == set()


def test_every_channel_stands_in_the_matrix_or_has_no_routes() -> None:
    assert set(house.names()) - OPEN_CHANNELS - WITHOUT_ROUTES == set(), (
        "open it in fortress.py, or say it has no routes"
    )


@pytest.mark.parametrize("who", ["nobody", "visitor", *ROLES, "a key that was never made", *SCOPES])
async def test_each_door_opens_to_whom_it_is_for_and_to_nobody_else(castle: Fortress, who: str) -> None:
    knocker = await _knocker(castle, who)
    wrong = []
    for door in doors(castle.app):
        status = await _knock(castle, door, knocker)
        if not _is_right(door, knocker, status):
            wrong.append((door.name, door.asks, status))
    assert wrong == []


@pytest.mark.parametrize("strange", STRANGE, ids=[name[:24] for name in STRANGE])
async def test_ids_that_are_none_break_nothing_even_for_those_who_may_do_all(castle: Fortress, strange: str) -> None:
    admin = Knocker("admin", await castle.signed_in(await castle.agent("admin")))
    program = Knocker("program", await castle.key(*SCOPES))
    wrong = []
    for door in doors(castle.app):
        if "{" in door.path and door.path != "/console/sign-out":
            status = await _knock(castle, door, program if door.kind == "api" else admin, strange)
            if status >= 500 or (status < 300 and door.kind == "link"):
                wrong.append((door.name, status))
    assert wrong == []


async def test_every_act_of_the_console_asks_for_a_page_of_ours_and_its_token(castle: Fortress) -> None:
    shows = await castle.signed_in(await castle.agent("admin"))
    cookie, origin, token = ({name: shows[name]} for name in ("Cookie", "Origin", "X-CSRF"))
    forged: list[dict[str, str]] = [
        {**cookie, **origin},
        {**cookie, **token},
        {**cookie, **token, "Origin": "https://evil.example"},
        {**cookie, **token, "Origin": "null"},
        {**cookie, **token, "Sec-Fetch-Site": "same-site"},
        {**cookie, **origin, "X-CSRF": "0" * 40},
    ]
    acts = [door for door in doors(castle.app) if door.kind == "console" and door.method == "POST"]
    assert len(acts) > 40
    for door in acts:
        for by in forged:
            status = (await castle.ask("POST", _filled(door.path, "nobody"), by=by, json={})).status
            assert status == 403, (door.name, sorted(by))


async def test_an_agent_ends_no_session_of_another_by_its_id(castle: Fortress) -> None:
    maya, samir = await castle.agent(name="Maya Lindqvist"), await castle.agent(name="Samir Haddad")
    hers, his = await castle.signed_in(maya), await castle.signed_in(samir)
    sessions = await castle.store.find("sessions", {"agent": "samir"})
    await castle.ask(
        "POST", "/console/settings/sessions", by=hers, data={"csrf": hers["X-CSRF"], "session": sessions[0]["_id"]}
    )
    assert (await castle.ask("GET", "/console/settings", by=his)).status == 200


async def test_an_agent_changes_nobody_elses_role_capacity_or_invitations(castle: Fortress) -> None:
    hers = await castle.signed_in(await castle.agent(name="Maya Lindqvist"))
    await castle.agent("admin", "Samir Haddad")
    for path in ("/console/team/samir", "/console/team/maya", "/console/team/invitations"):
        fields = {"csrf": hers["X-CSRF"], "role": "admin", "active": "yes", "capacity": "99"}
        assert (await castle.ask("POST", path, by=hers, data=fields)).status == 403
    roles = {row["_id"]: row["role"] for row in await castle.store.find("agents", {})}
    assert roles == {"maya": "agent", "samir": "admin"}


async def test_a_supervisor_who_may_set_capacities_makes_nobody_an_admin(castle: Fortress) -> None:
    hers = await castle.signed_in(await castle.agent("supervisor", "Maya Lindqvist"))
    fields = {"csrf": hers["X-CSRF"], "role": "admin", "active": "yes", "capacity": "9"}
    assert (await castle.ask("POST", "/console/team/maya", by=hers, data=fields)).status == 303
    found = await castle.store.get("agents", "maya")
    assert found and (found["role"], found["capacity"]) == ("supervisor", 9)


async def test_one_persons_link_opens_no_other_persons_page(castle: Fortress) -> None:
    now = castle.desk.clock()
    hers, his = castle.links.preferences("anna", now), castle.links.preferences("boris", now)
    assert (await castle.ask("GET", hers)).status == 200
    body, _, signature = hers.rpartition(".")
    grafted = f"{his.rpartition('.')[0]}.{signature}"
    assert (await castle.ask("GET", grafted)).status == 404
    assert (await castle.ask("GET", f"{body}.{'A' * len(signature)}")).status == 404
    elsewhere = hers.replace("/p/", "/u/")  # signed for another purpose
    assert (await castle.ask("POST", elsewhere)).status == 404


def _is_right(door: Door, knocker: Knocker, status: int) -> bool:
    if status >= 500:
        return False
    match door.kind:
        case "all":
            return status not in (401, 403) or door.method == "POST"  # the way in has forms, and those are guarded
        case "console":
            may = door.asks in knocker.permissions
            return (status not in (401, 403)) if may else status == (403 if knocker.permissions else 401)
        case "api":
            may = door.asks in knocker.scopes
            return (status not in (401, 403)) if may else status == (403 if knocker.scopes else 401)
        case "provider":
            return status in (401, 403)
        case "visitor" if knocker.name == "visitor":
            return True  # their own; what is another's, the attacks on the chat try
        case _:
            return status in REFUSED


async def _knocker(castle: Fortress, who: str) -> Knocker:
    if who == "nobody":
        return Knocker(who, {})
    if who == "visitor":
        async with castle.visitor() as (_, welcome):
            return Knocker(who, {"Authorization": f"Bearer {welcome['token']}"})
    if who in ROLES:
        agent = await castle.agent(who)  # type: ignore[arg-type]
        return Knocker(who, await castle.signed_in(agent), permissions=GRANTED[who])
    if who in SCOPES:
        return Knocker(who, await castle.key(who), scopes=frozenset([who]))
    return Knocker(who, {"Authorization": f"Bearer ck_AAAAAAAA_{'B' * 43}"})


async def _knock(castle: Fortress, door: Door, knocker: Knocker, id: str = "nobody") -> int:
    shows = knocker.shows
    if door.path == "/console/sign-out" and knocker.permissions:  # their own session is needed for the other doors
        agent = await agents.by_id(castle.store, knocker.name)
        assert agent
        shows = await castle.signed_in(agent)
    if door.kind == "api" and door.method != "GET":
        body = json.dumps({}).encode()
        more = {"Content-Type": "application/json", "Idempotency-Key": f"{id[:20]}-{door.path}"}
        answer = await castle.ask(door.method, _filled(door.path, id), by={**shows, **more}, data=body)
        return answer.status
    if door.method in ("GET", "OPTIONS"):
        return (await castle.ask(door.method, _filled(door.path, id), by=shows)).status
    return (await castle.ask(door.method, _filled(door.path, id), by=shows, json={})).status


def _filled(path: str, id: str) -> str:
    known = {"view": "all", "number": "0", "version": "1", "path": "widget.css", "name": "en", "file": "cart.yml"}
    if id != "nobody":
        known = {"number": "0"}
    quoted = id if "%" in id else quote(id, safe="")
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: known.get(found[1], quoted), path)
