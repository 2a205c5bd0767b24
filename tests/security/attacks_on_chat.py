"""Attacks through the web chat: other visitors' rooms and files, what agents then open, floods."""

import asyncio
import contextlib
import struct
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from admin.prose import prose
from channels.webchat_kinds import kind_of
from channels.webchat_tokens import sign_identity
from profiles.calendar import utc_now
from tests.admin.test_attachments import PNG
from tests.security.fortress import IDENTITY_SECRET, PUBLIC_URL, Answer, Fortress

FILES = "/channels/webchat/files"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='http://127.0.0.1/x'/></svg>"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


async def attack_8(castle: Fortress) -> None:
    """One visitor's token, or a guess, for another visitor's file."""
    async with castle.visitor() as (anna, hers), castle.visitor() as (boris, his):
        kept = (await _upload(castle, hers["token"], PNG)).json["file"]
        await boris.send_json({"type": "say", "id": "attack-00001", "file": kept})
        assert (await _next(boris, "refused"))["reason"] == "gone"
        own = (await _upload(castle, his["token"], PNG)).json["file"]
        await boris.send_json({"type": "say", "id": "attack-00002", "file": own})
        url = (await _next(boris, "message"))["files"][0]["url"].removeprefix(PUBLIC_URL)
        assert (await castle.ask("GET", url)).status == 200
        for guess in (url.replace(own, kept), url.partition("?")[0].replace(own, kept), f"{FILES}/{'0' * 26}"):
            assert (await castle.ask("GET", guess, by={"Authorization": f"Bearer {his['token']}"})).status == 403
    random = [one[10:] for one in (kept, own)]
    assert random[0] != random[1] and all(len(set(one)) > 6 for one in random)  # 80 bits that nobody counts up


async def attack_9(castle: Fortress) -> None:
    """History asked for with another room's address, in every place where an address could stand."""
    async with castle.visitor() as (anna, hers):
        await anna.send_json({"type": "say", "id": "attack-00001", "text": "a secret of Anna's"})
        await _next(anna, "ack")
    address = hers["address"]
    forged = hers["token"].rpartition(".")[0] + "." + "A" * 43
    for hello in (
        {"token": forged}, {"token": f"v1.{address}."}, {"address": address, "conversation": f"webchat:{address}"},
        {"token": f"v0.{address}.{hers['token'].rpartition('.')[2]}"}, {"last_seq": 0, "profile": address},
    ):  # fmt: skip
        async with castle.visitor(**hello) as (stranger, welcome):
            assert welcome["address"] != address
            await stranger.send_json({"type": "earlier", "before": 99, "conversation": f"webchat:{address}"})
            await stranger.send_json({"type": "again", "seq": 1, "conversation": f"webchat:{address}"})
            await stranger.send_json({"type": "ping"})
            heard = await _until(stranger, "pong")
        assert "secret" not in str(heard)
    for token in (forged, "", f"v1.{address}.", address):
        inbox = await castle.ask("GET", "/channels/inapp/messages", by={"Authorization": f"Bearer {token}"})
        assert inbox.status == 401, token


async def attack_10(castle: Fortress) -> None:
    """A customer's message with a link that runs: `javascript:`, in Markdown, in HTML, in odd letters."""
    links = [
        "[x](javascript:alert(1))", '<a href="javascript:alert(1)">x</a>', "JaVaScRiPt:alert(1)", "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>", "https://ok.example/\"onmouseover=alert(1)", "vbscript:x", "![x](x)",
    ]  # fmt: skip
    async with castle.visitor() as (anna, welcome):
        for number, text in enumerate(links):
            await anna.send_json({"type": "say", "id": f"attack-{number:05}", "text": text})
            await _next(anna, "ack")
    page = await _conversation(castle, welcome)
    assert "javascript:alert" in page.lower()  # it is there, as text
    for harm in ('href="javascript', 'href="data', 'href="vbscript', '"onmouseover=', "<script>alert", "<img src=x"):
        assert harm not in page.lower()
    assert 'href="https://ok.example/"' in page
    assert "<a" not in prose("ftp://x file:///etc/passwd //evil.example javascript://https:x")


async def attack_14(castle: Fortress) -> None:
    """One visitor's signature under another visitor's address."""
    async with castle.visitor() as (_, hers), castle.visitor() as (_, his):
        grafted = f"v1.{hers['address']}.{his['token'].rpartition('.')[2]}"
        assert (await _upload(castle, grafted, PNG)).status == 401
        async with castle.visitor(token=grafted) as (_, welcome):
            assert welcome["address"] not in (hers["address"], his["address"])


async def attack_17(castle: Fortress) -> None:
    """A picture that is a program: SVG with a script and a fetch, under a harmless name and type."""
    shows = await castle.signed_in(await castle.agent())
    disguised = {"X-File-Name": "avatar.png", "Content-Type": "image/png"}
    async with castle.visitor() as (_, welcome):
        for content in (SVG, b"\xef\xbb\xbf" + SVG, b"<?xml version='1.0'?>" + SVG, b" \n" + SVG, b"<!doctype html>"):
            assert (await _upload(castle, welcome["token"], content, disguised)).status == 415
            sent = {**shows, **disguised}
            answer = await castle.ask("POST", "/console/conversations/telegram%3A7003/files", by=sent, data=content)
            assert answer.status == 415
    assert await castle.store.count("files", {}) == 0


async def attack_19(castle: Fortress) -> None:
    """A visitor writes and reads as a known person without that person's signature, or with one that is over."""
    proof = sign_identity({"sub": "anna-7"}, IDENTITY_SECRET, now=utc_now(), valid_for=timedelta(minutes=5))
    async with castle.visitor(identity=proof) as (anna, hers):
        await anna.send_json({"type": "say", "id": "attack-00001", "text": "a secret of Anna's"})
        await _next(anna, "ack")
    over = sign_identity(
        {"sub": "anna-7"}, IDENTITY_SECRET, now=utc_now() - timedelta(hours=2), valid_for=timedelta(minutes=1)
    )
    other = sign_identity({"sub": "mallory"}, IDENTITY_SECRET, now=utc_now(), valid_for=timedelta(minutes=5))
    for identity in ("", over, proof[:-2] + "AA"):
        async with castle.visitor(token=hers["token"], identity=identity) as (stranger, said):
            assert said["type"] == "locked", said
            assert "secret" not in str(await _until(stranger, "never"))
        assert (await _upload(castle, hers["token"], PNG, {"X-Identity": identity})).status == 401
    async with castle.visitor(token=hers["token"], identity=other) as (mallory, said):
        assert said.get("address") != hers["address"] and "secret" not in str(await _until(mallory, "history"))


async def attack_35(castle: Fortress) -> None:
    """Files of every kind that runs or unpacks, at both doors for files."""
    shows = await castle.signed_in(await castle.agent())
    kinds = [
        b"MZ" + b"\0" * 60, b"\x7fELF" + b"\0" * 60, b"PK\x03\x04" + b"\0" * 60, b"<?php system('id');", b"#!/bin/sh\x00",
        b"GIF89a", b"\x1f\x8b" + b"\0" * 60, b"Rar!\x1a\x07" + b"\0" * 20, b"", b"\xd0\xcf\x11\xe0" + b"\0" * 60,
    ]  # fmt: skip
    async with castle.visitor() as (_, welcome):
        for content in kinds:
            assert (await _upload(castle, welcome["token"], content, {"X-File-Name": "cat.png"})).status == 415, content
            path = "/console/conversations/telegram%3A7003/files"
            assert (await castle.ask("POST", path, by={**shows, "X-File-Name": "a.pdf"}, data=content)).status == 415
    assert await castle.store.count("files", {}) == 0


async def attack_39(castle: Fortress) -> None:
    """An upload taken over by its id before its owner sends it, and a form's token used in another session."""
    maya, samir = await castle.agent(name="Maya Lindqvist"), await castle.agent(name="Samir Haddad")
    hers, his = await castle.signed_in(maya), await castle.signed_in(samir)
    kept = await castle.ask("POST", "/console/conversations/telegram%3A7003/files", by=hers, data=PNG)
    reply = {"id": "0123456789abcdef0123456789abcdef", "text": "", "files": [kept.json["file"]]}
    elsewhere = "/console/conversations/webchat%3Aa1b2c3d4e5f6a7b8/reply"
    assert (await castle.ask("POST", elsewhere, by=his, json=reply)).status in (400, 404, 409, 410, 422)
    assert await castle.store.count("messages", {"author": "agent:samir"}) == 0
    mixed = {**his, "X-CSRF": hers["X-CSRF"]}
    assert (await castle.ask("POST", "/console/settings/away", by=mixed, json={"away": True})).status == 403


async def attack_43(castle: Fortress) -> None:
    """A PDF and a text that would be a page, opened by an agent and by the visitor."""
    shows = await castle.signed_in(await castle.agent())
    for content, name in ((b"%PDF-1.7\n" + b"x" * 50, "a.pdf"), (b"plain words, no page", "a.html")):
        async with castle.visitor() as (anna, welcome):
            kept = (await _upload(castle, welcome["token"], content, {"X-File-Name": name})).json["file"]
            await anna.send_json({"type": "say", "id": "attack-00001", "file": kept})
            url = (await _next(anna, "message"))["files"][0]["url"].removeprefix(PUBLIC_URL)
        message = await castle.store.first(
            "messages", {"conversation": f"webchat:{welcome['address']}", "author": "customer"}
        )
        assert message
        for answer in (
            await castle.ask("GET", url),
            await castle.ask("GET", f"/console/messages/{message['_id'].replace(':', '%3A')}/files/0", by=shows),
        ):
            assert answer.status == 200
            assert answer.headers["Content-Disposition"].startswith("attachment"), answer.headers
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "html" not in answer.headers["Content-Type"] and "html" not in answer.headers["Content-Disposition"]


async def attack_44(castle: Fortress) -> None:
    """What a visitor writes and presses comes back through the bot into the agent's page."""
    async with castle.visitor(page=f"https://shop.example/{SCRIPT}") as (anna, welcome):
        for number, frame in enumerate(
            ({"text": SCRIPT}, {"text": f"je m'appelle {SCRIPT}"}, {"text": f"commande {SCRIPT}"})
        ):
            await anna.send_json({"type": "say", "id": f"attack-{number:05}", **frame})
            await _next(anna, "ack")
    page = await _conversation(castle, welcome)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page and "<img src=x" not in page


async def attack_66(castle: Fortress) -> None:
    """WebSockets: without an origin, from a foreign page, flooding, huge, reading nothing, opened without end, after sign-out."""
    for path in ("/channels/webchat/socket", "/console/live"):
        for origin in (
            {},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": f"{PUBLIC_URL}.evil.example"},
        ):
            shows = await castle.signed_in(await castle.agent()) if path == "/console/live" and not origin else {}
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with castle.socket(path, **{**{k: v for k, v in shows.items() if k != "Origin"}, **origin}):
                    pass
            assert refused.value.status in (401, 403)
    async with castle.visitor() as (socket, _):
        with contextlib.suppress(ConnectionError):
            for _ in range(2_000):
                await socket.send_json({"type": "ping"})
        await _until(socket, "never")
        assert socket.closed
    async with castle.visitor() as (socket, _):
        await socket.send_str("x" * 100_000)
        await _until(socket, "never")
        assert socket.closed
    async with contextlib.AsyncExitStack() as held:
        for _ in range(20):
            await held.enter_async_context(castle.socket("/channels/webchat/socket", Origin=PUBLIC_URL, **_FROM_ONE))
        with pytest.raises(aiohttp.WSServerHandshakeError) as too_many:
            await held.enter_async_context(castle.socket("/channels/webchat/socket", Origin=PUBLIC_URL, **_FROM_ONE))
        assert too_many.value.status == 429
    shows = await castle.signed_in(await castle.agent(name="Maya Lindqvist"))
    async with castle.socket("/console/live", **shows) as page:
        await castle.ask("POST", "/console/sign-out", by=shows, data={"csrf": shows["X-CSRF"]})
        await _until(page, "never")
        assert page.closed


async def attack_68() -> None:
    """A small file that claims a huge picture, an archive full of nothing, a picture of no size."""
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR"
    claims = {(16, 16): True, (50_000, 50_000): False, (2**32 - 1, 1): False, (0, 0): False, (1, 50_000_001): False}
    for (width, height), is_fine in claims.items():
        picture = head + struct.pack(">II", width, height) + b"\x08\x06\0\0\0" + b"\0" * 40
        assert (kind_of(picture) is not None) is is_fine, (width, height)
    assert kind_of(b"PK\x03\x04" + b"\0" * 1_000) is None
    assert kind_of(b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0" * 20) is None


_FROM_ONE = {"X-Forwarded-For": "9.8.7.6"}


async def _upload(castle: Fortress, token: str, content: bytes, more: Mapping[str, str] | None = None) -> Answer:
    shown = {"Authorization": f"Bearer {token}", "Origin": PUBLIC_URL, "Content-Type": "application/octet-stream"}
    return await castle.ask("POST", FILES, by={**shown, **(more or {})}, data=content)


async def _conversation(castle: Fortress, welcome: Mapping[str, Any]) -> str:
    """Return this visitor's conversation as an agent sees it."""
    shows = await castle.signed_in(await castle.agent())
    page = await castle.ask("GET", f"/console/inbox/all/webchat%3A{welcome['address']}", by=shows)
    assert page.status == 200
    return page.text


async def _next(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    heard = await _until(socket, kind)
    assert heard and heard[-1]["type"] == kind, heard
    return heard[-1]


async def _until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> list[dict[str, Any]]:
    """Return all frames up to the first of this kind, or to the end."""
    heard: list[dict[str, Any]] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while (frame := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                heard.append(frame.json())
                if heard[-1].get("type") == kind:
                    break
    return heard
