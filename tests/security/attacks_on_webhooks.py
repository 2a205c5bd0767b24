"""Attacks by whoever pretends to be a provider, or repeats what a provider said: forged, replayed, reordered, harmful inside."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from admin import totp
from admin.agents import Totp
from channels.twilio_signature import sign
from profiles.calendar import utc_now
from tests.admin.office import PASSWORD
from tests.peers.twilio_rest import ACCOUNT, FROM
from tests.peers.twilio_rest import TOKEN as TWILIO_TOKEN
from tests.security.attacks_on_sign_in import _form, _signed
from tests.security.fortress import HOOK_SECRET, PUBLIC_URL, Answer, Fortress
from tests.waiting import until

HOOK, MESSAGE, STATUS = "/channels/telegram/webhook", "/channels/twilio/message", "/channels/twilio/status"
SCRIPT = "<script>alert(1)</script>"


async def attack_7(castle: Fortress) -> None:
    """A picture message that names an address inside our network, signed and unsigned; then an agent opens it."""
    asked: list[str] = []

    async def inside(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="internal secret")

    runner = web.ServerRunner(web.Server(inside))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    shows = await castle.signed_in(await castle.agent())
    targets = [
        f"http://127.0.0.1:{port}/x", f"http://localhost:{port}/x", f"{castle.twilio.url}@127.0.0.1:{port}/x",
        f"{castle.twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages/../../../x", "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd", f"{castle.twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM{'a' * 32}/Media/ME{'b' * 32}#@x",
    ]  # fmt: skip
    for number, target in enumerate(targets):
        fields = _sms("", id=f"{number:032x}", NumMedia="1", MediaUrl0=target, MediaContentType0="image/png")
        assert (await _twilio(castle, MESSAGE, fields, signature="forged")).status == 403
        assert (await _twilio(castle, MESSAGE, fields)).status == 200
        path = f"/console/messages/twilio%3ASM{number:032x}/files/0"
        answer = await castle.ask("GET", path, by=shows)
        assert answer.status == 404 and "secret" not in answer.text, target
    await runner.cleanup()
    assert asked == []


async def attack_31(castle: Fortress) -> None:
    """A failed delivery whose reason holds a script, unsigned and signed; then an agent looks."""
    shows = await castle.signed_in(await castle.agent())
    await _twilio(castle, MESSAGE, _sms("Bonjour"))
    reply = {"id": "0123456789abcdef0123456789abcdef", "text": "Bonjour"}
    sent = await castle.ask("POST", "/console/conversations/twilio%3A%2B33612345678/reply", by=shows, json=reply)
    assert sent.status == 200, sent.text
    await until(lambda: any(form["Body"] == "Bonjour" for form in castle.twilio.messages))
    message = await until(lambda: _sent(castle, sent.json["said"]["id"]))
    status = {"MessageSid": message["delivery"]["provider_id"].partition(":")[2], "MessageStatus": "failed",
              "ErrorCode": SCRIPT, "ErrorMessage": SCRIPT, "RawDlrDoneDate": SCRIPT}  # fmt: skip
    assert (await _twilio(castle, STATUS, status, signature="forged")).status == 403
    assert (await _twilio(castle, STATUS, status)).status == 200
    for path in (
        "/console/inbox/all/twilio%3A%2B33612345678",
        f"/console/deliveries/{message['_id'].replace(':', '%3A')}",
    ):
        page = await castle.ask("GET", path, by=shows)
        assert SCRIPT not in page.text, path


async def attack_42(castle: Fortress) -> None:
    """Updates made to keep the server busy: deep, recursive, huge numbers, missing and mistaken parts. Each is answered soon."""
    deep: Any = {"text": "x"}
    for _ in range(300):
        deep = {"reply_to_message": deep, "message_id": 1, "chat": {"id": 5, "type": "private"}}
    updates: list[Any] = [
        {"update_id": 1, "message": deep}, {"update_id": 10**30, "message": _said("x")}, {"update_id": -1}, [], None, 1,
        {"update_id": 2, "message": {**_said("x"), "entities": [{"type": "url", "offset": -9, "length": 10**9}] * 5_000}},
        {"update_id": 3, "message": {**_said("x"), "chat": {"id": 10**40, "type": "private"}}},
        {"update_id": 4, "message": {**_said("/" * 4_000)}}, {"update_id": 5, "message": {**_said("a " * 2_000 + "@")}},
        {"update_id": 6, "callback_query": {"id": "1", "from": {"id": 5}, "data": "r:" + "9" * 60}},
        {"update_id": 7, "message": {**_said("x"), "date": 10**18}},
    ]  # fmt: skip
    for update in updates:
        began = time.monotonic()
        answer = await _telegram(castle, update)
        assert answer.status < 500 and time.monotonic() - began < 5, update
    raw = b'{"update_id":8,"message":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001
    assert (await _telegram(castle, raw)).status == 400


async def attack_51(castle: Fortress) -> None:
    """Webhooks with no signature, an empty, a cut, another's, and the right one over another body."""
    fields, other = _sms("one"), _sms("two")
    right = sign(TWILIO_TOKEN, PUBLIC_URL + MESSAGE, list(fields.items()))
    for signature in (
        None,
        "",
        right[:-4],
        right.lower(),
        "A" * 27 + "=",
        sign("e" * 32, PUBLIC_URL + MESSAGE, list(fields.items())),
        "\u00e9",
    ):
        assert (await _twilio(castle, MESSAGE, fields, signature=signature)).status == 403, signature
    assert (await _twilio(castle, MESSAGE, other, signature=right)).status == 403
    for secret in (None, "", HOOK_SECRET[:-1], HOOK_SECRET + "x", HOOK_SECRET.upper()):
        assert (await _telegram(castle, {"update_id": 1, "message": _said("x")}, secret=secret)).status == 403
    assert await castle.store.count("messages", {"content.text": {"$in": ["one", "two", "x"]}}) == 0
    assert "signature" in castle.log.getvalue()  # it is logged, without what was shown
    assert right not in castle.log.getvalue() and HOOK_SECRET not in castle.log.getvalue()


async def attack_52(castle: Fortress) -> None:
    """The same thing once more: a webhook, a code of the second factor, a form after its session."""
    fields, update = _sms("once", id="a" * 32), {"update_id": 77, "message": _said("once")}
    for _ in range(3):
        assert (await _twilio(castle, MESSAGE, fields)).status == 200
        assert (await _telegram(castle, update)).status == 200
    await asyncio.gather(*(_twilio(castle, MESSAGE, fields) for _ in range(10)))
    assert await castle.store.count("messages", {"content.text": "once"}) == 2
    secret = totp.new_secret()
    await castle.agent(name="Maya Lindqvist", totp=Totp(secret))
    code = totp.code_at(secret, int(utc_now().timestamp()) // totp.STEP_SECONDS)
    statuses = []
    for _ in range(2):
        form = await _form(castle, "/console/sign-in")
        page = await _signed(castle, form, "maya@example.org", PASSWORD)
        ticket = page.text.partition('name="ticket" value="')[2].partition('"')[0]
        fields = {"ticket": ticket, "code": code, "next": ""}
        statuses.append((await castle.ask("POST", "/console/sign-in/code", by=form, data=fields)).status)
    assert statuses == [303, 401]


async def attack_53(castle: Fortress) -> None:
    """A JSON webhook is judged by its bytes: the same value written otherwise has another signature."""
    body = json.dumps({**_sms("\U0001f98a"), "Path": "a/b"}).replace("/", "\\/").encode()
    assert (await _twilio_json(castle, body, body)).status == 200
    written_anew = json.dumps(json.loads(body), ensure_ascii=False).encode()
    assert written_anew != body and json.loads(written_anew) == json.loads(body)
    assert (await _twilio_json(castle, written_anew, body)).status == 403
    assert (await castle.ask("POST", MESSAGE, by={"Content-Type": "application/json"}, data=body)).status == 403


async def attack_54(castle: Fortress) -> None:
    """A signature for a host that the request names itself."""
    fields = _sms("spoofed")
    evil = sign(TWILIO_TOKEN, "https://evil.example" + MESSAGE, list(fields.items()))
    spoofs = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Original-URL": MESSAGE,
              "Forwarded": "host=evil.example;proto=https"}  # fmt: skip
    assert (await _twilio(castle, MESSAGE, fields, signature=evil, more=spoofs)).status == 403
    assert (await _twilio(castle, MESSAGE, fields, more=spoofs)).status == 200  # what they say changes nothing


async def attack_55(castle: Fortress) -> None:
    """States out of order: of a message nobody sent, `read` before `sent`, `sent` after `delivered`, a week late."""
    shows = await castle.signed_in(await castle.agent())
    await _twilio(castle, MESSAGE, _sms("Bonjour"))
    reply = {"id": "0123456789abcdef0123456789abcdef", "text": "Bonjour"}
    sent = await castle.ask("POST", "/console/conversations/twilio%3A%2B33612345678/reply", by=shows, json=reply)
    message = await until(lambda: _sent(castle, sent.json["said"]["id"]))
    sid = message["delivery"]["provider_id"].partition(":")[2]
    for state in ("read", "sent", "delivered", "queued", "nonsense"):
        assert (await _twilio(castle, STATUS, {"MessageSid": sid, "MessageStatus": state})).status == 200
        found = await castle.store.get("messages", message["_id"])
        assert found and found["delivery"]["state"] == "read", state
    unknown = {"MessageSid": "SM" + "9" * 32, "MessageStatus": "delivered"}
    assert (await _twilio(castle, STATUS, unknown)).status in (200, 404)


async def attack_56(castle: Fortress) -> None:
    """One id given by two providers, and one number by two channels: two messages, neither lost."""
    await _telegram(castle, {"update_id": 5, "message": {**_said("by telegram"), "message_id": 5}})
    await _twilio(castle, MESSAGE, {**_sms("by sms"), "MessageSid": "5", "SmsSid": "5"})
    texts = {row["content"]["text"] for row in await castle.store.find("messages", {"author": "customer"})}
    assert {"by telegram", "by sms"} <= texts


async def attack_62(castle: Fortress) -> None:
    """STOP in other letters, languages, with marks around it; and words that only contain it."""
    for number, text in enumerate(
        ("STOP", "stop.", " Stop! ", "ARRÊT", "arret", "S T O P", "\u200bSTOP", "Désinscription", "stop \U0001f6d1")
    ):
        sender = f"+3361234{number:04}"
        await _twilio(castle, MESSAGE, _sms("Bonjour", id=f"b{number:031x}", From=sender))
        await _twilio(castle, MESSAGE, _sms(text, id=f"c{number:031x}", From=sender))
        assert await _is_banned(castle, sender) == (text != "S T O P"), text
    await _twilio(castle, MESSAGE, _sms("Non-stop ouvert ? Le bus stop ici ?", id="d" * 32, From="+33612349999"))
    assert not await _is_banned(castle, "+33612349999")


async def _is_banned(castle: Fortress, number: str) -> bool:
    holder = await castle.store.get("identities", f"sms:{number}")
    profile = await castle.store.get("profiles", holder["profile"]) if holder else None
    assert profile
    return any(one["address"] == number and one.get("suppression") for one in profile["identities"])


async def _sent(castle: Fortress, id: str) -> dict[str, Any] | None:
    found = await castle.store.get("messages", id)
    return found if found and found.get("delivery", {}).get("provider_id") else None


def _said(text: str) -> dict[str, Any]:
    who = {"id": 5, "is_bot": False, "first_name": "Zoé"}
    return {"message_id": 1, "date": int(time.time()), "chat": {"id": 5, "type": "private"}, "from": who, "text": text}


def _sms(text: str, *, id: str = "1" * 32, **more: str) -> dict[str, str]:
    ids = {"MessageSid": f"SM{id}", "SmsSid": f"SM{id}", "AccountSid": ACCOUNT}
    return {**ids, "From": "+33612345678", "To": FROM, "Body": text, "NumMedia": "0", **more}


async def _telegram(castle: Fortress, update: Any, *, secret: str | None = HOOK_SECRET) -> Answer:
    shown = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
    raw = update if isinstance(update, bytes) else json.dumps(update).encode()
    return await castle.ask("POST", HOOK, by={**shown, "Content-Type": "application/json"}, data=raw)


async def _twilio(
    castle: Fortress,
    path: str,
    fields: Mapping[str, str],
    *,
    signature: str | None = "right",
    more: Mapping[str, str] | None = None,
) -> Answer:
    if signature == "right":
        signature = sign(TWILIO_TOKEN, PUBLIC_URL + path, list(fields.items()))
    shown = {"X-Twilio-Signature": signature} if signature is not None else {}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return await castle.ask("POST", path, by={**form, **shown, **(more or {})}, data=urlencode(list(fields.items())))


async def _twilio_json(castle: Fortress, body: bytes, signed: bytes) -> Answer:
    path = f"{MESSAGE}?bodySHA256={hashlib.sha256(signed).hexdigest()}"
    mac = base64.b64encode(hmac.digest(TWILIO_TOKEN.encode(), (PUBLIC_URL + path).encode(), "sha1")).decode()
    return await castle.ask("POST", path, by={"X-Twilio-Signature": mac, "Content-Type": "application/json"}, data=body)
