"""Long polling: nothing is acknowledged before it is on disk, and nobody's trouble stops the others."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import telegram, telegram_poll
from channels.channel import Arrival, Inbound
from profiles.snapshot import Outcome
from profiles.store import Unavailable
from tests.channels.telegram_stage import Stage, stage
from tests.waiting import until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_poll, "SHORTEST_WAIT", 0.02)


@pytest.fixture
async def on(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name, webhook=False, poll_seconds=20) as running:
        await until(lambda: asked(running))
        yield running


def asked(on: Stage) -> list[dict[str, Any]]:
    return [params for method, params in on.server.calls if method == "getUpdates"]


def texts(on: Stage) -> list[str]:
    return [heard.content.text for heard in on.recorder.inbound]


async def test_what_people_say_arrives_and_is_acknowledged(on: Stage) -> None:
    await on.server.says("un")
    await on.server.says("deux")
    await on.server.settled()
    assert texts(on) == ["un", "deux"]
    assert on.channel.routes() == []


async def test_a_webhook_left_behind_is_removed_first(on: Stage) -> None:
    assert [method for method, _ in on.server.calls][:3] == ["getMe", "deleteWebhook", "getUpdates"]


async def test_the_offset_stays_until_everything_is_on_disk(on: Stage) -> None:
    on.recorder.failures = 3
    update = await on.server.says("très important")
    await on.server.settled()
    assert texts(on) == ["très important"]
    offsets = [params["offset"] for params in asked(on)]
    assert offsets[:4] == [0, 0, 0, 0]
    assert offsets[-1] == update["update_id"] + 1


async def test_one_person_s_messages_stay_in_order_while_another_s_wait_for_nobody(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, receive = asyncio.Event(), on.recorder.receive

    async def slow_for_ana(arrival: Arrival) -> Outcome:
        if isinstance(arrival, Inbound) and arrival.content.text == "un":
            await gate.wait()
        return await receive(arrival)

    monkeypatch.setattr(on.channel._intake, "_door", _Door(slow_for_ana))
    await together(on, ("un", 5), ("deux", 5), ("trois", 6))
    await until(lambda: texts(on) == ["trois"])
    gate.set()
    await on.server.settled()
    assert texts(on) == ["trois", "un", "deux"]


async def together(on: Stage, *said: tuple[str, int]) -> None:
    """Let people write so that one answer of Telegram holds it all."""
    async with on.server._changed:
        on.server._pending += [
            {"update_id": 2000 + number, "message": on.server.message(text, by=by)}
            for number, (text, by) in enumerate(said)
        ]
        on.server._changed.notify_all()


class _Door:
    def __init__(self, receive: Any) -> None:
        self.receive = receive


async def test_an_update_that_breaks_us_is_tried_again_then_let_go(
    on: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receive, tries = on.recorder.receive, list[str]()

    async def breaks_at_poison(arrival: Any) -> Outcome:
        if arrival.content.text == "poison":
            tries.append("poison")
            raise KeyError("a mistake of ours")
        return await receive(arrival)

    monkeypatch.setattr(on.channel._intake, "_door", _Door(breaks_at_poison))
    await on.server.says("poison")
    await on.server.says("après")
    await on.server.settled()
    assert len(tries) == telegram_poll.ATTEMPTS
    assert texts(on) == ["après"]
    assert "given_up=True" in caplog.text


async def test_what_was_given_up_is_not_tried_again_while_others_are(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, tries = on.recorder.receive, {"poison": 0, "patience": 0}

    async def breaks(arrival: Any) -> Outcome:
        text = arrival.content.text
        tries[text] += 1
        if text == "poison":
            raise KeyError("a mistake of ours")
        if tries[text] < telegram_poll.ATTEMPTS + 3:
            raise Unavailable("told to")
        return await receive(arrival)

    monkeypatch.setattr(on.channel._intake, "_door", _Door(breaks))
    monkeypatch.setattr(telegram_poll, "LONGEST_WAIT", 0.05)
    await together(on, ("poison", 5), ("patience", 6))
    await on.server.settled()
    assert texts(on) == ["patience"]
    assert tries["poison"] == telegram_poll.ATTEMPTS


async def test_a_malformed_update_is_passed_over(on: Stage) -> None:
    await on.server.happens(message="nonsense")
    await on.server.says("la suite")
    await on.server.settled()
    assert texts(on) == ["la suite"]
    assert on.channel.tally.refused == 1


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("conflict", "one server per token"),
        ("unauthorized", "is channels.telegram.token still valid"),
        ("bad_gateway", "status=502"),
        ("not_json", "no JSON"),
        ("server_error", "status=500"),
        ("reset", "status=0"),
    ],
)
async def test_trouble_is_told_and_waited_out(
    mongo_url: str, database_name: str, caplog: pytest.LogCaptureFixture, failure: str, words: str
) -> None:
    async with stage(mongo_url, database_name, webhook=False, poll_seconds=1) as on:
        await until(lambda: asked(on))
        on.server.fail("getUpdates", failure, times=2)
        with caplog.at_level(logging.INFO):
            await on.server.says("enfin")
            await until(lambda: texts(on) == ["enfin"])
            await until(lambda: words in caplog.text)
        assert on.server.token not in caplog.text


async def test_telegram_says_how_long_to_wait(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[float]()

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(telegram_poll.asyncio, "sleep", _only_in(telegram_poll, note))
    on.server.fail("getUpdates", "flood")
    await on.server.says("un")
    await until(lambda: waits)
    assert waits[0] == 7.0


def _only_in(module: Any, instead: Any) -> Any:
    """Return a sleep that is `instead` for this module's code and the real one for everybody else."""
    import sys

    real = asyncio.sleep

    def sleep(seconds: float, result: Any = None) -> Any:
        mine = sys._getframe(1).f_globals is vars(module)
        return instead(seconds) if mine else real(seconds, result)

    return sleep


async def test_it_stops_at_once_in_the_middle_of_a_question(on: Stage) -> None:
    questions = len(asked(on))
    async with asyncio.timeout(10):  # half of what the question has: a busy machine may take seconds to stop at once
        await on.channel.close()
    assert len(asked(on)) == questions, "the one under way was let go, and none came after it"


async def test_what_was_not_on_disk_at_the_stop_is_fetched_after_the_next_start(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = asyncio.Event()

    async def never_on_disk(_: Any) -> Outcome:
        taken.set()
        await asyncio.Event().wait()
        raise AssertionError

    door = on.channel._intake._door
    monkeypatch.setattr(on.channel._intake, "_door", _Door(never_on_disk))
    await on.server.says("juste avant la fin")
    await taken.wait()
    await on.channel.close()

    after = await telegram.connect(on.channel._options, door)
    await on.server.settled()
    await after.close()
    assert texts(on) == ["juste avant la fin"]
