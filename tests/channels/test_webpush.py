"""A committed message reaches the browser's push service with all that belongs to it; each trouble ends as what it is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels import webpush
from channels.channel import Failed, Later, Outbound, Sending, Sent, Tells, Unknown
from channels.webpush_options import LONGEST_TTL_HOURS, problems_of, subject_of
from profiles.calendar import utc_now
from profiles.secret import Secret
from profiles.timeline import Button, Content
from tests.channels.push_shop import PushShop, push_shop
from tests.peers.push_service import HANG, RESET
from tests.waiting import until

HELLO = Content("Hello")


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[PushShop]:
    async with push_shop(mongo_url, database_name, free_port, subject="mailto:push@shop.example") as running:
        yield running


async def sends(shop: PushShop, id: str, content: Content = HELLO, **more: Any) -> Sending:
    return await shop.channel.send(Outbound("rule:1", id, content, "rule:1", 1, **more))


async def test_a_message_arrives_with_all_that_a_push_service_and_a_browser_want(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    metadata = {"rule": "cart", "class": "marketing", "urgency": "low"}
    assert await sends(shop, id, Content("Hello", title="Cart"), metadata=metadata, at=utc_now()) == Sent("rule:1")
    (push,) = shop.peer.taken
    assert (push.said["t"], push.said["b"]) == ("Cart", "Hello")
    assert push.headers["urgency"] == "low"
    assert len(push.headers["topic"]) == 32
    now = utc_now()
    asked = Outbound("rule:1", id, Content("Hello"), "rule:1", 1, metadata=metadata, at=now - timedelta(hours=1))
    assert isinstance(shop.channel, Tells)
    told = (("TTL", str(23 * 3600)), ("Urgency", "low"), ("Topic", push.headers["topic"]))
    assert await shop.channel.told(asked, now) == told
    assert 86_390 <= int(push.headers["ttl"]) <= 86_400
    assert push.headers["content-type"] == "application/octet-stream"
    assert push.claims["sub"] == "mailto:push@shop.example"
    assert push.key == (await shop.ask("settings"))[1]["key"]


async def test_the_token_for_a_service_is_made_once(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    for _ in range(5):
        await sends(shop, id)
    assert len({push.headers["authorization"] for push in shop.peer.taken}) == 1


async def test_a_message_that_waits_is_not_kept_longer_than_it_is_worth(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    now = shop.now = utc_now()
    await sends(shop, id, at=now - timedelta(hours=23))
    assert int(shop.peer.taken[-1].headers["ttl"]) == 3_600
    await sends(shop, id, Content("soon over", expires_at=now + timedelta(minutes=5)), at=now)
    assert int(shop.peer.taken[-1].headers["ttl"]) == 300
    for late in (
        await sends(shop, id, at=now - timedelta(hours=25)),
        await sends(shop, id, Content("over", expires_at=now - timedelta(seconds=1)), at=now),
    ):
        assert isinstance(late, Failed) and late.reason == "content"
    assert len(shop.peer.taken) == 2


OUTCOMES = [
    (404, Failed, "dead"), (410, Failed, "dead"), (413, Failed, "content"), (400, Failed, "content"),
    (403, Failed, "config"), ((429, {"Retry-After": "9"}), Later, 9.0), ((503, {"Retry-After": "7"}), Later, 7.0),
    (500, Later, 30.0), (HANG, Unknown, ""), (RESET, Unknown, ""),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "what"), OUTCOMES, ids=[str(one[0]) for one in OUTCOMES])
async def test_each_answer_ends_as_what_it_is(shop: PushShop, answer: Any, kind: type, what: Any) -> None:
    id, _ = await shop.subscribed("anna")
    shop.channel._wire._answer_seconds = 0.3  # type: ignore[attr-defined]
    shop.peer.answers["/push/anna"] = answer
    found = await sends(shop, id)
    assert isinstance(found, kind)
    if isinstance(found, Failed):
        assert found.reason == what
    if isinstance(found, Later):
        assert found.seconds == what
    is_kept = await shop.store.get("push_subscriptions", id) is not None
    assert is_kept is (what != "dead"), "a dead browser's keys are not kept"


async def test_a_service_that_asked_us_to_wait_is_left_alone_and_others_are_not(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    async with push_shop(mongo_url, database_name, free_port) as shop:
        anna, _ = await shop.subscribed("anna")
        boris, _ = await shop.subscribed("boris")
        shop.peer.answers["/push/anna"] = (406, {"Retry-After": "30"})  # as Edge's service says it; others 429
        await sends(shop, anna)
        asked = shop.peer.asked
        waits = await sends(shop, boris)
        assert isinstance(waits, Later) and 25 < waits.seconds <= 30
        assert shop.peer.asked == asked


async def test_a_person_s_browsers_all_get_it_and_a_dead_one_spoils_nothing(shop: PushShop) -> None:
    ids = [(await shop.subscribed(name, identity=shop.identity("anna")))[0] for name in ("laptop", "phone", "old")]
    shop.peer.answers["/push/old"] = 410
    message = await shop.send(ids[2], Content("To all of them"))

    async def is_sent() -> bool:
        return await shop.state_of(message.id) == "sent"

    await until(is_sent)
    assert sorted(push.path for push in shop.peer.taken) == ["/push/laptop", "/push/phone"]
    owner = await shop.owner(ids[0])
    banned = {one["address"]: one["suppression"]["reason"] for one in owner["identities"] if one.get("suppression")}
    assert banned == {ids[2]: "unreachable"}


async def test_who_is_not_subscribed_any_more_is_dead(shop: PushShop) -> None:
    assert await sends(shop, "0" * 32) == Failed("dead", "no such subscription")


async def test_a_browser_subscribed_with_another_key_is_our_matter_not_its(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    await shop.store.change("push_subscriptions", {"_id": id}, {"$set": {"key": "another"}})
    found = await sends(shop, id)
    assert isinstance(found, Failed) and found.reason == "config"
    assert await shop.store.get("push_subscriptions", id)


async def test_a_service_that_is_not_allowed_any_more_is_not_posted_to(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    await shop.store.change("push_subscriptions", {"_id": id}, {"$set": {"endpoint": "https://169.254.169.254/latest"}})
    found = await sends(shop, id)
    assert isinstance(found, Failed) and found.reason == "config"


async def test_a_silent_message_is_not_for_browsers(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    found = await sends(shop, id, Content(silent=True, data={"a": "b"}))
    assert isinstance(found, Failed) and found.reason == "content"


async def test_a_message_that_can_not_fit_fails_before_it_is_posted(shop: PushShop) -> None:
    id, _ = await shop.subscribed("anna")
    long = "https://a/" + "x" * 1_985
    found = await sends(shop, id, Content("t", (Button("b", url=long),), link=long, image=long))
    assert isinstance(found, Failed) and found.reason == "content"
    assert shop.peer.asked == 0


async def test_the_house_s_title_and_icon_stand_where_a_message_has_none(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    options = {"title": "Atelier Nord", "icon": "https://shop.example/icon.png"}
    async with push_shop(mongo_url, database_name, free_port, **options) as shop:
        id, _ = await shop.subscribed("anna")
        await sends(shop, id)
        assert shop.peer.taken[0].said["t"] == "Atelier Nord"
        assert shop.peer.taken[0].said["c"] == "https://shop.example/icon.png"


# -- options


@pytest.mark.parametrize(("key", "value"), [
    ("subject", "push@shop.example"), ("subject", "http://shop.example"), ("icon", "http://shop.example/i.png"),
    ("ttl_hours", 0.0), ("ttl_hours", LONGEST_TTL_HOURS + 1.0), ("connections", 0), ("proxies", -1),
    ("services", ("*",)),
])  # fmt: skip
def test_each_wrong_option_is_named(key: str, value: Any) -> None:
    (problem,) = problems_of(replace(webpush.Options(enabled=True), **{key: value}))
    assert problem.startswith(f"channels.webpush.{key}: expected")


async def test_a_wrong_option_stops_the_start(mongo_url: str, database_name: str, free_port: int) -> None:
    with pytest.raises(ValueError, match=r"channels\.webpush\.subject.*\n.*connections"):
        async with push_shop(mongo_url, database_name, free_port, subject="x", connections=0):
            pass
    with pytest.raises(ValueError, match=r"channels\.webpush\.private_key"):
        async with push_shop(mongo_url, database_name, free_port, private_key=Secret("not a key")):
            pass


def test_push_services_may_write_to_whom_the_config_says_else_to_our_address() -> None:
    assert subject_of(webpush.Options(subject="mailto:a@b.example"), "https://crm.example") == "mailto:a@b.example"
    assert subject_of(webpush.Options(), "https://crm.example") == "https://crm.example"
    assert subject_of(webpush.Options(), "http://127.0.0.1:8080") == "mailto:webpush@127.0.0.1"
