"""Pushes through Firebase: what Google gets, judged by its own schema, and what each of its answers means."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from channels.channel import Failed, Later, Sending, Sent, Unknown
from channels.fcm import Fcm, Options, connect
from channels.fcm_codes import outcome
from channels.fcm_form import Looks, message
from profiles.timeline import Button, Content
from tests.channels.kits.fcm import PERSON
from tests.channels.push_stage import NOON, PushStage, push, push_stage
from tests.needed import openssl
from tests.peers.firebase import SCHEMA, Firebase, error, faults

OTHER = "fcm-token-of-annas-tablet:APA91b_0123456789"
UNTIL = NOON + timedelta(hours=2)
LATER = format_datetime(NOON + timedelta(seconds=90), usegmt=True)
FULL = Content(
    "Elle vous attend.", title="Votre commande", image="https://shop.example/i.png", link="https://shop.example/o/7",
    badge=2, buttons=(Button("Voir", url="https://shop.example/o"),), data={"order": "7"},
)  # fmt: skip


@pytest.fixture
async def stage(mongo_url: str, database_name: str) -> AsyncIterator[PushStage]:
    openssl()
    async with push_stage(mongo_url, database_name) as found:
        yield found


@asynccontextmanager
async def connected(stage: PushStage, folder: Path, **more: Any) -> AsyncIterator[tuple[Firebase, Fcm]]:
    firebase = Firebase()
    await firebase.start()
    options = Options(
        enabled=True, service_account=str(firebase.account(folder)), api_url=firebase.url, answer_seconds=0.8
    )
    channel = await connect(replace(options, **more), stage.door)
    assert isinstance(channel, Fcm)
    try:
        yield firebase, channel
    finally:
        await channel.close()
        await firebase.stop()


def said(content: Content, looks: Looks | None = None, **metadata: str) -> dict[str, Any]:
    made = message(push(PERSON, content, **metadata), now=NOON, ends_at=UNTIL, looks=looks or Looks())
    assert made is not None
    assert faults(made, SCHEMA, "message") == []
    return made


# -- the form


def test_a_notification_says_all_that_each_platform_shows() -> None:
    made = said(FULL, Looks("chime", "orders"), topic="orders")
    own = orjson.loads(made["data"].pop("causerie"))
    assert own == {
        "id": "m1", "link": "https://shop.example/o/7", "image": "https://shop.example/i.png",
        "buttons": [{"title": "Voir", "url": "https://shop.example/o"}],
    }  # fmt: skip
    assert made == {
        "notification": {"title": "Votre commande", "body": "Elle vous attend.", "image": "https://shop.example/i.png"},
        "data": {"order": "7"},
        "android": {
            "priority": "NORMAL", "ttl": "7200s",
            "notification": {"sound": "chime", "channelId": "orders", "notificationCount": 2},
        },
        "apns": {
            "headers": {"apns-priority": "5", "apns-expiration": str(int(UNTIL.timestamp()))},
            "payload": {"aps": {"badge": 2, "sound": "chime", "thread-id": "orders", "category": "causerie",
                                "mutable-content": 1}},
            "fcmOptions": {"image": "https://shop.example/i.png"},
        },
        "webpush": {"headers": {"TTL": "7200", "Urgency": "normal"}, "fcmOptions": {"link": "https://shop.example/o/7"}},
    }  # fmt: skip


def test_apple_gets_no_empty_payload_which_google_refuses() -> None:
    assert "payload" not in said(Content("Bonjour"), Looks(sound=""))["apns"]


def test_a_silent_message_is_data_alone() -> None:
    made = said(Content("ignored", silent=True, data={"sync": "orders"}), urgency="high")
    assert set(made) == {"data", "android", "apns"}
    assert made["android"] == {"priority": "HIGH", "ttl": "7200s"}
    assert made["apns"]["headers"]["apns-push-type"] == "background"
    assert made["apns"]["headers"]["apns-priority"] == "5"
    assert made["apns"]["payload"] == {"aps": {"content-available": 1}}


def test_a_newer_message_of_a_campaign_takes_the_place_of_an_older() -> None:
    made = said(Content("Soldes"), rule="sale", **{"class": "marketing"})
    key = made["android"]["collapseKey"]
    assert key == made["apns"]["headers"]["apns-collapse-id"] == made["webpush"]["headers"]["Topic"]
    assert made["android"]["notification"]["tag"] == key


def test_what_was_ordered_wakes_the_phone() -> None:
    made = said(Content("Payé"), **{"class": "transactional"})
    assert made["android"]["priority"] == "HIGH"
    assert made["apns"]["headers"]["apns-priority"] == "10"


def test_a_link_that_google_refuses_in_browsers_stays_with_the_app() -> None:
    made = said(Content("Appelez", link="tel:+33100000000"))
    assert "fcmOptions" not in made["webpush"]
    assert orjson.loads(made["data"]["causerie"])["link"] == "tel:+33100000000"


def test_it_is_kept_for_four_weeks_at_most() -> None:
    made = message(push(PERSON), now=NOON, ends_at=NOON + timedelta(days=80), looks=Looks())
    assert made
    assert made["android"]["ttl"] == f"{28 * 86_400}s"


@pytest.mark.parametrize("text", ["é" * 10_000, "🙂" * 3_000, '"' * 5_000, "\u0000" * 3_000])
def test_a_long_body_is_cut_to_what_firebase_takes(text: str) -> None:
    made = said(replace(FULL, text=text))
    carried = orjson.dumps((made["notification"], made["data"], made["apns"]["payload"]))
    assert len(carried) <= 4096
    assert made["notification"]["body"].endswith("…")


def test_what_can_not_be_cut_is_not_sent() -> None:
    huge = push(PERSON, Content("x", data={"blob": "x" * 4_200}))
    assert message(huge, now=NOON, ends_at=UNTIL, looks=Looks()) is None


# -- on the wire


async def test_what_firebase_is_told_beside_the_words(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (_, channel):
        told = dict(await channel.told(push(PERSON, FULL), NOON))
        assert (told["android.priority"], told["android.ttl"]) == ("NORMAL", f"{72 * 3600}s")
        assert told["apns-priority"] == "5"


async def test_google_takes_a_full_message(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        assert await channel.send(push(PERSON, FULL)) == Sent("0:1")
        assert firebase.refused == []
        assert firebase.to(PERSON)[0]["notification"]["title"] == "Votre commande"


async def test_every_device_gets_it_and_a_dead_one_is_suppressed(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"fcm:{PERSON}", f"fcm:{OTHER}")
    async with connected(stage, tmp_path) as (firebase, channel):
        firebase.answers[PERSON] = [partial(error, 404, "NOT_FOUND", fcm="UNREGISTERED")]
        assert isinstance(await channel.send(push(PERSON)), Sent)
        assert len(firebase.to(OTHER)) == 1
        assert await stage.suppressions() == {f"fcm:{PERSON}": "unreachable"}
        assert await stage.devices() == {f"fcm:{OTHER}"}


async def test_an_access_token_that_google_forgot_is_renewed_once(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        await channel.send(push(PERSON))
        firebase.tokens.append("revoked")
        assert isinstance(await channel.send(push(PERSON)), Sent)
        assert len(firebase.tokens) == 3


async def test_one_access_token_serves_all_who_send_at_once(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        await asyncio.gather(*(channel.send(replace(push(PERSON), profile="")) for _ in range(20)))
        assert len(firebase.tokens) == 1
        assert len(firebase.taken) == 20


async def test_a_token_of_another_project_is_taken_for_a_mistake_of_set_up_until_one_was_taken(
    stage: PushStage, tmp_path: Path
) -> None:
    await stage.own(f"fcm:{PERSON}")
    async with connected(stage, tmp_path) as (firebase, channel):
        firebase.answers[PERSON] = [partial(error, 403, "PERMISSION_DENIED", fcm="SENDER_ID_MISMATCH")]
        first = await channel.send(push(PERSON))
        assert isinstance(first, Failed)
        assert first.reason == "config"
        assert await stage.suppressions() == {}
        await channel.send(replace(push(OTHER), profile=""))
        assert await channel.send(push(PERSON)) == Failed("dead", "403 SENDER_ID_MISMATCH")


@pytest.mark.parametrize("address", ["x" * 10_000, PERSON + "\r\nX: y", "", "a b" * 10, "é" * 40])
async def test_an_address_that_is_no_token_never_reaches_google(stage: PushStage, tmp_path: Path, address: str) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        assert await channel.send(replace(push(address), profile="")) == Failed("dead", "no such token can exist")
        assert (firebase.tokens, firebase.tries) == ([], [])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (partial(error, 500, "INTERNAL", fcm="INTERNAL"), Later(10.0, "500 INTERNAL")),
        (partial(error, 503, "UNAVAILABLE", fcm="UNAVAILABLE", retry_after="30"), Later(30.0, "503 UNAVAILABLE")),
        (partial(error, 429, "RESOURCE_EXHAUSTED", fcm="QUOTA_EXCEEDED"), Later(60.0, "429 QUOTA_EXCEEDED")),
        (partial(error, 429, "RESOURCE_EXHAUSTED", retry_after=LATER), Later(90.0, "429 RESOURCE_EXHAUSTED")),
        (
            partial(error, 401, "UNAUTHENTICATED", fcm="THIRD_PARTY_AUTH_ERROR"),
            Failed("config", "401 THIRD_PARTY_AUTH_ERROR"),
        ),
        (lambda: web.Response(status=502, text="<html>"), Unknown("http 502")),
        (lambda: web.json_response({"name": 7}), Unknown("an answer without a name")),
        ("hang", Unknown("TimeoutError")),
        ("reset", Unknown("ServerDisconnectedError")),
    ],
    ids=["500", "503", "429", "429-date", "third-party", "gateway", "no-name", "hangs", "resets"],
)
async def test_each_trouble_has_its_outcome(stage: PushStage, tmp_path: Path, answer: Any, expected: Sending) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        firebase.answers[PERSON] = [answer]
        assert await channel.send(push(PERSON)) in (expected, Unknown("SocketTimeoutError"))


@pytest.mark.parametrize(("status", "expected"), [(500, Later), (400, Failed)])
async def test_no_access_token_means_nothing_was_handed_over(
    stage: PushStage, tmp_path: Path, status: int, expected: type
) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        firebase.token_troubles = [status]
        assert isinstance(await channel.send(push(PERSON)), expected)
        assert firebase.tries == []


async def test_a_message_that_is_over_is_not_sent(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (firebase, channel):
        over = Content("Vente flash", expires_at=NOON - timedelta(minutes=1))
        assert await channel.send(push(PERSON, over)) == Failed("content", "it was not worth showing any more")
        assert firebase.tries == []


# -- its answers


def answered(status: int, word: str, **more: Any) -> Sending:
    body = error(status, word, **more).body
    assert isinstance(body, bytes)
    return outcome(status, body)


def test_a_bad_token_is_dead_and_a_bad_field_is_the_messages() -> None:
    token = answered(400, "INVALID_ARGUMENT", fcm="INVALID_ARGUMENT", violations=["message.token"])
    assert token == Failed("dead", "400 INVALID_ARGUMENT")
    field = answered(400, "INVALID_ARGUMENT", fcm="INVALID_ARGUMENT", violations=["message.android.ttl"])
    assert field == Failed("content", "400 INVALID_ARGUMENT, message.android.ttl")


@pytest.mark.parametrize(
    ("message", "apple", "expected"),
    [
        ("The registration token is not a valid FCM registration token", "", Failed("dead", "400 INVALID_ARGUMENT")),
        ("Android message is too big", "", Failed("content", "400 INVALID_ARGUMENT")),
        ("Request contains an invalid argument.", "", Failed("content", "400 INVALID_ARGUMENT")),
        (
            "Request contains an invalid argument.",
            "DeviceTokenNotForTopic",
            Failed("config", "400 INVALID_ARGUMENT, DeviceTokenNotForTopic"),
        ),
        ("Invalid argument.", "PayloadTooLarge", Failed("content", "400 INVALID_ARGUMENT, PayloadTooLarge")),
    ],
)
def test_without_a_field_only_words_about_the_token_make_it_dead(message: str, apple: str, expected: Sending) -> None:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "INVALID_ARGUMENT"}]
    if apple:
        kind = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
        details.append({"@type": kind, "statusCode": "400", "reason": apple})
    raw = orjson.dumps({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}})
    assert outcome(400, raw) == expected


@pytest.mark.parametrize(("status", "word"), [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (401, "UNAUTHENTICATED")])
def test_what_a_person_must_mend_suppresses_nobody(status: int, word: str) -> None:
    assert answered(status, word) == Failed("config", f"{status} {word}")


ODD = (b"", b"[]", b"null", b'{"error": 7}', b'{"error": {"details": 7}}', b'{"error": {"details": [7, {"@type": 1}]}}')


@pytest.mark.parametrize("raw", ODD)
@pytest.mark.parametrize("status", [200, 302, 400, 404, 429, 500])
def test_an_odd_answer_is_no_mistake_of_ours(status: int, raw: bytes) -> None:
    assert isinstance(outcome(status, raw), (Unknown, Later, Failed))


async def test_what_is_missing_is_named_all_at_once(stage: PushStage, tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text('{"type": "service_account", "private_key": "s3cret"}')
    options = Options(enabled=True, service_account=str(tmp_path / "account.json"), ttl_hours=1000, connections=0)
    with pytest.raises(ValueError, match="client_email") as refused:
        await connect(options, stage.door)
    for key in ("service_account", "ttl_hours", "connections"):
        assert f"channels.fcm.{key}:" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    with pytest.raises(ValueError, match=r"channels\.fcm\.service_account: expected"):
        await connect(Options(enabled=True), stage.door)
