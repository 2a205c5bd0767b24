"""What open pages hear by themselves: rows, messages, counts, colleagues, handovers; and who is not told anything."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from admin import acts, live, sessions
from admin.live_page import WAITING_FRAMES, Page
from admin.presence import Visit
from profiles.conversation import Handover, hand_over
from profiles.snapshot import Amend, Changes, Done, Snapshot, Work
from profiles.timeline import Content, Event
from tests.admin.office import Caller, Office
from tests.waiting import until

CHAT, ANNA, BORIS = "telegram:7003", "webchat:a1b2c3d4e5f6a7b8", "twilio:+33600000002"


async def test_a_message_reaches_the_page_that_shows_its_person(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent(is_away=True))
    async with _page(caller, profiles=["chloe"], looks_at=CHAT) as page:
        await shop.says(CHAT, "<b>Bonsoir</b>")
        row = await _hear(page, "row", id=CHAT)
        assert (row["unread"], row["assignee"], row["fresh"]) == (2, "maya", True)
        item = await _hear(page, "item")
        assert item["by_customer"] and "&lt;b&gt;Bonsoir&lt;/b&gt;" in item["html"]
        assert (await _hear(page, "counts", mine=1))["unassigned"] == 1


async def test_what_the_bot_answers_disturbs_only_those_who_watch_it(shop: Office) -> None:
    maya, samir = await shop.agent(is_away=True), await shop.agent("Samir Haddad", is_away=True)
    async with (
        _page(await shop.signed_in(maya), view="all") as watching,
        _page(await shop.signed_in(samir), view="mine") as quiet,
    ):
        await shop.says(BORIS, "Et lundi ?")
        await shop.says(CHAT, "Vous êtes là ?")
        assert (await _hear(watching, "row", id=BORIS))["owner"] == "bot"
        heard = await _hear_until(quiet, "row", id=CHAT)
        assert BORIS not in [frame.get("id") for frame in heard]


async def test_a_handover_rings_once_with_its_summary(shop: Office) -> None:
    async with _page(await shop.signed_in(await shop.agent(is_away=True))) as page:

        def hand(snapshot: Snapshot) -> Changes:
            given = hand_over(
                snapshot.conversations[BORIS], Handover("asked", snapshot.now, "Veut parler à quelqu'un.")
            )
            return Changes(conversations=(given,))

        await shop.do(Work(hand, conversations=(BORIS,)))
        assert not (await _hear(page, "row", id=BORIS))["fresh"], "given to people, but said long ago"
        handover = await _hear(page, "handover")
        assert (handover["name"], handover["summary"]) == ("Boris Petit", "Veut parler à quelqu'un.")
        await shop.says(BORIS, "Vous êtes là ?")
        heard = await _hear_until(page, "row", unread=1)
        assert not [frame for frame in heard if frame["kind"] == "handover" and frame["id"] == BORIS]


async def test_who_gave_a_conversation_to_somebody_is_told_with_its_row(shop: Office) -> None:
    maya, samir = await shop.agent(is_away=True), await shop.agent("Samir Haddad", "supervisor", is_away=True)
    supervisor = await shop.signed_in(samir)
    async with _page(await shop.signed_in(maya), view="mine") as page:
        await supervisor.post(f"/conversations/{BORIS}/assign", {"to": "maya"})
        row = await _hear(page, "row", id=BORIS)
        assert (row["assignee"], row["unread"], row["given_by"]) == ("maya", 0, "agent:samir")
        await shop.says(BORIS, "Et lundi ?")
        assert (await _hear(page, "row", unread=1))["given_by"] is None


async def test_colleagues_see_who_looks_and_who_types(shop: Office) -> None:
    maya, samir = await shop.agent(), await shop.agent("Samir Haddad")
    async with _page(await shop.signed_in(maya), looks_at=CHAT) as page:
        async with _page(await shop.signed_in(samir), looks_at=CHAT) as other:
            seen = await _hear(page, "presence", lambda frame: frame["looking"])
            assert [agent["name"] for agent in seen["looking"]] == ["Samir Haddad"]
            await other.send_json({"typing": True})
            await _hear(page, "presence", lambda frame: frame["looking"] and frame["looking"][0]["typing"])
            assert shop.desk.channels["telegram"].typed  # type: ignore[attr-defined]
        gone = await _hear(page, "presence", lambda frame: not frame["looking"])
        assert [agent["id"] for agent in gone["here"]] == ["maya"]


async def test_who_may_not_answer_is_never_seen_to_type(shop: Office) -> None:
    shop.desk.channels["telegram"].typed.clear()  # type: ignore[attr-defined]
    async with _page(await shop.signed_in(await shop.agent("Marc Petit", role="marketer")), looks_at=CHAT) as page:
        await page.send_json({"typing": True})
        await page.send_json({"begins": True})
        await _hear(page, "hello")  # what was said before it has been heard
    assert not shop.desk.channels["telegram"].typed  # type: ignore[attr-defined]


async def test_a_receipt_changes_the_message_on_the_page(shop: Office) -> None:
    message = await shop.desk.store.first("messages", {"conversation": CHAT, "author": "agent:maya"})
    assert message
    async with _page(await shop.signed_in(await shop.agent()), profiles=["chloe"]) as page:
        failed = Amend(message["_id"], {"delivery.state": "failed", "delivery.reason": "blocked"})
        await shop.commit(Changes(amends=(failed,)))
        assert "they blocked us" in (await _hear(page, "item", id=message["_id"]))["html"]


async def test_what_was_said_and_sent_since_the_last_look_is_told_as_sent(shop: Office) -> None:
    maya = await shop.agent()
    reply = acts.reply(CHAT, Content("It is on its way."), maya, client_id="c1")

    def said_and_sent(snapshot: Snapshot) -> Changes:
        changes = reply.think(snapshot)
        assert isinstance(changes, Changes)
        return replace(changes, amends=(Amend(changes.messages[0].id, {"delivery.state": "sent"}),))

    async with _page(await shop.signed_in(maya), profiles=["chloe"]) as page:
        outcome = await shop.do(replace(reply, think=said_and_sent))
        assert isinstance(outcome, Done)
        item = await _hear(page, "item", id=outcome.changes.messages[0].id)
        assert "Sent" in item["html"] and "Sending" not in item["html"]


async def test_another_site_and_a_stranger_get_no_socket(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    for who, origin in ((caller, "https://evil.example"), (shop.stranger(), None)):
        with pytest.raises(WSServerHandshakeError) as refusal:
            await who.http.ws_connect(
                f"{shop.base}/live", headers={"Origin": origin or shop.base.removesuffix("/console")}
            )
        assert refusal.value.status in (401, 403)


async def test_a_page_is_let_go_when_its_session_is_ended(shop: Office) -> None:
    maya = await shop.agent()
    first, second = await shop.signed_in(maya), await shop.signed_in(maya)
    async with _page(first) as page:
        await second.post("/settings/sessions", form={"session": ""})
        assert await _closed(page) is not None
        with pytest.raises(WSServerHandshakeError):
            await _connect(first)


async def test_signing_out_in_one_tab_lets_every_tab_of_that_browser_go_and_no_other(shop: Office) -> None:
    maya = await shop.agent(is_away=True)
    here, elsewhere = await shop.signed_in(maya), await shop.signed_in(maya)
    async with _page(here) as page, _page(elsewhere, view="all") as other:
        await here.post("/sign-out", form={})
        assert await _closed(page) == 4000
        await shop.says(CHAT, "Vous êtes là ?")
        assert await _hear(other, "row", id=CHAT)


async def test_a_session_that_ended_in_another_process_is_noticed_though_news_never_pause(
    shop: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_SESSION_EVERY", 0.2)
    maya = await shop.agent()
    async with _page(await shop.signed_in(maya)) as page:
        await sessions.revoke(shop.desk, maya.id)
        talking = asyncio.create_task(_tell_for_ever(shop))
        try:
            assert await _closed(page) == 4001
        finally:
            talking.cancel()


async def test_a_flood_and_a_frame_that_is_no_json_close_the_page(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    async with _page(caller) as page:
        for _ in range(200):
            await page.send_json({"view": "all"})
        assert await _closed(page) == 1008
    async with _page(caller) as page:
        await page.send_str("{" * 4000)
        assert await _closed(page) == 1003


def test_a_page_that_does_not_read_is_cut_off_instead_of_filling_the_memory() -> None:
    page = Page(Visit("maya", "session"))
    for number in range(WAITING_FRAMES * 3):
        page.tell({"kind": "row", "n": number})
    assert page.is_cut and page.frames.qsize() == WAITING_FRAMES + 1


async def test_a_page_that_never_reads_holds_no_connection_and_no_place(
    shop: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "TAKES_WITHIN_SECONDS", 0.05)
    async with _page(await shop.signed_in(await shop.agent())) as page:
        connection = await _stop_reading(page, shop)
        await until(lambda: not shop.live.pages)
        await until(lambda: connection not in shop.server.runner.server.connections)  # type: ignore[union-attr]
        page._response.connection.transport.resume_reading()  # type: ignore[union-attr]


async def test_a_page_that_says_goodbye_and_does_not_read_holds_no_connection(
    shop: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GOODBYE_SECONDS", 0.05)
    async with _page(await shop.signed_in(await shop.agent())) as page:
        connection = await _stop_reading(page, shop)
        await page._writer.close(1000)
        await until(lambda: not shop.live.pages)
        await until(lambda: connection not in shop.server.runner.server.connections)  # type: ignore[union-attr]
        page._response.connection.transport.resume_reading()  # type: ignore[union-attr]


async def test_a_page_that_is_gone_in_the_middle_of_a_frame_leaves_no_presence_behind(
    shop: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with _page(await shop.signed_in(await shop.agent())) as page:
        await _stop_reading(page, shop)
        assert shop.desk.presence.agents() == {"maya"}
        page._response.connection.transport.abort()  # type: ignore[union-attr]
        await until(lambda: not shop.live.pages)
        assert not shop.desk.presence.agents()
    assert not [record for record in caplog.records if record.name == "aiohttp.server"], "a page that goes is no error"


async def test_after_too_much_news_pages_are_told_to_load_afresh(shop: Office) -> None:
    async with _page(await shop.signed_in(await shop.agent())) as page:
        now = shop.clock()
        events = tuple(Event(f"e{number}", "chloe", "order.paid", now) for number in range(2100))
        await shop.commit(Changes(events=events))
        assert await _hear(page, "reload")


@asynccontextmanager
async def _page(caller: Caller, **shows: Any) -> AsyncIterator[ClientWebSocketResponse]:
    page = await _connect(caller)
    await page.send_json({**shows, "begins": True})
    await _hear(page, "hello")
    yield page
    await page.close()


async def _stop_reading(page: ClientWebSocketResponse, office: Office) -> Any:
    """Let the page's connection fill up until frames wait on our side; return the server's end of it."""
    assert office.server.runner
    response, server = page._response, office.server.runner.server
    assert response.connection and response.connection.transport and server
    response.connection.transport.pause_reading()
    for end in (response.connection.transport, *(one.transport for one in server.connections)):
        for size in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            if end:
                end.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, size, 16_384
                )  # else the system takes megabytes
    (told,) = office.live.pages
    for _ in range(40):
        told.tell({"kind": "item", "html": secrets.token_hex(40_000)})  # nothing to compress
    return await until(lambda: next((one for one in server.connections if _has_waiting(one)), None))


def _has_waiting(connection: Any) -> bool:
    return bool(connection.transport and connection.transport.get_write_buffer_size())


async def _tell_for_ever(office: Office) -> None:
    while True:
        for page in office.live.pages:
            page.tell({"kind": "row", "id": CHAT})
        await asyncio.sleep(0.02)


async def _connect(caller: Caller) -> ClientWebSocketResponse:
    return await caller.http.ws_connect(f"{caller.base}/live", headers={"Origin": caller.base.removesuffix("/console")})


async def _hear(page: ClientWebSocketResponse, kind: str, claim: Any = None, **facts: Any) -> dict[str, Any]:
    return (await _hear_until(page, kind, claim, **facts))[-1]


async def _hear_until(
    page: ClientWebSocketResponse, kind: str, claim: Any = None, **facts: Any
) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while True:
            frame = await page.receive()
            assert frame.type is WSMsgType.TEXT, (frame, heard)
            said = json.loads(frame.data)
            heard.append(said)
            is_it = said["kind"] == kind and all(said.get(name) == value for name, value in facts.items())
            if is_it and (claim is None or claim(said)):
                return heard


async def _closed(page: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        while True:
            frame = await page.receive()
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
                return frame.data if frame.type is WSMsgType.CLOSE else page.close_code


async def test_a_stopping_server_asks_its_pages_to_come_back_and_takes_no_new_ones(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    async with _page(caller) as page:
        shop.live.restart()
        assert await _closed(page) == 1012
    with pytest.raises(WSServerHandshakeError, match="503"):
        await _connect(caller)
