"""What is no body at all, at every route that takes one: refused, and nothing of it is told as a mistake of ours."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from admin.keys import SCOPES
from profiles.personal_links import Offer
from tests.security.doors import Door, doors
from tests.security.fortress import HOOK_SECRET, PUBLIC_URL, RASA_TOKEN, Fortress, fortress
from tests.security.test_doors import _filled
from tests.waiting import until

FORM, PARTS, JSON = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json"
EVERYWHERE = (
    (f"{FORM}; charset=nope", b"a=b"), (PARTS, b"--b\r\nX: y\r\n\r\nnameless\r\n--b--\r\n"),
    (JSON, b'{"text": "\\ud800", "to": "\\ud800", "other": "\\ud800"}'),
)  # fmt: skip
FORMS = (
    (f"{FORM}; charset=unicode_escape", b"email=\\ud800&name=\\ud800"), (f"{FORM}; charset=utf-8", b"email=\xff"),
    (f"{FORM}; charset=zip", b"a=b"), (PARTS, b"garbage"), ("multipart/form-data", b"x"),
    (PARTS, b"--b\r\n" + b"X: y" * 9_000 + b"\r\n\r\nendless\r\n--b--\r\n"),
    (PARTS, b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: no\r\n\r\nx\r\n--b--\r\n'),
    (f"{JSON}; charset=nope", b"{}"), (JSON, b"[" * 100_000), (JSON, b"9" * 5_000), (JSON, b"\xff"),
)  # fmt: skip
"""Where one route stands for all, for all read by the same function."""
PACKED = {"Content-Type": JSON, "Content-Encoding": "gzip"}
NO_REQUESTS = (b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n")


@pytest.fixture
async def castle(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Fortress]:
    async with fortress(mongo_url, database_name, free_port, tmp_path) as opened:
        await opened.people()
        yield opened


async def test_no_body_is_a_mistake_of_ours(castle: Fortress) -> None:
    who = await _everybody(castle)
    for door in doors(castle.app):
        if door.method in ("GET", "OPTIONS", "DELETE") or door.path == "/console/sign-out":
            continue
        place, shows = _place(castle, door), who[door.kind]
        for kind, body in EVERYWHERE:
            answer = await castle.ask(door.method, place, by=shows, data=body, headers={"Content-Type": kind})
            assert answer.status < 500, (door.name, kind, body[:60])
        packed = await castle.ask(door.method, place, by=shows, data=b"x", headers=PACKED)
        assert packed.status == 415 or (door.kind in ("api", "rasa") and packed.status < 500), door.name
    unsubscribe = castle.links.unsubscribe(Offer("anna", "email", "offers"), castle.desk.clock())
    for path, shows in (
        ("/console/sign-in", who["all"]),
        ("/console/settings/away", who["console"]),
        (unsubscribe, {}),
    ):
        for kind, body in FORMS:
            answer = await castle.ask("POST", path, by=shows, data=body, headers={"Content-Type": kind})
            assert answer.status < 500, (path, kind, body[:60])
    for origin in ("http://[", "https://a b"):
        answer = await castle.ask("POST", "/console/settings", by={**who["console"], "Origin": origin}, data={})
        assert answer.status == 403
    for words in ("%00", "a%00b"):
        assert (await castle.ask("GET", f"/console/people?q={words}", by=who["console"])).status == 200
    assert " ERROR " not in castle.log.getvalue()


async def test_who_hangs_up_or_speaks_something_else_is_told_as_no_mistake_of_ours(castle: Fortress) -> None:
    host, port = urlsplit(castle.url).hostname, urlsplit(castle.url).port
    shown = {f"/{way}": "" for way in ("channels/twilio/message", "t/events", "channels/email/mailgun")}
    shown["/api/v1/events"] = f"Authorization: {(await castle.key('events:write'))['Authorization']}\r\n"
    for path, shows in shown.items():
        _, writer = await asyncio.open_connection(host, port)
        heads = f"Origin: {PUBLIC_URL}\r\nContent-Type: {JSON}\r\nContent-Length: 100\r\n"
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n{shows}{heads}\r\n{{".encode())
        await writer.drain()
        writer.transport.abort()
    for octets in NO_REQUESTS:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(octets)
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
    assert castle.log.getvalue().count("INFO http.malformed error=") == len(NO_REQUESTS)
    await until(lambda: castle.log.getvalue().count("INFO http.gone path=/") == len(shown))
    assert " ERROR " not in castle.log.getvalue()


async def _everybody(castle: Fortress) -> dict[str, dict[str, str]]:
    form = await castle.ask("GET", "/console/sign-in")
    token = re.search(r'name="csrf" value="(\w+)"', form.text)
    assert token
    async with castle.visitor() as (_, welcome):
        visitor = {"Authorization": f"Bearer {welcome['token']}", "Origin": PUBLIC_URL}
    cookie = form.headers["Set-Cookie"].partition(";")[0]
    return {
        "console": await castle.signed_in(await castle.agent("admin")), "api": await castle.key(*SCOPES),
        "visitor": visitor, "rasa": {"Authorization": f"Bearer {RASA_TOKEN}"},
        "provider": {"X-Telegram-Bot-Api-Secret-Token": HOOK_SECRET},
        "all": {"Cookie": cookie, "X-CSRF": token[1], "Origin": PUBLIC_URL}, "link": {},
    }  # fmt: skip


def _place(castle: Fortress, door: Door) -> str:
    """Return an address of this route that leads to its handler."""
    if door.path.startswith("/p/{token}"):
        link = castle.links.preferences("anna", castle.desk.clock()).rpartition("/")[2]
        return door.path.replace("{token}", link)
    return _filled(door.path, "nobody").replace("/people/nobody", "/people/anna")
