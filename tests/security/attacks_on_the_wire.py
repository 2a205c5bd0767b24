"""Attacks below the pages: bytes, headers, compression, encodings, ports."""

import asyncio
import gzip
import json
import re
import socket
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp.http_parser
import pytest
from aiohttp import web

from causerie.data_folder import free_port
from channels.email_address import mailbox
from channels.email_lmtp import Lmtp
from channels.email_mime import Malformed, file_part, header, named, text_part, words
from channels.email_wire import _stuffed
from channels.twilio_media import MediaPlaces
from profiles.public_address import is_public
from profiles.store import Store
from rules.outward import NotPublic, PublicResolver, why_not
from tests.peers.twilio_rest import ACCOUNT
from tests.security.fortress import HOOK_SECRET, RASA_TOKEN, Fortress

EVENTS = "/api/v1/events"
HOOK = "/channels/telegram/webhook"


async def attack_45(castle: Fortress) -> None:
    """A body that unpacks to a gigabyte, one of endless pieces, a form of ten thousand parts, a flood of cookies."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    program = {**await castle.key("events:write"), "Content-Type": "application/json"}
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    shown = {"X-Telegram-Bot-Api-Secret-Token": HOOK_SECRET}
    assert (await castle.ask("POST", EVENTS, by={**program, **packed}, data=bomb)).status == 415
    assert (await castle.ask("POST", HOOK, by={**shown, **packed}, data=bomb)).status == 415
    rasa = f"/actions/webhook?token={RASA_TOKEN}"
    assert (await castle.ask("POST", rasa, by=packed, data=gzip.compress(b" " * 100_000_000))).status in (400, 413)
    tracked = {"Origin": "https://shop.example", **packed}
    assert (await castle.ask("POST", "/t/events", by=tracked, data=bomb)).status == 415

    async def endless() -> Any:
        for _ in range(3_000):
            yield b"x" * 1_000

    for path, shows in ((HOOK, shown), (EVENTS, program), ("/channels/twilio/message", {}), ("/console/sign-in", {})):
        try:
            assert (await castle.ask("POST", path, by=shows, data=endless())).status in (400, 403, 413), path
        except aiohttp.ClientError:
            continue  # hung up before the end: as good
    form = aiohttp.FormData(default_to_multipart=True)
    for number in range(10_000):
        form.add_field(f"f{number}", "x" * 90)
    assert (await castle.ask("POST", "/console/sign-in", data=form)).status in (400, 403, 413)
    for flood in ({"Cookie": "a=b; " * 12_000}, {f"X-{number}": "y" for number in range(500)}):
        try:
            assert (await castle.ask("GET", "/console/sign-in", by=flood)).status == 400
        except aiohttp.ClientError:
            continue
    assert (await castle.ask("GET", "/health")).status == 200


async def attack_46(castle: Fortress) -> None:
    """Requests that two servers would read differently: length and chunks at once, odd digits, odd endings."""
    assert aiohttp.http_parser.HttpRequestParser.__module__.endswith("_http_parser")  # the parser in C, not Python's
    smuggled = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for lines in (
        ["Content-Length: 4", "Transfer-Encoding: chunked"], ["Content-Length: \u0661\u0662"], ["Content-Length: +4"],
        ["Content-Length: 4", "Content-Length: 5"], ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunked, identity"],
        ["Content-Length : 4"], ["Content-Length: 0x4"], ["Transfer-Encoding:\x0bchunked"], [" Content-Length: 4"],
        ["X: a\rContent-Length: 4"], ["Content-Length: 4", "Content-Length: 4"], ["Content-Length: 4, 4"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked", "Content-Length: 4"], ["Host: y", "Content-Length: 4"], ["Content-Length: "],
    ):  # fmt: skip
        head = "\r\n".join(["POST /console/sign-in HTTP/1.1", "Host: x", *lines, "", ""]).encode()
        answers = await _raw(castle, head + b"0\r\n\r\n" + smuggled.encode())
        assert b"causerie_" not in answers, (lines, answers[:300])  # what was hidden behind was not served
        assert answers.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or not answers, (lines, answers[:200])
    for chunks in (
        b"4;x\nabcd\r\n0\r\n\r\n",
        b"4\nabcd\n0\n\n",
        b"0x4\r\nabcd\r\n0\r\n\r\n",
        b"4\r\nabcd0\r\n\r\n",
        b"-4\r\n",
    ):
        head = b"POST /console/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        answers = await _raw(castle, head + chunks + smuggled.encode())
        assert b"causerie_" not in answers and b"HTTP/1.0 400 " in answers, (chunks, answers[:200])
    await _one_after_the_other(castle, smuggled.encode())


async def _one_after_the_other(castle: Fortress, hidden: bytes) -> None:
    """Requests in one piece are answered in their order, once each; what stands in a refused body is none of them."""
    program = _line(await castle.key("events:write"))
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def post(shows: str, body: bytes) -> bytes:
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\n{shows}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def event(number: int) -> bytes:
        return json.dumps({"id": f"p{number}", "name": "cart.updated", "profile": "anna"}).encode()

    answers = await _raw(castle, b"".join(post(program, event(number)) for number in range(5)) + last)
    assert _statuses(answers) == [b"201"] * 5 + [b"200"]
    assert await castle.store.count("events", {"profile": "anna", "name": "cart.updated"}) == 5
    for shows, status in (("X: y", b"401"), ("X: y\r\nContent-Encoding: gzip", b"401"), (program, b"400")):
        answers = await _raw(castle, post(shows, hidden * 3) + last)
        assert _statuses(answers) == [status, b"200"] and b"causerie_" not in answers, (shows, answers[:300])
    answers = await _raw(castle, post("Expect: 100-continue", hidden) + last)
    assert _statuses(answers) == [b"100", b"401", b"200"] and b"causerie_" not in answers
    assert _statuses(await _raw(castle, post(f"{program}\r\nExpect: a miracle", event(6)))) == [b"417"]
    assert await castle.store.count("events", {"profile": "anna", "name": "cart.updated"}) == 5


def _statuses(answers: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)


async def attack_47() -> None:
    """A mail whose words end the mail and begin another: bare line feeds and carriage returns, dots, and old libraries."""
    harmful = "Bonjour\n.\nMAIL FROM:<x@evil.example>\n\r.\r\nRCPT TO:<y@z>\r.\r\n..\n.\r\n"
    for octets in (
        text_part(harmful, "plain"),
        text_part("\n." * 50, "html"),
        file_part(harmful.encode(), "text/plain", "a.txt"),
    ):
        sent = _stuffed(octets)
        assert sent.endswith(b"\r\n.\r\n")
        body = sent[: -len(b".\r\n")]
        assert b"\n" not in body.replace(b"\r\n", b"") and b"\r" not in body.replace(b"\r\n", b"")
        assert not [
            line
            for line in body.split(b"\r\n")
            if line == b"." or (line.startswith(b".") and not line.startswith(b".."))
        ]
        assert b"\r\nMAIL FROM" not in body or octets != sent
    assert tuple(map(int, version("aiosmtpd").split("."))) >= (1, 4, 6)  # CVE-2024-27305, -34083
    for end in (b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r\r\n"):
        smuggled = (
            b"Subject: one\r\n\r\nfirst"
            + end
            + b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@shop.example>\r\nDATA\r\nsecond"
        )
        assert len(await _handed_over(smuggled)) == 1, end


async def attack_48() -> None:
    """Line ends and NUL in a recipient, a sender, a subject, a shown name, a file's name."""
    for harm in ("a\r\nBcc: x@evil.example", "a\nBcc: x", "a\rBcc: x", "a\0b", "\r\n", "a\u2028b"):
        assert mailbox(f"{harm}@shop.example") is None and mailbox(f"x@{harm}.example") is None
        for write in (
            lambda harm=harm: header("Subject", words(harm)),
            lambda harm=harm: header("From", named(harm, "x@shop.example")),
            lambda harm=harm: file_part(b"x", "text/plain", harm),
        ):
            with pytest.raises(Malformed, match="control"):
                write()


async def attack_50(mongo_url: str) -> None:
    """The database's port: reachable from elsewhere, or without its password."""
    port = urlsplit(mongo_url).port
    assert port
    listening = {
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    }
    hosts = {address.partition(":")[0] for address in listening if int(address.partition(":")[2], 16) == port}
    assert hosts == {"0100007F"}  # 127.0.0.1, as the kernel writes it
    stranger = Store(f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=5000", "causerie")
    with pytest.raises(Exception, match="code 13"):  # Unauthorized
        await stranger.find("agents", {})
    await stranger.close()


async def attack_57(castle: Fortress) -> None:
    """Texts and keys that mean something to a database or a language: kept as they are, or refused; never obeyed."""
    program = await castle.key("profiles:read", "profiles:write", "events:write")
    for text in ("$attributes", "$$NOW", "$_id", "{{ 7*7 }}", "__proto__", "a.b", "${jndi:ldap://x}", "%s%n"):
        changed = await castle.ask("PATCH", "/api/v1/profiles/anna", by=program, json={"attributes": {"city": text}})
        assert changed.status == 200, (text, changed.text)
        read = await castle.ask("GET", "/api/v1/profiles/anna", by=program)
        assert read.json["attributes"]["city"]["value"] == text
    keys: Sequence[str] = ("$set", "a.b", "", "a\0b", "\ud800", "constructor.prototype", "$where")
    for key in keys:
        event = {"id": "1", "name": "cart.updated", "profile": "anna", "properties": {key: 1}}
        answer = await castle.ask(
            "POST", EVENTS, by={**program, "Content-Type": "application/json"}, data=json.dumps(event)
        )
        assert answer.status in (400, 422), key
    wide = {"id": "1", "name": "cart.updated", "profile": "anna", "properties": {f"k{n}": n for n in range(10_001)}}
    assert (await castle.ask("POST", EVENTS, by=program, json=wide)).status in (413, 422)
    deep = '{"id":"1","name":"x","profile":"anna","properties":' + '{"a":' * 1_000 + "1" + "}" * 1_001
    answer = await castle.ask("POST", EVENTS, by={**program, "Content-Type": "application/json"}, data=deep)
    assert answer.status in (400, 422)
    assert await castle.store.count("events", {"profile": "anna", "name": "cart.updated"}) == 0


async def attack_58(castle: Fortress) -> None:
    """Half letters, NUL, letters that run backwards, a megabyte of emoji, names that hide themselves in the audit."""
    program = {**await castle.key("profiles:read", "profiles:write"), "Content-Type": "application/json"}
    for raw in (
        b'{"attributes":{"city":"\\ud800"}}',
        b'{"attributes":{"city":"a\\u0000b"}}',
        b'{"attributes":{"city":"\xff"}}',
    ):
        assert (await castle.ask("PATCH", "/api/v1/profiles/anna", by=program, data=raw)).status in (400, 422)
    large = json.dumps({"attributes": {"city": "\U0001f98a" * 250_000}}, ensure_ascii=False).encode()
    assert (await castle.ask("PATCH", "/api/v1/profiles/anna", by=program, data=large)).status in (413, 422)
    bidi = "\u202egro.live\u202c \u2066x\u2069"
    admin = await castle.agent("admin")
    shows = await castle.signed_in(admin)
    fields = {"csrf": shows["X-CSRF"], "name": bidi, "language": "en", "signature": "\u202e"}
    assert (await castle.ask("POST", "/console/settings", by=shows, data=fields)).status == 303
    for path in ("/console/audit", "/console/team"):
        page = await castle.ask("GET", path, by=shows)
        assert page.status == 200 and "gro.live x" in page.text and "\u202e" not in page.text, path


async def attack_59(castle: Fortress) -> None:
    """Instants of no calendar, numbers of no telephone, addresses of no mail, letters that look like others."""
    program = await castle.key("profiles:write", "identities:write", "events:write")
    for at in (
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "NaN",
        "2026-06-30T23:59:60Z",
        "2026-02-30T00:00:00Z",
        "now",
        "",
    ):
        event = {"id": "1", "name": "cart.updated", "profile": "anna", "happened_at": at}
        assert (await castle.ask("POST", EVENTS, by=program, json=event)).status == 422, at
    identities = [("sms", "+33abc"), ("sms", "1" * 40), ("sms", ""), ("email", "x" * 300 + "@shop.example"), ("email", "a@b@c"),
                  ("email", "a b@shop.example"), ("email", "a@-x.example"), ("email", "a@shop..example")]  # fmt: skip
    for space, address in identities:
        body = {"identities": [{"space": space, "address": address}]}
        assert (await castle.ask("POST", "/api/v1/profiles", by=program, json=body)).status == 422, (space, address)
    homograph = {"identities": [{"space": "email", "address": "anna.martin@ex\u0430mple.org"}]}  # a Cyrillic letter
    made = await castle.ask("POST", "/api/v1/profiles", by=program, json=homograph)
    assert made.status == 422 or made.json["id"] != "anna"
    raw = b'{"id":"1","name":"x","profile":"anna","properties":{"n":NaN}}'
    answer = await castle.ask("POST", EVENTS, by={**program, "Content-Type": "application/json"}, data=raw)
    assert answer.status == 400


async def attack_60(castle: Fortress) -> None:
    """One Idempotency-Key for two bodies, for many at once, of ten thousand letters, of another's key."""
    program, other = await castle.key("profiles:write"), await castle.key("profiles:write")
    body = {"attributes": {"name": "Once"}}
    mark = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(castle.ask("POST", "/api/v1/profiles", by={**program, **mark}, json=body) for _ in range(10))
    )
    assert {answer.status for answer in answers} <= {201, 409}
    changed = {"attributes": {"name": "Twice"}}
    assert (await castle.ask("POST", "/api/v1/profiles", by={**program, **mark}, json=changed)).status == 422
    long = {"Idempotency-Key": "x" * 8_000}
    assert (await castle.ask("POST", "/api/v1/profiles", by={**program, **long}, json=body)).status == 400
    assert (await castle.ask("POST", "/api/v1/profiles", by={**other, **mark}, json=changed)).status == 201
    assert await castle.store.count("profiles", {"attributes.name.value": "Once"}) == 1


async def attack_67(castle: Fortress) -> None:
    """Compression inside compression, under several names."""
    body = zlib.compress(gzip.compress(b"\0" * 20_000_000))
    shown = {"X-Telegram-Bot-Api-Secret-Token": HOOK_SECRET}
    program = await castle.key("events:write")
    for encoding in ("gzip, gzip", "deflate, gzip", "gzip,deflate", "br", "zstd", "gzip, identity", "nonsense"):
        packed = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        assert (await castle.ask("POST", EVENTS, by={**program, **packed}, data=body)).status in (400, 415), encoding
        assert (await castle.ask("POST", HOOK, by={**shown, **packed}, data=body)).status in (400, 415), encoding
    twice = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"  # the server unpacks by the last
    for path, who in ((HOOK, f"X-Telegram-Bot-Api-Secret-Token: {HOOK_SECRET}"), (EVENTS, _line(program))):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{who}\r\n{twice}Content-Type: application/json\r\nConnection: close\r\n"
        answer = await _raw(castle, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert b" 415 " in answer.partition(b"\r\n")[0], path
    assert (await castle.ask("GET", "/health")).status == 200


def _line(headers: Mapping[str, str]) -> str:
    return "\r\n".join(f"{name}: {value}" for name, value in headers.items())


async def attack_69() -> None:
    """Ways round a check of addresses: redirects, names that answer twice, other spellings, a user in front."""
    inside = (
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "172.16.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "::",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fd00::1", "fe80::1", "fec0::1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "192.0.0.8", "198.18.0.1", "240.0.0.1", "255.255.255.255", "ff02::1",
    )  # fmt: skip
    assert [one for one in inside if is_public(one)] == []
    assert is_public("9.9.9.9") and is_public("2620:fe::fe")
    for url in (
        "https://u:p@hooks.example/", "http://hooks.example/", "https://hooks.example:8443/", "https://[::1]/", "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/", "ftp://x", "https://", "https://169.254.169.254/latest", "gopher://x", "https://x\r\n.example@y",
    ):  # fmt: skip
        assert why_not(url), url
    for written in ("127.1", "2130706433", "0x7f.1", "localhost"):  # spellings that only a look-up tells
        with pytest.raises((NotPublic, OSError)):
            await PublicResolver().resolve(written, 443)
    asked: list[str] = []

    async def redirects(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound(targets[len(asked) - 1])

    targets = [
        "http://169.254.169.254/x",
        "https://evil.example/x",
        "https://mms.twiliocdn.com:22/x",
        "file:///etc/passwd",
    ]
    runner = web.ServerRunner(web.Server(redirects))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}"
    places = MediaPlaces(api, ACCOUNT, ("mms.twiliocdn.com",))
    async with aiohttp.ClientSession() as client:
        for _ in targets:
            with pytest.raises(LookupError, match="not allowed|could not be fetched"):
                await places.fetch(
                    client, {}, f"{api}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM{'a' * 32}/Media/ME{'b' * 32}"
                )
    await runner.cleanup()
    assert len(asked) == len(targets)


async def _handed_over(octets: bytes) -> list[bytes]:
    """Hand one mail over to our own port for mail, as our mail server does; return what was taken as mails."""
    taken: list[bytes] = []

    async def take(octets: bytes, **_: Any) -> None:
        taken.append(octets)

    options: Any = SimpleNamespace(lmtp_host="127.0.0.1", lmtp_port=free_port(), largest_in=1_000_000)
    incoming: Any = SimpleNamespace(is_ours=lambda address: True, take=take)
    lmtp = Lmtp(options, incoming)
    await lmtp.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", options.lmtp_port)
    writer.write(b"LHLO here\r\nMAIL FROM:<a@shop.example>\r\nRCPT TO:<b@shop.example>\r\nDATA\r\n")
    await asyncio.wait_for(_greeted(reader), 10)
    writer.write(octets + b"\r\n.\r\nQUIT\r\n")
    await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await lmtp.close()
    return taken


async def _greeted(reader: asyncio.StreamReader) -> None:
    """Read up to the word that the mail itself may come."""
    while not (await reader.readline()).startswith(b"354"):
        pass


async def _raw(castle: Fortress, request: bytes) -> bytes:
    """Return all that comes back on a connection of its own."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(castle.url.rpartition(":")[2]), family=socket.AF_INET
    )
    writer.write(request)
    answer = b""
    try:
        async with asyncio.timeout(1.5):
            while piece := await reader.read(65_536):
                answer += piece
    except TimeoutError:
        pass
    writer.close()
    return answer
