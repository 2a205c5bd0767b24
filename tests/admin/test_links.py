"""The public doors of tracking on a real database: who is led where, and what is counted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from admin.links import PICTURE, link_routes
from profiles.indexes import INDEXES
from profiles.links import sign, sign_link, sign_open
from profiles.profile import Profile
from profiles.snapshot import Changes, Work
from profiles.store import Store, Unavailable
from profiles.timeline import Content, Delivery, Message
from profiles.writer import Writer
from tests.cast import NOON, anna

SECRET = b"s" * 32
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"}
RULES = "rule:" + "ab" * 15
TARGET = "https://shop.example/panier?a=1&b=%2F#là"
LETTER = Message(
    RULES, RULES, "anna", "email", "outbound", "rule:cart", Content("x", links=("https://shop.example/a", TARGET)),
    1, NOON - timedelta(hours=1), delivery=Delivery("email:anna@example.org", "sent", times={"sent": NOON - timedelta(hours=1)}),
    metadata={"rule": "cart", "step": "first", "class": "marketing"},
)  # fmt: skip


@dataclass
class Doors:
    """The doors, and eyes on what they left behind."""

    http: TestClient[Any, Any]
    store: Store
    writer: Writer
    now: list[datetime]

    async def opens(self, path: str, method: str = "GET", **headers: str) -> ClientResponse:
        return await self.http.request(method, path, allow_redirects=False, headers={**PHONE, **headers})

    async def events(self) -> list[dict[str, Any]]:
        return await self.store.find("events", {}, sort=[("happened_at", 1), ("_id", 1)])


@pytest.fixture
async def doors(mongo_url: str, database_name: str) -> AsyncIterator[Doors]:
    store, now = Store(mongo_url, database_name), [NOON]
    await store.prepare(INDEXES)
    writer = Writer(store, process="here", clock=lambda: now[0])
    await writer.commit(Work(lambda snapshot: Changes(profiles=(anna(),), messages=(LETTER,))))
    app = web.Application()
    app.add_routes(link_routes(store, writer, SECRET, lambda: now[0]))
    async with TestClient(TestServer(app)) as http:
        yield Doors(http, store, writer, now)
    await writer.close()
    await store.close()


LINK = f"/l/{sign_link(SECRET, RULES, 1)}"
OPEN = f"/o/{sign_open(SECRET, RULES)}.gif"


async def test_a_click_is_counted_and_leads_where_the_author_meant(doors: Doors) -> None:
    answer = await doors.opens(LINK)
    assert answer.status == 302
    assert answer.headers["Location"] == "https://shop.example/panier?a=1&b=%2F#l%C3%A0"
    assert answer.headers["Cache-Control"] == "no-store, private"
    (event,) = await doors.events()
    assert event["name"] == "message.clicked" and event["profile"] == "anna" and event["happened_at"] == NOON
    assert event["properties"] == {
        "message": RULES, "rule": "cart", "step": "first", "channel": "email", "url": TARGET,
    }  # fmt: skip
    assert "conversation" not in event, "an e-mail is in no thread"


async def test_the_same_link_pressed_again_is_one_click_and_a_later_one_another(doors: Doors) -> None:
    for _ in range(3):
        await doors.opens(LINK)
    assert len(await doors.events()) == 1
    doors.now[0] += timedelta(minutes=20)
    await doors.opens(LINK)
    assert len(await doors.events()) == 2


@pytest.mark.parametrize(
    "token",
    [
        sign_link(b"x" * 32, RULES, 1), sign_link(SECRET, RULES, 2), sign_link(SECRET, "rule:" + "00" * 15, 0), "x", "a" * 32,
        sign(SECRET, "link", "https://evil.example", "0"), sign_open(SECRET, RULES), "https:%2F%2Fevil.example", "%00" * 11,
    ],
)  # fmt: skip
async def test_no_token_but_ours_leads_anywhere(doors: Doors, token: str) -> None:
    answer = await doors.opens(f"/l/{token}")
    assert answer.status == 404 and "Location" not in answer.headers
    assert "leads nowhere" in await answer.text()
    french = await (await doors.opens(f"/l/{token}?lang=fr")).text()
    assert 'lang="fr"' in french and "Ce lien ne mène nulle part" in french
    assert await doors.events() == []


async def test_head_is_led_on_and_not_counted(doors: Doors) -> None:
    answer = await doors.opens(LINK, "HEAD")
    assert answer.status == 302 and await doors.events() == []


async def test_a_scanner_is_answered_and_told_apart_once(doors: Doors) -> None:
    for _ in range(2):
        answer = await doors.opens(LINK, **{"User-Agent": "TelegramBot (like TwitterBot)"})
        assert answer.status == 302
    await doors.opens(LINK)
    scanned, clicked = sorted(await doors.events(), key=lambda event: str(event["name"]), reverse=True)
    assert scanned["name"] == "message.scanned" and scanned["properties"]["by_machine"] is True
    assert clicked["name"] == "message.clicked"


async def test_a_click_right_after_the_sending_is_a_scanners(doors: Doors) -> None:
    doors.now[0] = LETTER.at + timedelta(seconds=1)
    await doors.opens(LINK)
    assert [event["name"] for event in await doors.events()] == ["message.scanned"]


async def test_the_picture_tells_that_it_was_opened_once(doors: Doors) -> None:
    for _ in range(2):
        answer = await doors.opens(OPEN)
        assert await answer.read() == PICTURE and answer.content_type == "image/gif"
    (event,) = await doors.events()
    assert event["name"] == "message.read" and event["properties"]["message"] == RULES
    message = await doors.store.get("messages", RULES)
    assert message and message["delivery"]["state"] == "read" and message["delivery"]["times"]["read"] == NOON


async def test_a_picture_of_nobody_is_shown_all_the_same(doors: Doors) -> None:
    answer = await doors.opens("/o/nobody.gif")
    assert answer.status == 200 and await doors.events() == []


async def test_who_does_not_want_to_be_tracked_is_led_on_and_not_counted(doors: Doors) -> None:
    def refuses(snapshot: Any) -> Changes:
        known: Profile = snapshot.profiles["anna"]
        return Changes(profiles=(known.learn("no_tracking", True, source="declared", at=NOON),))

    await doors.writer.commit(Work(refuses, profiles=("anna",)))
    for path in (LINK, OPEN):
        assert (await doors.opens(path)).status in (200, 302)
        assert (await doors.opens(path, **{"User-Agent": "curl/8"})).status in (200, 302)
    assert await doors.events() == []


async def test_a_message_that_no_rule_made_leads_on_and_counts_nothing(doors: Doors) -> None:
    plain = replace(LETTER, id="api:1", conversation="api:1", metadata={})
    await doors.writer.commit(Work(lambda snapshot: Changes(messages=(plain,))))
    assert (await doors.opens(f"/l/{sign_link(SECRET, 'api:1', 0)}")).status == 302
    assert await doors.events() == []


async def test_a_person_is_led_on_when_the_click_can_not_be_kept(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(work: Work, *, patient: bool = False) -> None:
        raise Unavailable("down")

    monkeypatch.setattr(doors.writer, "commit", refuses)
    assert (await doors.opens(LINK)).status == 302
