"""Every route of the console: names its permission, refuses those without it, and answers those with it."""

import pytest
from aiohttp import web

from admin.roles import GRANTED, ROLES, may, permission_of
from admin.routes import table
from tests.admin.office import Office

PUBLIC = {"/sign-in", "/sign-in/code", "/welcome/{token}", "/static/{version}/{name}"}


def test_every_route_names_a_permission_that_exists() -> None:
    granted = {"public", *(permission for role in ROLES for permission in GRANTED[role])}
    for route in table():
        assert permission_of(route.handler) in granted, route.path


def test_only_the_way_in_is_public() -> None:
    assert {route.path for route in table() if permission_of(route.handler) == "public"} == PUBLIC


async def test_a_route_without_a_permission_answers_nobody(office: Office) -> None:
    agent = await office.agent(role="admin")
    caller = await office.signed_in(agent)
    assert (await caller.get("/nowhere")).status == 404

    async def forgotten(request: web.Request) -> web.Response:
        return web.Response(text="open")

    assert permission_of(forgotten) is None
    assert permission_of(may("self")(forgotten)) == "self"


@pytest.mark.parametrize("route", [route for route in table() if permission_of(route.handler) != "public"], ids=str)
async def test_a_stranger_is_sent_away_from(route: web.RouteDef, office: Office) -> None:
    stranger = office.stranger()
    path = _filled(route.path)
    answer = await (stranger.get(path) if route.method == "GET" else stranger.post(path))
    assert answer.status == 401, path


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_reaches_exactly_what_it_is_granted(role: str, office: Office) -> None:
    caller = await office.signed_in(await office.agent(role=role))  # type: ignore[arg-type]
    for route in table():
        permission = permission_of(route.handler)
        if permission == "public" or route.path in ("/live", "/sign-out"):
            continue
        path = _filled(route.path)
        answer = await (caller.get(path) if route.method == "GET" else caller.post(path))
        assert (answer.status == 403) == (permission not in GRANTED[role]), (role, route.method, path, answer.status)
        assert answer.status < 500, (path, answer.status)


def _filled(path: str) -> str:
    known = {"{id}": "nobody", "{view}": "all", "{message}": "none", "{file}": "none.yml", r"{number:\d{1,3}}": "0"}
    for name, value in known.items():
        path = path.replace(name, value)
    return path
