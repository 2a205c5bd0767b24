"""Pushes to iPhones: what Apple gets, on every device of a person, and which tokens are done with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from channels.apns import Apns, Options, connect
from channels.apns_form import headers, payload
from channels.channel import Failed, Later, Sent, Unknown
from profiles.secret import Secret
from profiles.timeline import Button, Content
from profiles.tracking import Tracked, with_links
from tests.channels.kits.apns import options
from tests.channels.push_stage import NOON, PushStage, push, push_stage
from tests.peers.apns import DEVICE, running_apns
from tests.peers.apns import Apns as Peer

OTHER, THIRD = "cd" * 32, "ef" * 32
DEAD = {"status": 410, "reason": "Unregistered", "timestamp": int(NOON.timestamp() * 1000)}


@pytest.fixture
async def stage(mongo_url: str, database_name: str) -> AsyncIterator[PushStage]:
    async with push_stage(mongo_url, database_name) as found:
        yield found


@asynccontextmanager
async def connected(stage: PushStage, folder: Path, **more: Any) -> AsyncIterator[tuple[Peer, Apns]]:
    async with running_apns(folder) as peer:
        channel = await connect(replace(options(peer), **more), stage.door)
        assert isinstance(channel, Apns)
        try:
            yield peer, channel
        finally:
            await channel.close()


def said(content: Content, **more: str) -> dict[str, Any]:
    octets = payload(content, "m1", thread=more.get("thread", ""), sound=more.get("sound", "default"))
    assert octets is not None
    found: dict[str, Any] = orjson.loads(octets)
    return found


# -- the form


def test_an_alert_says_all_that_apple_knows_to_show() -> None:
    content = Content(
        "Elle vous attend.", title="Votre commande", image="https://shop.example/i.png", link="https://shop.example/o/7",
        badge=2, buttons=(Button("Voir", url="https://shop.example/o"), Button("Plus tard")), data={"order": "7"},
    )  # fmt: skip
    assert said(content, thread="orders") == {
        "aps": {
            "alert": {"title": "Votre commande", "body": "Elle vous attend."},
            "thread-id": "orders", "sound": "default", "badge": 2, "mutable-content": 1, "category": "causerie",
        },
        "order": "7",
        "causerie": {
            "id": "m1", "link": "https://shop.example/o/7", "image": "https://shop.example/i.png",
            "buttons": [{"title": "Voir", "url": "https://shop.example/o"}, {"title": "Plus tard"}],
        },
    }  # fmt: skip


def test_an_app_gets_the_link_that_counts_and_where_it_leads() -> None:
    tracked = with_links(Content("x", link="https://shop.example/o/7"), "m1", Tracked("https://causerie.example", b"s"))
    own = said(tracked)["causerie"]
    assert own["link"].startswith("https://causerie.example/l/")
    assert own["target"] == "https://shop.example/o/7"


def test_a_silent_push_shows_nothing_and_wakes_the_app() -> None:
    silent = Content(text="ignored", silent=True, data={"sync": "orders"})
    assert said(silent) == {"aps": {"content-available": 1}, "sync": "orders", "causerie": {"id": "m1"}}
    found = headers(push(DEVICE, silent, urgency="high"), DEVICE, app="a.b", ends_at=NOON)
    assert (found["apns-push-type"], found["apns-priority"]) == ("background", "5")


def test_a_badge_alone_goes_as_an_alert() -> None:
    cleared = Content(silent=True, badge=0)
    assert said(cleared)["aps"] == {"content-available": 1, "badge": 0}
    assert headers(push(DEVICE, cleared), DEVICE, app="a.b", ends_at=NOON)["apns-push-type"] == "alert"


@pytest.mark.parametrize(
    ("metadata", "priority"),
    [({}, "5"), ({"urgency": "high"}, "10"), ({"urgency": "low"}, "1"), ({"class": "transactional"}, "10")],
)
def test_urgency_is_apples_priority(metadata: dict[str, str], priority: str) -> None:
    found = headers(push(DEVICE, **metadata), DEVICE, app="a.b", ends_at=NOON)
    assert found["apns-priority"] == priority


def test_a_newer_message_of_a_campaign_takes_the_place_of_an_older_and_an_order_does_not() -> None:
    marketing = {"class": "marketing", "rule": "sale"}
    one = headers(push(DEVICE, **marketing), DEVICE, app="a.b", ends_at=NOON)["apns-collapse-id"]
    assert one == headers(push(OTHER, **marketing), OTHER, app="a.b", ends_at=NOON)["apns-collapse-id"]
    assert len(one) <= 64
    order = headers(push(DEVICE, rule="sale", **{"class": "transactional"}), DEVICE, app="a.b", ends_at=NOON)
    assert "apns-collapse-id" not in order


@pytest.mark.parametrize("text", ["é" * 10_000, "🙂" * 3_000, '"' * 4_000, "\u0000" * 2_000, "abc " * 2_000])
def test_a_long_body_is_cut_to_what_apple_takes(text: str) -> None:
    octets = payload(Content(text, title="T"), "m1", thread="", sound="")
    assert octets
    assert len(octets) <= 4096
    assert orjson.loads(octets)["aps"]["alert"]["body"].endswith("…")


def test_what_can_not_be_cut_is_not_sent() -> None:
    assert payload(Content("x", data={"blob": "x" * 4_200}), "m1", thread="", sound="") is None
    assert payload(Content(silent=True, data={"blob": "x" * 4_200}), "m1", thread="", sound="") is None


# -- on the wire


async def test_every_device_of_the_person_gets_it(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"apns:{DEVICE}", f"apns:{OTHER}", "fcm:another-platform-xxxxxxxxx")
    async with connected(stage, tmp_path) as (peer, channel):
        assert isinstance(await channel.send(push(DEVICE)), Sent)
        (one,), (other,) = await peer.pushed(1), await peer.pushed(1, OTHER)
        assert one["said"] == other["said"]
        assert one["headers"]["apns-topic"] == "com.example.shop"
        for name, value in await channel.told(push(DEVICE), NOON):
            assert one["headers"][name] == value
        assert one["headers"]["apns-id"] != other["headers"]["apns-id"]
        assert len(peer.of("push")) == 2


async def test_a_dead_token_is_suppressed_though_another_device_took_it(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"apns:{DEVICE}", f"apns:{OTHER}")
    async with connected(stage, tmp_path) as (peer, channel):
        await peer.behave(OTHER, DEAD)
        assert isinstance(await channel.send(push(DEVICE)), Sent)
        assert await stage.suppressions() == {f"apns:{OTHER}": "unreachable"}
        assert await stage.devices() == {f"apns:{DEVICE}"}
        await channel.send(push(DEVICE))
        await peer.pushed(2)
        assert len(peer.pushes(OTHER)) == 1, "nobody writes to a dead token again"


async def test_a_person_whose_tokens_are_all_dead_is_not_reached(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"apns:{DEVICE}")
    async with connected(stage, tmp_path) as (peer, channel):
        await peer.behave(DEVICE, DEAD)
        assert await channel.send(push(DEVICE)) == Failed("dead", "410 Unregistered")
        assert await stage.suppressions() == {f"apns:{DEVICE}": "unreachable"}


async def test_a_token_registered_after_its_death_is_tried_again(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"apns:{DEVICE}")
    async with connected(stage, tmp_path) as (peer, channel):
        before_it_came_back = NOON - timedelta(days=30)
        await peer.behave(DEVICE, {**DEAD, "timestamp": int(before_it_came_back.timestamp() * 1000)})
        assert isinstance(await channel.send(push(DEVICE)), Later)
        assert await stage.suppressions() == {}


async def test_a_bad_token_is_taken_for_a_mistake_of_set_up_until_apple_took_one(
    stage: PushStage, tmp_path: Path
) -> None:
    await stage.own(f"apns:{DEVICE}")
    async with connected(stage, tmp_path) as (peer, channel):
        await peer.behave(DEVICE, {"status": 400, "reason": "BadDeviceToken"})
        wrong = await channel.send(push(DEVICE))
        assert isinstance(wrong, Failed)
        assert wrong.reason == "config"
        assert await stage.suppressions() == {}, "tokens of the sandbox must not all be buried"
        await channel.send(replace(push(THIRD), profile=""))
        assert await channel.send(push(DEVICE)) == Failed("dead", "400 BadDeviceToken")


async def test_a_build_from_xcode_is_reached_through_the_sandbox(stage: PushStage, tmp_path: Path) -> None:
    await stage.own(f"apns:{DEVICE}", sandbox=True)
    async with connected(stage, tmp_path, host="nowhere.invalid") as (peer, channel):
        assert isinstance(await channel.send(push(DEVICE)), Sent)
        await peer.pushed(1)


async def test_a_message_that_is_over_is_not_sent(stage: PushStage, tmp_path: Path) -> None:
    async with connected(stage, tmp_path) as (peer, channel):
        over = Content("Vente flash", expires_at=NOON - timedelta(minutes=1))
        assert await channel.send(push(DEVICE, over)) == Failed("content", "it was not worth showing any more")
        await channel.send(push(DEVICE, Content("Vente", expires_at=NOON + timedelta(minutes=1))))
        (sent,) = await peer.pushed(1)
        assert int(sent["headers"]["apns-expiration"]) == int((NOON + timedelta(minutes=1)).timestamp())


@pytest.mark.parametrize("address", ["ab" * 5_000, DEVICE + "\r\napns-topic: x", "", "../device", "zz" * 32])
async def test_an_address_that_is_no_token_never_reaches_apple(stage: PushStage, tmp_path: Path, address: str) -> None:
    async with connected(stage, tmp_path) as (peer, channel):
        outcome = await channel.send(replace(push(address), profile=""))
        assert outcome == Failed("dead", "no such device token can exist")
        assert peer.of("session") == []


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ({"status": 500, "reason": "InternalServerError"}, Later(15.0, "500 InternalServerError")),
        ({"status": 429, "reason": "TooManyRequests", "retry": 33}, Later(33.0, "429 TooManyRequests")),
        ({"hang": True}, Unknown("no answer in time")),
        ({"reset": True}, Unknown("the server hung up")),
        ({"refuse": True}, Later(1.0, "refused")),
        ({"status": 413, "reason": "PayloadTooLarge"}, Failed("content", "413 PayloadTooLarge")),
    ],
    ids=["500", "429", "hangs", "resets", "refuses", "413"],
)
async def test_each_trouble_has_its_outcome(
    stage: PushStage, tmp_path: Path, behaviour: dict[str, Any], expected: object
) -> None:
    async with connected(stage, tmp_path) as (peer, channel):
        await peer.behave(DEVICE, behaviour)
        outcome = await channel.send(push(DEVICE))
        if "reset" in behaviour:
            assert isinstance(outcome, Unknown)
        else:
            assert outcome == expected


async def test_what_is_missing_is_named_all_at_once(stage: PushStage) -> None:
    with pytest.raises(ValueError, match="app: expected a bundle id") as refused:
        await connect(Options(enabled=True, key=Secret("no key"), ttl_hours=0), stage.door)
    for key in ("app", "team", "key_id", "key", "ttl_hours"):
        assert f"channels.apns.{key}:" in str(refused.value)
    assert "no key" not in str(refused.value)
