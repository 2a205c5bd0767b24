"""The inbox of an app and of the site: whose it is, what it shows, and what comes back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from channels.channel import Failed, Outbound, Sent
from channels.webchat_visitors import Keys, recognise
from profiles.timeline import Button, Content
from profiles.tracking import Tracked, with_links
from tests.channels.inapp_app import ANNAS, NOON, SECRET, SHOP, SHOP_SECRET, App, app_on, own_secret

OTHERS = "fedcba9876543210" * 2
BOTH = (f"webchat:{ANNAS}", f"inapp:{ANNAS}")


@pytest.fixture
async def app(mongo_url: str, database_name: str) -> AsyncIterator[App]:
    async with app_on(mongo_url, database_name) as app:
        yield app


@pytest.fixture(autouse=True)
def let_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gates have their own tests: here every message has its permit."""
    monkeypatch.setattr("channels.outbound.passage", lambda message, part: None)


# -- what it shows


async def test_a_message_is_shown_as_its_author_meant_it(app: App) -> None:
    await app.know(*BOTH)
    content = Content(
        "Elle vous attend : https://shop.example/t", title="Votre commande", image="https://shop.example/i.png",
        link="https://shop.example/o/7", data={"order": "7"}, banner=True, expires_at=NOON + timedelta(hours=1),
        buttons=(Button("Voir", url="https://shop.example/o"), Button("Parler à quelqu'un", payload="/people")),
    )  # fmt: skip
    tracked = with_links(content, "m1", Tracked("https://causerie.example", SECRET))
    assert "causerie.example" in tracked.link
    await app.send("m1", tracked, urgency="high")
    status, inbox = await app.inbox(app.visitor())
    assert status == 200
    assert inbox["messages"][0].pop("text") == tracked.text != content.text, "addresses in the text count by themselves"
    assert inbox == {
        "unread": 1, "next": None,
        "messages": [{
            "id": "m1", "at": NOON.isoformat(), "is_seen": False, "is_banner": True, "urgency": "high",
            "title": "Votre commande", "image": "https://shop.example/i.png",
            "link": "https://shop.example/o/7", "data": {"order": "7"},
            "buttons": [{"title": "Voir", "url": "https://shop.example/o"},
                        {"title": "Parler à quelqu'un", "payload": "/people"}],
            "expires_at": (NOON + timedelta(hours=1)).isoformat(),
        }],
    }  # fmt: skip


async def test_only_what_was_sent_is_shown(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    await app.send("m2")
    await app.door.store.change("messages", {"_id": "m2"}, {"$set": {"delivery.state": "suppressed"}})
    await app.send("m3", channel="webchat")
    _, inbox = await app.inbox(app.visitor())
    assert [one["id"] for one in inbox["messages"]] == ["m1"]


async def test_what_is_over_is_not_shown_and_what_would_be_is_not_sent(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1", Content("Vente flash", expires_at=NOON + timedelta(hours=1)))
    assert (await app.inbox(app.visitor()))[1]["unread"] == 1
    app.now += timedelta(hours=1)
    assert (await app.inbox(app.visitor()))[1] == {"messages": [], "unread": 0, "next": None}
    late = Outbound("m2", ANNAS, Content("Trop tard", expires_at=NOON), "m2", 1)
    assert await app.channel.send(late) == Failed("content", "it was not worth showing any more")


async def test_a_long_inbox_comes_page_by_page(app: App) -> None:
    await app.know(*BOTH)
    for number in range(7):
        await app.send(f"m{number}", at=NOON - timedelta(minutes=number // 2))  # pairs of one instant
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        _, page = await app.inbox(app.visitor(), f"?limit=3&before={cursor}")
        found += [one["id"] for one in page["messages"]]
        cursor = page["next"] or ""
    assert found == ["m1", "m0", "m3", "m2", "m5", "m4", "m6"]
    assert cursor == ""


@pytest.mark.parametrize("query", ["?limit=0", "?limit=51", "?limit=x", "?before=x", "?before=1-", "?limit=%C2%B2"])
async def test_a_query_that_is_none_is_refused(app: App, query: str) -> None:
    await app.know(*BOTH)
    assert (await app.inbox(app.visitor(), query))[0] == 422


# -- whose it is


async def test_a_visitor_who_is_known_has_an_inbox_from_the_first_look_on(app: App) -> None:
    await app.know(f"webchat:{ANNAS}")
    assert await app.inbox(app.visitor()) == (200, {"messages": [], "unread": 0, "next": None})
    assert (await app.profile()).identity(f"inapp:{ANNAS}")
    await app.send("m1")
    assert (await app.inbox(app.visitor()))[1]["unread"] == 1


async def test_a_visitor_whom_nobody_knows_has_none_and_leaves_no_trace(app: App) -> None:
    assert await app.inbox(app.visitor()) == (200, {"messages": [], "unread": 0, "next": None})
    assert await app.door.store.find("profiles", {}) == []
    assert await app.door.store.find("identities", {}) == []


async def test_an_app_that_somebody_is_signed_in_to_has_theirs_at_once(app: App) -> None:
    await app.know("user:c-1001", "email:anna@example.com")
    assert (await app.inbox(app.signed_in()))[0] == 200
    anna = await app.profile()
    (inbox,) = [one for one in anna.identities if one.channel == "inapp"]
    assert inbox.verified_at == NOON
    await app.send("m1", to=inbox.address)
    assert (await app.inbox(app.signed_in()))[1]["unread"] == 1
    assert len([one for one in (await app.profile()).identities if one.channel == "inapp"]) == 1


async def test_a_browser_and_an_app_of_one_person_show_the_same(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    await app.inbox({**app.visitor(), **app.signed_in()})  # she signs in on the site
    _, on_the_phone = await app.inbox(app.signed_in())
    assert [one["id"] for one in on_the_phone["messages"]] == ["m1"]


async def test_a_merged_profile_keeps_what_was_in_its_inbox(app: App) -> None:
    await app.know("user:c-1001", id="kept")
    await app.know(*BOTH, id="anna")
    await app.send("m1", profile="anna")
    _, inbox = await app.inbox({**app.visitor(), **app.signed_in()})
    assert [one["id"] for one in inbox["messages"]] == ["m1"]
    assert (await app.profile("anna")).merged_into == "kept"


async def test_nobody_reads_an_inbox_without_a_proof(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    forged = {"Authorization": f"Bearer v1.{ANNAS}.{'0' * 64}", "Origin": SHOP}
    assert (await app.inbox(forged))[0] == 401
    assert (await app.inbox({}))[0] == 401
    assert (await app.inbox(app.signed_in(key="somebody else's secret, long enough")))[0] == 401
    assert (await app.inbox(app.signed_in(minutes=-1)))[0] == 401
    _, other = await app.inbox(app.visitor(OTHERS))
    assert other["messages"] == []


async def test_a_person_who_signed_out_is_not_read_by_who_comes_after(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    await recognise(
        app.visitor()["Authorization"][7:], app.signed_in()["X-Identity"],
        keys=Keys(own_secret(SECRET), (SHOP_SECRET,)), store=app.door.store, now=NOON,
    )  # fmt: skip
    await app.inbox({**app.visitor(), **app.signed_in()})
    bound = [row["_id"] for row in await app.door.store.find("visitors", {})]
    for address in bound:
        assert (await app.inbox(app.visitor(address)))[0] == 401


async def test_a_page_of_another_site_is_refused(app: App) -> None:
    await app.know(*BOTH)
    headers = {**app.visitor(), "Origin": "https://evil.example"}
    assert (await app.inbox(headers))[0] == 403
    assert (await app.report(headers, "seen", "m1"))[0] == 403
    async with app.client.options("/channels/inapp/messages", headers=headers) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with app.client.options("/channels/inapp/messages", headers=app.visitor()) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert "x-identity" in answer.headers["Access-Control-Allow-Headers"]


async def test_a_flood_is_put_off(app: App) -> None:
    statuses = {(await app.inbox({}))[0] for _ in range(80)}
    assert statuses == {401, 429}


# -- what comes back


async def test_fetched_is_delivered_and_seen_is_read(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    await app.inbox(app.visitor())
    assert (await app.message("m1")).delivery.state == "delivered"  # type: ignore[union-attr]
    assert len(await app.events("message.delivered")) == 1
    assert await app.report(app.visitor(), "seen", "m1") == (200, {"taken": 1, "unread": 0})
    assert (await app.message("m1")).delivery.state == "read"  # type: ignore[union-attr]
    await app.report(app.visitor(), "seen", "m1")
    await app.inbox(app.visitor())
    (read,) = await app.events("message.read")
    assert (read.profile, read.properties["rule"], read.properties["channel"]) == ("anna", "ready", "inapp")
    assert (await app.inbox(app.visitor()))[1]["messages"][0]["is_seen"] is True


async def test_a_click_is_counted_once_within_ten_minutes_and_means_that_it_was_seen(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    await asyncio.gather(*(app.report(app.visitor(), "clicked", "m1") for _ in range(5)))
    assert len(await app.events("message.clicked")) == 1
    assert (await app.message("m1")).delivery.state == "read"  # type: ignore[union-attr]
    app.now += timedelta(minutes=20)
    await app.report(app.visitor(), "clicked", "m1")
    assert len(await app.events("message.clicked")) == 2


async def test_what_is_put_away_is_gone_for_good(app: App) -> None:
    await app.know(*BOTH)
    await app.send("m1")
    for _ in range(2):
        await app.report(app.visitor(), "dismissed", "m1")
    assert (await app.inbox(app.visitor()))[1] == {"messages": [], "unread": 0, "next": None}
    assert len(await app.events("message.dismissed")) == 1


async def test_of_somebody_who_wants_nothing_counted_only_the_inbox_knows(app: App) -> None:
    await app.know(*BOTH, no_tracking=True)
    await app.send("m1")
    await app.report(app.visitor(), "clicked", "m1")
    assert (await app.inbox(app.visitor()))[1]["unread"] == 0
    assert await app.events("message.read") == await app.events("message.clicked") == []


async def test_nobody_reports_on_anothers_messages(app: App) -> None:
    await app.know(*BOTH)
    await app.know(f"webchat:{OTHERS}", f"inapp:{OTHERS}", id="boris")
    await app.send("m1")
    assert await app.report(app.visitor(OTHERS), "dismissed", "m1", "nothing") == (200, {"taken": 0, "unread": 0})
    assert (await app.inbox(app.visitor()))[1]["unread"] == 1


async def test_an_app_tells_that_a_push_was_opened(app: App) -> None:
    await app.know(*BOTH)
    push = await app.send("m1")
    await app.door.store.change("messages", {"_id": push.id}, {"$set": {"channel": "apns"}})
    assert (await app.report(app.visitor(), "clicked", "m1"))[1]["taken"] == 1
    assert len(await app.events("message.clicked")) == 1


BAD: list[Any] = [
    {"messages": [], "did": "seen"}, {"messages": ["m1"], "did": "eaten"}, {"messages": "m1", "did": "seen"},
    {"messages": ["x" * 401], "did": "seen"}, {"messages": ["m1"] * 51, "did": "seen"}, ["m1"], 7,
    {"messages": [{"$gt": ""}], "did": "seen"}, {"did": "seen"}, {"messages": ["m1"]},
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
async def test_a_report_that_is_none_is_refused(app: App, body: Any) -> None:
    async with app.client.post("/channels/inapp/receipts", json=body, headers=app.visitor()) as answer:
        assert answer.status == 422


async def test_a_body_that_is_too_large_or_no_json_is_refused(app: App) -> None:
    async with app.client.post("/channels/inapp/receipts", data=b"x" * 70_000, headers=app.visitor()) as answer:
        assert answer.status == 413
    async with app.client.post("/channels/inapp/receipts", data=b'{"did": NaN}', headers=app.visitor()) as answer:
        assert answer.status == 400


# -- live


async def test_open_pages_of_the_person_hear_of_it_once_it_is_sent(app: App) -> None:
    other = "1" * 32
    await app.know(*BOTH, f"webchat:{other}", f"inapp:{other}")
    shown: list[str] = []
    told: list[Any] = []
    app.channel.show = shown.append
    app.door.feed.hints.send = lambda name, value: told.append((name, value))
    sent = await app.channel.send(Outbound("m0", ANNAS, Content("Bonjour"), "m0", 1, profile="anna"))
    assert sent == Sent()
    assert shown == [], "not before it is recorded as sent: it may never be"
    await app.send("m1")
    assert set(shown) == {ANNAS, other}
    assert told == [("inapp", [ANNAS, other])]


async def test_pages_at_another_process_hear_of_it_by_a_hint(app: App) -> None:
    shown: list[str] = []
    app.channel.show = shown.append
    app.door.feed.hints.take("p2", "inapp", [ANNAS])
    app.door.feed.hints.take("p2", "inapp", None)  # that process is gone
    assert shown == [ANNAS]


@pytest.mark.parametrize("address", ["", "x" * 32, "a" * 10_000, ANNAS + "\r\n", "../" + ANNAS])
async def test_an_address_that_is_no_visitors_is_never_sent_to(app: App, address: str) -> None:
    assert await app.channel.send(Outbound("m1", address, Content("x"), "m1", 1)) == Failed(
        "dead", "no such visitor can exist"
    )
