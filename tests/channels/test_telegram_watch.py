"""Telegram's own word on whether it reaches us: heard, and told louder after an hour."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from channels.telegram_watch import ALARM_AFTER, Watch, Webhook
from tests.cast import NOON
from tests.channels.telegram_stage import Stage, stage
from tests.waiting import until

OURS = "https://shop.example/channels/telegram/webhook"
MINUTE = timedelta(minutes=1)


class Asked:
    """A Watch whose Telegram and clock are played."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now, self.told = NOON, list[Webhook | None]()
        self._log = caplog
        self._watch = Watch(self._next, url=OURS, clock=lambda: self.now)

    async def _next(self) -> Webhook | None:
        return self.told.pop(0)

    async def look(self, *told: Webhook | None) -> list[str]:
        """Look once for each of these, ten minutes apart, and return how loud each was: `-` for not at all."""
        heard = []
        for one in told:
            self.told.append(one)
            self._log.clear()
            await self._watch.look()
            heard.append(self._log.records[-1].levelname if self._log.records else "-")
            self.now += 10 * MINUTE
        return heard

    def failing(self, *, minutes_ago: int = 1, waiting: int = 3) -> Webhook:
        """What Telegram says when an update could not be delivered a moment ago."""
        return Webhook(OURS, waiting, self.now - minutes_ago * MINUTE, "Connection timed out")


@pytest.fixture
def asked(caplog: pytest.LogCaptureFixture) -> Asked:
    caplog.set_level(logging.WARNING)
    return Asked(caplog)


async def test_a_webhook_that_fails_is_a_warning_and_after_an_hour_an_error(asked: Asked) -> None:
    heard = [(await asked.look(asked.failing()))[0] for _ in range(8)]
    assert heard == ["WARNING"] * int(ALARM_AFTER / (10 * MINUTE)) + ["ERROR"] * 2


async def test_what_was_delivered_in_between_begins_the_hour_anew(asked: Asked) -> None:
    for _ in range(6):
        await asked.look(asked.failing())
    assert await asked.look(Webhook(OURS, 0, asked.now, "Connection timed out")) == ["-"]
    assert await asked.look(asked.failing()) == ["WARNING"]


async def test_an_old_error_of_a_busy_bot_is_nobodys_alarm(asked: Asked) -> None:
    """Updates always wait where many come; the last error stays on record long after."""
    assert await asked.look(asked.failing(minutes_ago=31), Webhook(OURS, 5), None) == ["-", "-", "-"]


async def test_a_webhook_that_leads_elsewhere_is_told_at_once(asked: Asked) -> None:
    assert await asked.look(Webhook("https://other.example/hook", 0), Webhook("", 2)) == ["ERROR", "ERROR"]


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        ("https://Bücher.Example/hook", "https://xn--bcher-kva.example/hook"),
        ("https://SHOP.example/hook", "https://shop.example/hook"),
        ("https://shop.example:443/hook", "https://shop.example/hook"),
        ("https://shop.example/hook", "https://Shop.example:443/hook"),
    ],
)
async def test_one_address_written_in_two_ways_is_ours(caplog: pytest.LogCaptureFixture, ours: str, told: str) -> None:
    async def ask() -> Webhook:
        return Webhook(told, 0)

    caplog.set_level(logging.WARNING)
    await Watch(ask, url=ours, clock=lambda: NOON).look()
    assert caplog.records == []


@pytest.mark.parametrize(
    "told", ["https://shop.example/HOOK", "http://shop.example/hook", "https://shop.example:8443/hook", "https://["]
)
async def test_another_path_or_port_is_another_address(caplog: pytest.LogCaptureFixture, told: str) -> None:
    async def ask() -> Webhook:
        return Webhook(told, 0)

    caplog.set_level(logging.WARNING)
    await Watch(ask, url="https://shop.example/hook", clock=lambda: NOON).look()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.fixture
async def on(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as played:
        yield played


async def test_the_channel_hears_from_telegram_that_it_can_not_deliver(
    on: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    on.recorder.failures = 1_000_000
    await on.server.says("Bonjour ?")
    await until(lambda: 503 in on.server.webhook_statuses)
    await on.channel._watch.look()
    assert "telegram.webhook fails waiting=1 minutes=0 reason=Wrong response from the webhook: 503" in caplog.text
    on.recorder.failures = 0
    await until(lambda: on.recorder.inbound and not on.server._pending)
    caplog.clear()
    await on.channel._watch.look()
    assert "telegram.webhook" not in caplog.text
