"""Webhooks: forged, malformed, too large, repeated; and what a pressed key means."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.channel import Edited, Inbound, Reachable, Sent
from profiles.record import to_document
from profiles.secret import Secret
from profiles.store import Unstorable
from profiles.timeline import BOT, Button, Content, Message
from tests.channels.telegram_stage import SECRET, Stage, stage
from tests.waiting import until

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
async def on(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as running:
        await until(lambda: running.server.webhook)
        yield running


def update(on: Stage, text: str = "Bonjour") -> dict[str, Any]:
    return {"update_id": 1, "message": on.server.message(text)}


async def test_everything_a_person_does_arrives(on: Stage) -> None:
    said = await on.server.says("Bonjour")
    await on.server.edits(said, "Bonsoir")
    await on.server.blocks()
    await on.server.settled()
    assert [type(arrival) for arrival in on.recorder.arrivals] == [Inbound, Edited, Reachable]
    assert on.channel.tally.taken == 3


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret_tokem", "a-secret_token2", "é\udcff"])
async def test_a_forged_webhook_is_refused_whatever_it_says(on: Stage, secret: str | None) -> None:
    for body in (update(on), b"{", b"x" * 3_000_000):
        assert (await on.post(body, secret=secret)).status == 403
    assert on.recorder.arrivals == []
    assert on.channel.tally.forged == 3


async def test_while_a_secret_is_replaced_the_one_before_is_still_taken(mongo_url: str, database_name: str) -> None:
    async with stage(mongo_url, database_name, previous_secret_token=Secret("the-one-before")) as on:
        shown = ("the-one-before", SECRET, "the-one-before-that", "")
        statuses = [(await on.post(update(on), secret=secret)).status for secret in shown]
        assert (statuses, on.channel.tally.forged) == ([200, 200, 403, 403], 2)
        await until(lambda: on.server.webhook)
        assert on.server.webhook["secret_token"] == SECRET, "only the new one is told"


async def test_a_replayed_webhook_changes_nothing_and_is_fine(on: Stage) -> None:
    body = update(on)
    assert [(await on.post(body)).status for _ in range(3)] == [200, 200, 200]
    assert len(on.recorder.inbound) == 1


async def test_duplicates_at_the_same_time_are_one_message(on: Stage) -> None:
    body = update(on)
    answers = await asyncio.gather(*(on.post(body) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert len(on.recorder.inbound) == 1


@pytest.mark.parametrize("cut", [0, 1, 20, -1])
async def test_a_truncated_webhook_is_refused(on: Stage, cut: int) -> None:
    raw = json.dumps(update(on)).encode()
    assert (await on.post(raw[:cut])).status == 400
    assert on.recorder.arrivals == []


@pytest.mark.parametrize("body", [[], "x", 5, {"update_id": {"$gt": 0}}, {"update_id": 1, "message": []}])
async def test_json_that_is_no_update_is_refused(on: Stage, body: Any) -> None:
    assert (await on.post(body)).status == 400
    assert on.channel.tally.refused == 1


@pytest.mark.parametrize("body", [{"update_id": 1}, {"update_id": 1, "poll_answer": {"poll_id": "1"}}])
async def test_an_update_of_unknown_kind_is_counted_and_acknowledged(on: Stage, body: Any) -> None:
    assert (await on.post(body)).status == 200
    assert (on.channel.tally.ignored, on.recorder.arrivals) == (1, [])


async def test_a_group_is_left_alone(on: Stage) -> None:
    await on.server.says("hé le bot", by=-9)
    await on.server.settled()
    assert on.recorder.arrivals == []
    assert on.server.said == []


async def test_a_megabyte_of_text_is_refused_and_a_little_less_is_cut(on: Stage) -> None:
    assert (await on.post(update(on, "x" * 1_000_001))).status == 413
    assert on.recorder.arrivals == []
    assert (await on.post(update(on, "x" * 990_000))).status == 200
    assert len(on.recorder.inbound[0].content.text) == 16_000


@pytest.mark.parametrize("text", ["🙂🙂", "\u202eشكرا", "a\x00b", "\ud800"])
async def test_any_text_arrives_as_text_that_can_be_stored(on: Stage, text: str) -> None:
    assert (await on.post(update(on, text))).status == 200
    stored = on.recorder.inbound[0].content.text
    assert stored.encode() and "\x00" not in stored


async def test_what_is_not_on_disk_is_asked_for_again(on: Stage) -> None:
    on.recorder.failures = 2
    await on.server.says("très important")
    await on.server.settled()
    assert on.server.webhook_statuses == [503, 503, 200]
    assert [heard.content.text for heard in on.recorder.inbound] == ["très important"]


async def test_telegram_is_told_when_to_come_back(on: Stage) -> None:
    on.recorder.failures = 1
    answer = await on.post(update(on))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


async def test_what_can_never_be_stored_does_not_come_for_ever(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(arrival: Any) -> None:
        raise Unstorable("told to")

    monkeypatch.setattr(on.channel._intake, "_door", _with(on, refuse))
    assert (await on.post(update(on))).status == 200
    assert on.channel.tally.refused == 1


def _with(on: Stage, receive: Any) -> Any:
    return replace(on.channel._intake._door, receive=receive)


# -- keys


async def test_a_press_arrives_and_the_key_stops_spinning(on: Stage) -> None:
    await on.send(Content("?", buttons=(Button("Oui", payload="/affirm"),)))
    await on.server.presses("Oui")
    await until(lambda: on.server.answered)
    assert on.recorder.inbound[0].content == Content("Oui", payload="/affirm")


async def test_a_press_is_acknowledged_though_the_key_can_not_be_told(on: Stage) -> None:
    await on.send(Content("?", buttons=(Button("Oui", payload="/affirm"),)))
    on.server.fail("answerCallbackQuery", "hang")
    await on.server.presses("Oui")
    await on.server.settled()
    assert on.server.webhook_statuses == [200]
    assert len(on.recorder.inbound) == 1


LONG = Button("Suivre ma commande", payload='/order_status{"order": "' + "A" * 90 + '"}')


async def _offered(on: Stage) -> None:
    """Send a message with a payload too long for a key, from the record that the back door sends from."""
    content = Content("Laquelle ?", buttons=(Button("Oui", payload="/affirm"), LONG))
    message = Message("m9", "telegram:5", "p1", "telegram", "outbound", BOT, content, 9, NOW)
    await on.store.insert("messages", to_document(message))
    await on.send(content, id="m9", seq=9)


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_long_payload_comes_back_whole(on: Stage, forgotten: bool) -> None:
    await _offered(on)
    await on.server.presses(LONG.title, forgotten=forgotten)
    await on.server.settled()
    assert on.recorder.inbound[0].content == Content(LONG.title, payload=LONG.payload)


async def test_a_press_on_a_hidden_message_counts_if_the_message_offered_it(on: Stage) -> None:
    content = Content("Laquelle ?", buttons=(Button("Oui", payload="/affirm"),))
    sent = await on.send(content, id="m9", seq=9)
    assert isinstance(sent, Sent)
    record = to_document(Message("m9", "telegram:5", "p1", "telegram", "outbound", BOT, content, 9, NOW))
    await on.store.insert(
        "messages", {**record, "delivery": {"to": "telegram:5", "provider_id": f"telegram:{sent.provider_id}"}}
    )
    await on.server.presses("Oui", forgotten=True)
    await on.server.settled()
    assert on.recorder.inbound[0].content == Content("Oui", payload="/affirm")


async def test_data_that_no_message_of_ours_offered_is_only_words(on: Stage) -> None:
    await on.send(Content("Laquelle ?", buttons=(Button("Oui", payload="/restart"),)), seq=9)
    await on.server.presses("Oui", forgotten=True)
    await on.server.settled()
    assert on.recorder.inbound[0].content == Content("/restart")


async def test_a_long_payload_that_is_gone_leaves_its_title(on: Stage) -> None:
    await on.send(Content("Laquelle ?", buttons=(LONG,)), seq=9)
    await on.server.presses(LONG.title)
    await on.server.presses(LONG.title, forgotten=True)
    await on.server.settled()
    assert [heard.content for heard in on.recorder.inbound] == [Content(LONG.title), Content("…")]


async def test_a_reference_never_reaches_into_another_person_s_conversation(on: Stage) -> None:
    await _offered(on)
    await on.server.presses(LONG.title, by=6)
    await on.server.settled()
    assert on.recorder.inbound[0].content == Content(LONG.title)
