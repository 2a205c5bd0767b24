"""Secrets, addresses and words are planted in everything that comes in, then looked for where they must not be.

That is in logs (at DEBUG too), in /metrics, /health and in what is answered to those who may not know them: on the way that goes
well and on every way that does not, a database that fails and a mistake of our own included.
"""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from admin import totp
from admin.agents import Totp
from profiles.store import Store, Unavailable
from tests.admin.office import PASSWORD
from tests.peers.bot_api import TOKEN as BOT_TOKEN
from tests.peers.twilio_rest import TOKEN as TWILIO_TOKEN
from tests.security.attacks_on_chat import _upload
from tests.security.attacks_on_sign_in import _form, _signed
from tests.security.attacks_on_webhooks import _said, _sms, _telegram, _twilio
from tests.security.fortress import (
    HOOK_SECRET,
    IDENTITY_SECRET,
    PUBLIC_URL,
    RASA_TOKEN,
    WEBHOOK_SECRET,
    Fortress,
    fortress,
)

WORDS, NAME = "zzquetzalcoatlus", "Zzyzxhumperdinck"
"""What a customer writes and how they are called: nothing else holds these letters."""
EMAIL, PHONE = "zz.planted@customers.example", "+33698765432"
MISTAKE = "a mistake of ours, quoting"


@pytest.fixture(params=["INFO", "DEBUG"])
async def castle(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Fortress]:
    async with fortress(mongo_url, database_name, free_port, tmp_path, log_level=request.param) as opened:
        await opened.people()
        yield opened


async def test_nothing_that_was_planted_is_found(castle: Fortress, monkeypatch: pytest.MonkeyPatch) -> None:
    planted, answers = await _live_a_day(castle)
    with monkeypatch.context() as failing:
        failing.setattr(Store, "get", _fails(Unavailable(f"no answer for {EMAIL}")))
        answers += await _knock_everywhere(castle, planted)
    words = (
        "" if logging.getLogger().level == logging.DEBUG else WORDS
    )  # an exception's own words are told at DEBUG alone
    with monkeypatch.context() as broken:
        broken.setattr(Store, "get", _fails(ValueError(f"{MISTAKE} {EMAIL} {PHONE} {planted['api key']} {words}")))
        broken.setattr(Store, "first", _fails(ValueError(f"{MISTAKE} {EMAIL} {PHONE} {planted['api key']} {words}")))
        answers += await _knock_everywhere(castle, planted)
    answers += [(await castle.ask("GET", path)).text for path in ("/metrics", "/health", "/api/docs")]
    log = castle.log.getvalue()
    assert "exception=ValueError" in log and "unavailable" in log  # the bad ways were really gone
    for name, secret in planted.items():
        assert secret not in log, (name, [line for line in log.splitlines() if secret in line][:2])
        assert [answer for answer in answers if secret in answer] == [], name
    assert not any(MISTAKE in answer for answer in answers)


async def _live_a_day(castle: Fortress) -> tuple[dict[str, str], list[str]]:
    """Let all sorts of things happen, well and badly; return what was planted by name, and what strangers were answered."""
    second = totp.new_secret()
    maya = await castle.agent("admin", "Maya Lindqvist", totp=Totp(second))
    shows = await castle.signed_in(maya)
    program = await castle.key("profiles:read", "profiles:write", "identities:write", "events:write")
    key = program["Authorization"].partition(" ")[2]
    form = await _form(castle, "/console/sign-in")
    answers = [
        (await _signed(castle, form, EMAIL, "planted-wrong-password-0815")).text.replace(
            EMAIL, ""
        ),  # their own e-mail again
        (await _signed(castle, form, "maya@example.org", PASSWORD)).text,
        (await castle.ask("GET", "/api/v1/profiles", by={"Authorization": f"Bearer {key[:-1]}x"})).text,
    ]
    await _telegram(castle, {"update_id": 1, "message": {**_said(WORDS), "from": {"id": 5, "first_name": NAME}}})
    await _twilio(castle, "/channels/twilio/message", _sms(WORDS, From=PHONE))
    answers += [
        (await _telegram(castle, {"update_id": 2, "message": _said(WORDS)}, secret="planted-hook-secret")).text,
        (await _twilio(castle, "/channels/twilio/message", _sms(WORDS, From=PHONE), signature="cGxhbnRlZA==")).text,
        (await castle.ask("POST", "/api/v1/events", by=program, data=f'{{"{WORDS}'.encode())).text,
    ]
    known = {"identities": [{"space": "email", "address": EMAIL}], "attributes": {"name": NAME}}
    made = await castle.ask("POST", "/api/v1/profiles", by=program, json=known)
    assert made.status in (200, 201), made.text
    async with castle.visitor(identity="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ6eiJ9.cGxhbnRlZHBsYW50ZWQ") as (chat, welcome):
        await chat.send_json({"type": "say", "id": "planted-0001", "text": f"{WORDS} {EMAIL} {PHONE}"})
        while (await chat.receive_json())["type"] != "ack":
            pass
        answers.append((await _upload(castle, welcome["token"], b"MZ" + WORDS.encode())).text)
    link = castle.links.preferences(made.json["id"], castle.desk.clock())
    await castle.ask("POST", f"{link}/none", data={})
    answers.append((await castle.ask("GET", link[:-3])).text)
    cookie = shows["Cookie"].partition("=")[2]
    planted = {
        "telegram token": BOT_TOKEN, "twilio token": TWILIO_TOKEN, "hook secret": HOOK_SECRET, "rasa token": RASA_TOKEN,
        "identity secret": IDENTITY_SECRET, "webhook secret": WEBHOOK_SECRET, "password": PASSWORD, "second factor": second,
        "wrong password": "planted-wrong-password-0815", "api key": key, "session": cookie, "form": shows["X-CSRF"],
        "visitor": welcome["token"].rpartition(".")[2], "link": link.rpartition("/")[2], "words": WORDS, "name": NAME,
        "e-mail": EMAIL, "phone": PHONE[1:], "forged hook secret": "planted-hook-secret", "forged signature": "cGxhbnRlZA",
        "signing secret": castle.desk.secret.hex(),
    }  # fmt: skip
    return planted, answers


async def _knock_everywhere(castle: Fortress, planted: dict[str, str]) -> list[str]:
    """Ask at every kind of door, with all that is planted, and return what those are answered who are refused."""
    program = {"Authorization": f"Bearer {planted['api key']}"}
    hit = {"consent": True, "events": [{"id": "planted-0001", "name": "page.viewed", "properties": {"words": WORDS}}]}
    told = {"sender_id": EMAIL, "latest_message": {"text": f"{WORDS} {EMAIL}"}, "slots": {"name": NAME}}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/console/people", {"by": {"Cookie": f"__Host-causerie={planted['session']}"}}),
        ("GET", "/api/v1/profiles/anna", {"by": program}),
        ("PATCH", "/api/v1/profiles/anna", {"by": program, "json": {"attributes": {"name": WORDS}}}),
        ("GET", f"/p/{planted['link']}", {}),
        ("GET", f"/p/{planted['link']}/data.json", {}),
        ("POST", "/t/events", {"by": {"Origin": PUBLIC_URL}, "data": json.dumps(hit)}),
        ("GET", f"/q/{planted['words'][:8]}", {}),
        ("POST", f"/actions/nlg?token={RASA_TOKEN}", {"json": {"response": "utter_x", "tracker": told}}),
        ("GET", f"/channels/webchat/files/{WORDS}?until=9&signature={planted['visitor']}", {}),
        ("POST", "/console/sign-in", {"data": {"email": EMAIL, "password": PASSWORD}}),
    ]
    answers = [(path, await castle.ask(method, path, **more)) for method, path, more in asked]
    found = [
        answer.text.replace(path, "") for path, answer in answers if answer.status >= 400
    ]  # their own address again
    found.append((await _telegram(castle, {"update_id": 9, "message": _said(f"{WORDS} {EMAIL}")})).text)
    found.append((await _twilio(castle, "/channels/twilio/message", _sms(WORDS, id="9" * 32, From=PHONE))).text)
    return found


def _fails(error: Exception) -> Any:
    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail
