"""The API's routes for push tokens: an app registers its own for who is signed in, a server for whom it names.

An app's key may be read by anybody who has the app, so it opens nothing else, and says whose a phone is only by an identity
that the shop's own server signed. docs/channels/devices.md
"""

from typing import Any

from admin import api_kinds as kinds
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import do
from admin.idempotency import Known
from admin.schema import Choice, Field, OrNull, Problem, Shape, Text, Truth
from channels.devices import COLLECTION, LONGEST_TOKEN, PLATFORMS, token_of
from channels.webchat_tokens import LONGEST_TOKEN as LONGEST_IDENTITY
from channels.webchat_tokens import Identity, read_identity
from profiles import devices
from profiles.people import Claimed
from profiles.snapshot import Amend, Changes, Refusal, Snapshot, Work, Write

SAYS_WHOSE = "devices:write"
MOST_THREADS = 100

DEVICE_IN = Shape("NewDevice", {
    "platform": Field(Choice(PLATFORMS), "Whose push service gave the token.", True),
    "token": Field(Text(LONGEST_TOKEN, 20), "The token, as the service gave it.", True),
    "app": Field(Text(160, 1, r"[A-Za-z0-9_.-]+", "com.example.shop"), "The app's own id; Apple's bundle id.", True),
    "locale": Field(kinds.LANGUAGE, "The language of the phone (BCP 47)."),
    "sandbox": Field(Truth(), "A build from Xcode, which Apple keeps apart."),
    "signed_identity": Field(Text(LONGEST_IDENTITY, 1),
                             "Who is signed in, as your own server signed it (as for the web chat); absent: nobody."),
    "profile": Field(kinds.ID, "Whose it is, said by your server (needs devices:write)."),
})  # fmt: skip
DEVICE = Shape("Device", {
    "device": Field(Text(LONGEST_TOKEN + 10), "The key of its identity: the platform, a colon, the token.", True),
    "profile": Field(OrNull(kinds.ID), "Whose it is now; told to those who may write devices.", True),
})  # fmt: skip


async def register_device(call: Call) -> Reply:
    """Register a push token, or say again whose it is."""
    body = call.body
    key, whose = _key(body), _whose(call)
    row = {"app": body["app"], "locale": body.get("locale"), "sandbox": body.get("sandbox", False),
           "registered_at": call.now}  # fmt: skip

    def think(snapshot: Snapshot) -> Changes | Refusal:
        found = devices.register(snapshot, key, whose, locale=body.get("locale"), now=snapshot.now)
        if isinstance(found, Refusal):
            return found
        kept = Amend(key, collection=COLLECTION, put=row, first={"first_at": snapshot.now})
        return found.then(Changes(amends=(kept,), answer=found.answer))

    def shown(changes: Changes) -> Known:
        profile = changes.answer.id if SAYS_WHOSE in call.key.scopes else None
        return Known(200, {"device": key, "profile": profile})

    named = (whose,) if isinstance(whose, str) else ()
    threads = await _threads(call, key)
    work = Work(think, identities=devices.keys_of(key, whose), profiles=named, conversations=threads)
    return await do(call, work, shown)


async def forget_device(call: Call) -> Reply:
    """Forget a push token: nobody is written to there until it is registered again."""
    platform, _, token = call.path["key"].partition(":")
    if platform not in PLATFORMS or (kept := token_of(platform, token)) is None:
        raise Refused("unknown_identity")
    key = f"{platform}:{kept}"

    def think(snapshot: Snapshot) -> Changes:
        return devices.forget(snapshot, key, now=snapshot.now).then(Changes(writes=(Write(COLLECTION, key, None),)))

    return await do(call, Work(think, identities=(key,)), lambda changes: Known(200, {"device": key, "profile": None}))


def _key(body: dict[str, Any]) -> str:
    token = token_of(body["platform"], body["token"])
    if token is None:
        raise Refused("invalid", faults=(Problem("/token", f"expected a token of {body['platform']}"),))
    return f"{body['platform']}:{token}"


def _whose(call: Call) -> Claimed | str | None:
    """Return whom the caller may say that the device is: a signed identity's person, a profile, or nobody. Raises Refused."""
    profile, signed = call.body.get("profile"), call.body.get("signed_identity")
    if profile is not None and signed is not None:
        raise Refused("invalid", faults=(Problem("/profile", "expected it or signed_identity, not both"),))
    if profile is not None:
        call.must_have(SAYS_WHOSE)
        return str(profile)
    if signed is None:
        return None
    read = read_identity(signed, call.desk.identity_secrets, call.now)
    if not isinstance(read, Identity):
        raise Refused("bad_identity", read)
    return Claimed(
        "", read.subject, email=read.email, phone=read.phone, name=read.name, language=read.language,
        country=call.desk.country,
    )  # fmt: skip


async def _threads(call: Call, key: str) -> tuple[str, ...]:
    """Return the conversations of who has the token: they move along when that was nobody known."""
    claim = await call.desk.store.get("identities", key)
    if claim is None:
        return ()
    where = {"profile": {"$eq": str(claim["profile"])}}
    rows = await call.desk.store.find("conversations", where, limit=MOST_THREADS, only=["_id"])
    return tuple(str(row["_id"]) for row in rows)


ROUTES = (
    Route("POST", "/devices", register_device, "devices:register", "Register an app's push token, or say again whose it is.",
          "Enregistrer le jeton de push d'une application, ou redire à qui il est.", DEVICE, body=DEVICE_IN,
          problems=("unknown_profile", "bad_identity", "too_many"), in_apps=True),
    Route("DELETE", "/devices/{key}", forget_device, "devices:register", "Forget a push token, named platform:token.",
          "Oublier un jeton de push, nommé plateforme:jeton.", DEVICE, problems=("unknown_identity",), in_apps=True),
)  # fmt: skip
