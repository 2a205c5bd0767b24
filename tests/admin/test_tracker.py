"""What a shop's page reports is kept for who agreed, counted for who did not, and nobody is recognised against their will."""

import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin.desk import Desk
from admin.tracker import TrackerOptions, tracker_routes
from channels.webchat_tokens import sign_identity, visitor_of, visitor_token
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.writer import Writer
from tests.cast import NOON

SHOP, KEY = "https://shop.example", "s" * 40
OWN = hmac.digest(b"k" * 32, b"webchat", "sha256")
"""What the web chat of the same server signs its visitors with."""


@dataclass
class Site:
    """A page of the shop in a browser, and the server behind it."""

    client: "TestClient[web.Request, web.Application]"
    store: Store
    desk: Desk
    headers: dict[str, str]
    number: int = 0

    async def reports(self, *names: str, status: int = 200, **body: Any) -> Any:
        """Post what happened; return the answer."""
        events = []
        for name in names:
            self.number += 1
            events.append(
                {"id": f"event-{self.number:04}", "name": name, "properties": {"url": "https://shop.example/a"}}
            )
        said = {"consent": True, "events": events, **body}
        return await self.posts(json.dumps({name: value for name, value in said.items() if value is not None}), status)

    async def posts(self, raw: str | bytes, status: int) -> Any:
        async with self.client.post("/t/events", data=raw, headers=self.headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.status == 200 else None

    async def counted(self) -> dict[str, int]:
        return {row["name"]: row["count"] for row in await self.store.find("visits", {})}

    async def profiles(self) -> list[dict[str, Any]]:
        return await self.store.find("profiles", {"merged_into": None})


@pytest.fixture
async def site(mongo_url: str, database_name: str) -> AsyncIterator[Site]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="p", clock=lambda: NOON)
    desk = Desk(store, writer, Feed(), lambda: NOON, b"k" * 32, "https://chat.example")
    app = web.Application()
    app.add_routes(tracker_routes(desk, TrackerOptions(enabled=True, origins=(SHOP,)), identity_secrets=(KEY,)))
    async with TestClient(TestServer(app)) as client:
        yield Site(client, store, desk, {"Origin": SHOP})
    await writer.close()
    await store.close()


def vouched(subject: str = "42", **claims: Any) -> str:
    return sign_identity({"sub": subject, **claims}, KEY, now=NOON, valid_for=timedelta(minutes=5))


async def test_who_agreed_is_an_anonymous_profile_under_one_address(site: Site) -> None:
    token = (await site.reports("page.viewed"))["visitor"]
    assert (await site.reports("product.viewed", visitor=token))["visitor"] == token
    (profile,) = await site.profiles()
    assert [one["channel"] for one in profile["identities"]] == ["webchat"]
    assert profile["identities"][0]["address"] == visitor_of(token, OWN)
    events = await site.store.find("events", {"profile": profile["_id"]}, sort=[("_id", 1)])
    assert [(event["name"], event["source"]) for event in events] == [
        ("page.viewed", "site"),
        ("product.viewed", "site"),
    ]
    assert await site.counted() == {}


async def test_who_did_not_agree_is_counted_and_nothing_else_is_kept(site: Site) -> None:
    await site.reports("page.viewed", "cart.updated", consent=False, status=204)
    await site.reports("page.viewed", consent=False, status=204)
    assert await site.counted() == {"page.viewed": 2, "other": 1}
    assert await site.profiles() == await site.store.find("events", {}) == []


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
async def test_a_browser_that_refuses_is_never_recognised_whatever_the_page_says(site: Site, header: str) -> None:
    token = (await site.reports("page.viewed"))["visitor"]
    site.headers[header] = "1"
    await site.reports("page.viewed", visitor=token, identity=vouched(), status=204)
    assert await site.store.count("events", {}) == 1
    assert await site.counted() == {"page.viewed": 1}


async def test_an_event_reported_twice_is_kept_once(site: Site) -> None:
    token = (await site.reports("page.viewed"))["visitor"]
    for _ in range(2):
        site.number = 10
        await site.reports("page.viewed", "cart.updated", visitor=token)
    assert await site.store.count("events", {}) == 3


async def test_the_shop_s_word_joins_the_visitor_to_the_person(site: Site) -> None:
    known = Identity("user", "42", added_at=NOON, verified_at=NOON)
    anna = Profile("anna", NOON - timedelta(days=9), identities=(known,))
    await site.desk.writer.commit(Work(lambda _: Changes(profiles=(anna,), claims={"user:42": "anna"})))
    token = (await site.reports("page.viewed"))["visitor"]
    await site.reports("order.started", visitor=token, identity=vouched(email="anna@example.com"))
    (profile,) = await site.profiles()
    assert profile["_id"] == "anna"
    assert {"user", "webchat", "email"} == {one["channel"] for one in profile["identities"]}
    seen = await site.store.find("events", {"source": "site"})
    assert {event["profile"] for event in seen} <= {"anna", *profile["absorbed"]}
    assert len(seen) == 2


async def test_a_forged_word_proves_nothing(site: Site) -> None:
    forged = sign_identity({"sub": "42"}, "x" * 40, now=NOON, valid_for=timedelta(minutes=5))
    await site.reports("page.viewed", identity=forged)
    (profile,) = await site.profiles()
    assert [one["channel"] for one in profile["identities"]] == ["webchat"]


async def test_who_has_chatted_here_is_the_same_visitor(site: Site) -> None:
    chatted = Identity("webchat", "a" * 32, added_at=NOON)
    elif_ = Profile("elif", NOON - timedelta(days=9), identities=(chatted,))
    await site.desk.writer.commit(Work(lambda _: Changes(profiles=(elif_,), claims={chatted.key: "elif"})))
    await site.reports("page.viewed", visitor=visitor_token("a" * 32, OWN))
    assert [event["profile"] for event in await site.store.find("events", {})] == ["elif"]


async def test_a_forged_visitor_is_a_new_one(site: Site) -> None:
    token = (await site.reports("page.viewed", visitor="v1." + "0" * 32 + ".forged"))["visitor"]
    assert visitor_of(token, OWN) != "0" * 32


async def test_on_a_known_person_s_browser_nobody_is_recognised_without_their_word(site: Site) -> None:
    token = (await site.reports("page.viewed", identity=vouched()))["visitor"]
    await site.reports("page.viewed", visitor=token, status=204)
    assert await site.store.count("events", {"source": "site"}) == 1
    assert await site.counted() == {"page.viewed": 1}


@pytest.mark.parametrize("origin", ["https://evil.example", "", "null", "https://shop.example.evil.example"])
async def test_another_page_is_refused(site: Site, origin: str) -> None:
    site.headers = {"Origin": origin} if origin else {}
    await site.reports("page.viewed", status=403)
    assert await site.store.count("events", {}) == 0


@pytest.mark.parametrize(
    "raw",
    [
        "", "[]", "{", '{"consent": true}', '{"consent": {"$gt": ""}, "events": []}', "x" * 70_000,
        '{"consent": true, "events": [{"id": "event-0001", "name": "consent.given"}]}',
        '{"consent": true, "events": [{"id": "event-0001", "name": "a", "properties": {"$set": 1}}]}',
        '{"consent": true, "events": [{"id": "event-0001", "name": "a", "properties": {"a": {"b": 1}}}]}',
        '{"consent": true, "events": [{"id": "1", "name": "a"}]}', '{"consent": true, "visitor": {"$ne": 1}, "events": []}',
        json.dumps({"consent": True, "events": [{"id": f"event-{n:04}", "name": "a"} for n in range(21)]}),
    ],
)  # fmt: skip
async def test_what_our_script_does_not_post_is_refused(site: Site, raw: str) -> None:
    await site.posts(raw, 422)
    assert await site.store.count("events", {}) == 0


async def test_a_flood_from_one_address_is_slowed_down(site: Site) -> None:
    statuses = set()
    for _ in range(60):
        async with site.client.post("/t/events", data='{"consent":false,"events":[]}', headers=site.headers) as answer:
            statuses.add(answer.status)
    assert statuses == {204, 429}


async def test_the_script_is_small_and_asks_nobody_else(site: Site) -> None:
    async with site.client.get("/t/tracker.js") as answer:
        text = await answer.text()
    assert len(text.encode()) < 5_000
    assert "http" not in text.replace("https://", "") and "cookie" not in text


async def test_switched_off_there_is_no_door(site: Site) -> None:
    assert tracker_routes(site.desk, TrackerOptions(), identity_secrets=()) == []
