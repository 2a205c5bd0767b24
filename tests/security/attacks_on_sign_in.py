"""Attacks on who comes in: passwords, sessions, second factors, identity tokens, roles."""

import asyncio
import base64
import hmac
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from jwt import api_jws

from admin import agents, totp
from admin.agents import Totp
from profiles.calendar import utc_now
from tests.admin.office import PASSWORD
from tests.security.fortress import IDENTITY_SECRET, PUBLIC_URL, Answer, Fortress

OPERATORS = ({"$gt": ""}, {"$ne": None}, {"$regex": "^a"}, {"$in": ["admin"]}, {"$exists": True}, [], 1, True, None)


async def attack_1(castle: Fortress) -> None:
    """A sign-in whose e-mail or password is an operator object."""
    await castle.agent("admin")
    form = await _form(castle, "/console/sign-in")
    for field in ("email", "password"):
        good = {"email": "admin@example.org", "password": PASSWORD, "next": ""}
        for operator in OPERATORS:
            answer = await castle.ask("POST", "/console/sign-in", by=form, json={**good, field: operator})
            assert answer.status in (400, 401, 403, 415, 429), (field, operator, answer.status)
        twisted = {**good, f"{field}[$ne]": "x"}
        del twisted[field]
        assert (await castle.ask("POST", "/console/sign-in", by=form, data=twisted)).status in (401, 429)
        written = {**good, field: '{"$gt": ""}'}
        assert (await castle.ask("POST", "/console/sign-in", by=form, data=written)).status == 401
    assert await castle.store.count("sessions", {}) == 0


async def attack_2(castle: Fortress) -> None:
    """A token exchanged for a session in which a claim is an operator object, or whose header chooses how it is checked."""
    for operator in OPERATORS[:5]:
        for claims in ({"sub": operator}, {"sub": "anna", "email": operator}):
            token = _identity(claims)
            async with castle.visitor(identity=token) as (_, welcome):
                assert welcome.get("identity") is None, claims
    for header, secret in (
        ({"alg": "none"}, b""),
        ({"alg": "None", "typ": "JWT"}, b""),
        ({"alg": "HS256", "kid": "../../dev/null"}, b""),
        ({"alg": "RS256"}, IDENTITY_SECRET.encode()),
        ({"alg": "HS512"}, IDENTITY_SECRET.encode()),
        ({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}, b"\0\0\0"),
    ):
        async with castle.visitor(identity=_forged(header, secret)) as (_, welcome):
            assert welcome.get("identity") is None, header
    assert await castle.store.count("visitors", {}) == 0
    answer = await castle.ask("GET", "/api/v1/profiles", by={"Authorization": 'Bearer {"$gt": ""}'})
    assert answer.status == 401


async def attack_3(castle: Fortress) -> None:
    """What comes back from another site to sign in with (identity, where to go next) as an object."""
    for operator in OPERATORS[:5]:
        async with castle.socket("/channels/webchat/socket", Origin=PUBLIC_URL) as socket:
            await socket.send_json({"type": "hello", "identity": operator, "token": operator})
            said = await socket.receive()
            assert said.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSE)
            if said.type is aiohttp.WSMsgType.TEXT:
                assert said.json()["identity"] is None
    page = await castle.ask("GET", "/console/sign-in?next[$ne]=x&next=https://evil.example&next=//evil.example")
    assert page.status == 200 and "evil.example" not in page.text


async def attack_4(castle: Fortress) -> None:
    """Operators in the frames of both WebSockets."""
    async with castle.visitor() as (socket, _):
        for frame in (
            {"type": "say", "id": {"$gt": ""}, "text": "x"},
            {"type": "say", "id": "attack-00001", "text": {"$ne": 1}},
            {"type": "say", "id": "attack-00002", "file": {"$gt": ""}},
            {"type": "earlier", "before": {"$gt": 0}},
            {"type": "seen", "seq": {"$inc": 1}},
        ):
            await socket.send_json(frame)
        heard = await _until_closed_or(socket, frames=5)
        assert not [frame for frame in heard if frame.get("type") in ("ack", "message")]
    assert (
        await castle.store.count("messages", {"channel": "webchat", "author": "customer", "text": {"$exists": True}})
        == 0
    )
    shows = await castle.signed_in(await castle.agent())
    async with castle.socket("/console/live", **shows) as page:
        for frame in (
            {"looks_at": {"$gt": ""}},
            {"view": {"$ne": 1}},
            {"profiles": [{"$gt": ""}]},
            {"typing": {"$gt": 1}},
        ):
            await page.send_json(frame)
        await page.send_json({"begins": True})
        assert (await _until(page, "hello"))["kind"] == "hello"


async def attack_5(castle: Fortress) -> None:
    """A right password, or any, shown where passwords are not asked for."""
    await castle.agent("admin")
    basic = base64.b64encode(f"admin@example.org:{PASSWORD}".encode()).decode()
    for shown in (f"Basic {basic}", f"Bearer {PASSWORD}", "Bearer ", "Basic Og==", "Bearer null"):
        for path in ("/console/team", "/api/v1/profiles", "/console/live"):
            assert (await castle.ask("GET", path, by={"Authorization": shown})).status == 401, (path, shown)
    for cookie in (f"__Host-causerie={PASSWORD}", "__Host-causerie=", "__Host-causerie=admin", "causerie_console=x"):
        assert (await castle.ask("GET", "/console/team", by={"Cookie": cookie})).status == 401


async def attack_6(castle: Fortress) -> None:
    """The live connection opened without the second factor that a role must have, or after the agent was shut out."""
    required = replace(castle.desk.options, second_factor_roles=("admin",))
    object.__setattr__(castle.desk, "options", required)
    admin = await castle.agent("admin")
    shows = await castle.signed_in(admin)
    assert (await castle.ask("GET", "/console/team", by=shows)).status == 303
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with castle.socket("/console/live", **shows):
            pass
    maya = await castle.agent(name="Maya Lindqvist")
    hers = await castle.signed_in(maya)
    async with castle.socket("/console/live", **hers) as page:
        secured = replace(admin, totp=Totp(totp.new_secret()), version=1)
        await agents.change(castle.store, replace(admin, version=1), secured)
        fields = {
            "csrf": shows["X-CSRF"],
            "role": "agent",
            "capacity": "5",
        }  # no `active`: she may not come in any more
        assert (await castle.ask("POST", "/console/team/maya", by=shows, data=fields)).status == 303
        assert await _until_closed_or(page, frames=50) is not None and page.closed
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with castle.socket("/console/live", **hers):
            pass


async def attack_15(castle: Fortress) -> None:
    """An e-mail address said by a stranger beforehand, then proved by its owner."""
    program = await castle.key("profiles:write", "identities:write")
    squat = {"identities": [{"space": "email", "address": "zoe@example.org"}], "attributes": {"name": "Mallory"}}
    made = await castle.ask("POST", "/api/v1/profiles", by=program, json=squat)
    assert made.status in (200, 201), made.text
    owner = _identity({"sub": "zoe", "email": "zoe@example.org"})
    async with castle.visitor(identity=owner) as (socket, welcome):
        assert welcome["identity"] is not None
        await socket.send_json({"type": "say", "id": "attack-00001", "text": "Bonjour"})
        await _until(socket, "ack")
    holder = await castle.store.get("identities", "email:zoe@example.org")
    assert holder and holder["profile"] != made.json["id"]


async def attack_16(castle: Fortress) -> None:
    """A session from before the password was changed."""
    maya = await castle.agent(name="Maya Lindqvist")
    stolen, own = await castle.signed_in(maya), await castle.signed_in(maya)
    fields = {"csrf": own["X-CSRF"], "old": PASSWORD, "new": "another long pass phrase"}
    assert (await castle.ask("POST", "/console/settings/password", by=own, data=fields)).status == 303
    assert (await castle.ask("GET", "/console/settings", by=stolen)).status == 401
    assert (await castle.ask("GET", "/console/settings", by=own)).status == 200


async def attack_36(castle: Fortress) -> None:
    """An agent who calls what only those may who publish, restore, invite."""
    shows = await castle.signed_in(await castle.agent())
    for path in (
        "/console/rule-files", "/console/rule-files/cart.yml", "/console/rules/cart/state", "/console/learning/versions/1",
        "/console/team/invitations", "/console/canned", "/console/rule-files/cart.yml/trial",
    ):  # fmt: skip
        assert (await castle.ask("POST", path, by=shows, json={"text": "x"})).status == 403, path
    assert (castle.book / "cart.yml").read_text().startswith("# brings back")


async def attack_37(castle: Fortress) -> None:
    """A session that the attacker chose beforehand, or reads from the database, or from a script."""
    await castle.agent(name="Maya Lindqvist")
    chosen = "__Host-causerie=chosen-by-the-attacker-0123456789abcdef"
    form = await _form(castle, "/console/sign-in")
    form["Cookie"] += f"; {chosen}"
    signed = await _signed(castle, form, "maya@example.org", PASSWORD)
    assert signed.status == 303
    cookie = next(one for one in signed.headers.getall("Set-Cookie") if one.startswith("__Host-causerie="))  # type: ignore[attr-defined]
    token = cookie.partition("=")[2].partition(";")[0]
    assert "chosen" not in token and len(token) >= 43
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert (await castle.ask("GET", "/console/settings", by={"Cookie": chosen})).status == 401
    kept = await castle.store.find("sessions", {})
    for id in (row["_id"] for row in kept):
        assert (await castle.ask("GET", "/console/settings", by={"Cookie": f"__Host-causerie={id}"})).status == 401


async def attack_38(castle: Fortress) -> None:
    """Many passwords tried at once, from many addresses, before any of them is counted."""
    await castle.agent(name="Maya Lindqvist")
    form, before = await _form(castle, "/console/sign-in"), castle.desk.passwords.checked
    tries = await asyncio.gather(*(_signed(castle, form, "maya@example.org", f"wrong {n}") for n in range(30)))
    assert sorted({answer.status for answer in tries}) == [401, 429]
    assert castle.desk.passwords.checked - before <= 5
    spread = [_signed(castle, form, f"n{n}@example.org", "wrong", address="9.9.9.9") for n in range(30)]
    assert [answer.status for answer in await asyncio.gather(*spread)].count(401) <= 20
    other = await _signed(
        castle, form, "n99@example.org", "wrong"
    )  # a guesser locks nobody out who comes from elsewhere
    assert other.status == 401


async def _form(castle: Fortress, path: str) -> dict[str, str]:
    """Return the headers of a browser that has this form open."""
    page = await castle.ask("GET", path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text[:300]
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-CSRF": found[1], "Origin": PUBLIC_URL}


async def _signed(castle: Fortress, form: dict[str, str], email: str, password: str, *, address: str = "") -> Answer:
    fields = {"email": email, "password": password, "next": ""}
    return await castle.ask("POST", "/console/sign-in", by=form, data=fields, address=address)


def _identity(claims: dict[str, Any]) -> str:
    """Return a token that the shop's secret signs, whatever it claims: what no careful library would make."""
    exp = int((utc_now() + timedelta(minutes=5)).timestamp())
    return api_jws.encode(json.dumps({**claims, "exp": exp}).encode(), IDENTITY_SECRET, algorithm="HS256")


def _forged(header: dict[str, Any], secret: bytes) -> str:
    """Return a token whose header asks to be checked otherwise than we do, signed as it says."""
    exp = int((utc_now() + timedelta(minutes=5)).timestamp())
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, {"sub": "anna", "exp": exp})
    ]
    digest = {"HS512": "sha512"}.get(header["alg"], "sha256")
    mac = hmac.digest(secret, b".".join(parts), digest) if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


async def _until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            frame = (await socket.receive()).json()
            if kind in (frame.get("type"), frame.get("kind")):
                return dict(frame)


async def _until_closed_or(socket: aiohttp.ClientWebSocketResponse, *, frames: int) -> list[dict[str, object]]:
    """Return what came until the socket closed, or this many frames."""
    heard: list[dict[str, object]] = []
    with_text = aiohttp.WSMsgType.TEXT
    async with asyncio.timeout(10):
        while len(heard) < frames and (frame := await socket.receive()).type is with_text:
            heard.append(frame.json())
    return heard
