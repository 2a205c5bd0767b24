"""The promises of every channel, whoever wrote it: each test runs over all that channels.house finds, and the manual's example."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace

import pytest
from aiohttp import web

from channels import house
from channels.channel import Channel, Door, Failed, Later, Limits, Outbound, Sending, Sent, Unknown
from channels.degrade import degrade
from profiles.calendar import utc_now
from profiles.live import Feed
from profiles.store import Store
from profiles.timeline import Button, Content
from profiles.writer import Writer
from tests.channels.example import EXAMPLE, installed_example
from tests.channels.kits.kit import Kit, Recorder, Trouble, play
from tests.waiting import until

NAMES = [*house.names(), EXAMPLE]
SOON = 8.0  # seconds; far beyond what is needed, so that only a real hang fails


@dataclass
class Stage:
    """One channel, connected to its played provider, its routes served, its arrivals recorded."""

    name: str
    channel: Channel
    kit: Kit
    recorder: Recorder
    before: set[asyncio.Task[None]]
    """The tasks that ran before it was connected."""

    async def send(self, content: Content, *, to: str | None = None) -> list[Sending]:
        """Send as the back door does: degraded to the channel's limits, part by part."""
        address = to or self.kit.person
        parts = degrade(content, self.channel.limits)
        return [await self._hand_over(part, address, number) for number, part in enumerate(parts, 1)]

    async def _hand_over(self, part: Content, address: str, number: int) -> Sending:
        outbound = Outbound(f"m{number}", address, part, f"{self.name}:{address}", number, language="fr")
        if committed := getattr(self.kit, "committed", None):
            committed(outbound)  # in life the commit comes first, and the web chat shows a message with its commit
        return await asyncio.wait_for(self.channel.send(outbound), 30)

    async def reached(self, words: str) -> list[str]:
        """Return what the person heard, once these words are in it."""

        async def has_them() -> bool:
            return words in "\n".join(await self.kit.heard())

        await until(has_them, within_seconds=SOON)
        return await self.kit.heard()

    async def arrived(self, count: int) -> None:
        """Return when so many messages have been received (some channels fetch them by themselves)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while len(self.recorder.inbound) < count:
                    self.recorder.changed.clear()
                    await self.recorder.changed.wait()


@pytest.fixture(autouse=True)
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manual's example channel, beside the real ones."""
    installed_example(monkeypatch)


@pytest.fixture(params=NAMES)
async def stage(
    request: pytest.FixtureRequest, mongo_url: str, database_name: str, free_port: int
) -> AsyncIterator[Stage]:
    """Every channel in turn."""
    name, recorder, store = request.param, Recorder(), Store(mongo_url, database_name)
    door = Door(
        recorder.receive,
        f"http://127.0.0.1:{free_port}",
        utc_now,
        store,
        Writer(store, process="p1"),
        Feed(),
        b"s" * 32,
    )
    async with play(name, door) as kit:
        before = asyncio.all_tasks()
        channel = (await house.connect({name: kit.options}, door))[name]
        runner = await _serve(channel, free_port)
        try:
            await asyncio.wait_for(kit.connected(), SOON)
            yield Stage(name, channel, kit, recorder, before)
        finally:
            await channel.close()
            await runner.cleanup()
    await store.close()


async def _serve(channel: Channel, port: int) -> web.AppRunner:
    app, mounted = web.Application(), web.Application()
    mounted.add_routes(channel.routes())
    app.add_subapp(f"/channels/{channel.name}", mounted)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


# -- what it is


@pytest.mark.parametrize("name", NAMES)
def test_options_are_frozen_switched_off_and_described(name: str) -> None:
    options = house.options_of(name)
    assert is_dataclass(options)
    assert options.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(options, "__slots__")
    assert fields(options)[0].name == "enabled"
    assert fields(options)[0].default is False
    for field in fields(options):
        assert field.metadata.get("about", "").strip(), f"{name}.{field.name} needs metadata={{'about': ...}}"
        assert (field.default, field.default_factory) != (MISSING, MISSING), f"{name}.{field.name} needs a default"


async def test_it_says_who_it_is_and_what_it_can_show(stage: Stage) -> None:
    assert stage.channel.name == stage.name
    assert stage.channel.space == stage.channel.space.lower() != ""
    assert isinstance(stage.channel.limits, Limits)
    assert stage.channel.limits.text > 0
    assert stage.channel.limits.at_once > 0
    for route in stage.channel.routes():
        assert route.path.startswith("/")
        assert not route.path.startswith("/channels/"), "the app mounts routes under /channels/<name> itself"


# -- what it hears


async def test_what_a_person_says_arrives_as_they_said_it(stage: Stage) -> None:
    _hears(stage)
    assert await stage.kit.says("Bonjour, à quelle heure ? 🙂", id="1001")
    await stage.arrived(1)
    (heard,) = stage.recorder.inbound
    assert heard.content.text == "Bonjour, à quelle heure ? 🙂"
    assert heard.channel == stage.name
    assert (heard.space or stage.name) == stage.channel.space
    assert heard.address == stage.kit.person
    assert heard.id


async def test_a_repeated_message_is_one_message(stage: Stage) -> None:
    _hears(stage)
    assert await stage.kit.says("encore moi", id="1002")
    assert await stage.kit.says("encore moi", id="1002")
    assert await stage.kit.says("un autre", id="1003")
    await stage.arrived(2)
    assert [heard.content.text for heard in stage.recorder.inbound] == ["encore moi", "un autre"]


async def test_what_was_not_stored_is_not_acknowledged_and_comes_again(stage: Stage) -> None:
    _hears(stage)
    stage.recorder.failures = 1
    if not await stage.kit.says("très important", id="1004"):
        assert stage.recorder.inbound == []
        assert await stage.kit.says("très important", id="1004")
    await stage.arrived(1)  # a channel that fetches repeats by itself
    assert [heard.content.text for heard in stage.recorder.inbound] == ["très important"]


def _hears(stage: Stage) -> None:
    if not stage.channel.limits.threads:
        pytest.skip(f"{stage.name} hears nobody: it sends notices")


# -- what it says


async def test_a_text_reaches_the_person_once(stage: Stage) -> None:
    (result,) = await stage.send(Content(text="Votre commande est prête, à tout de suite"))
    assert isinstance(result, Sent)
    assert await stage.reached("Votre commande") == ["Votre commande est prête, à tout de suite"]


async def test_choices_can_be_read_wherever_they_can_not_be_pressed(stage: Stage) -> None:
    results = await stage.send(
        Content(text="Une question ?", buttons=(Button("Horaires"), Button("Parler à quelqu'un")))
    )
    assert all(isinstance(result, Sent) for result in results)
    heard = "\n".join(await stage.reached("Parler"))
    assert "Horaires" in heard
    assert "Parler à quelqu'un" in heard


NASTY = {
    "emoji": "🙂" * 90,
    "right-to-left": "\u202bשלום עולם\u202c",
    "NUL": "a\x00b",
    "lone-surrogate": "\ud800",
    "two-septets": "{}|\\^~[]€",
    "astral": "𝕏" * 2_000,
    "blank": " ",
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
async def test_whatever_the_text_it_is_answered_with_a_value(stage: Stage, text: str) -> None:
    outbound = Outbound("m1", stage.kit.person, Content(text=text), f"{stage.name}:{stage.kit.person}", 1)
    assert isinstance(await stage.channel.send(outbound), (Sent, Failed, Later, Unknown))


async def test_an_impossible_address_is_answered_with_a_value(stage: Stage) -> None:
    (result,) = await stage.send(Content(text="où es-tu ?"), to="no such address")
    assert isinstance(result, (Sent, Failed, Later, Unknown))


@pytest.mark.parametrize("trouble", ["blocked", "throttled", "silent"])
async def test_each_trouble_has_its_own_answer(stage: Stage, trouble: Trouble) -> None:
    if trouble not in stage.kit.troubles:
        pytest.skip(f"{stage.name} can not meet: {trouble}")
    (result,) = await stage.send(Content(text="un mot"), to=stage.kit.troubles[trouble])
    match trouble:
        case "blocked":
            assert isinstance(result, Failed)
            assert result.reason in ("opted_out", "dead", "window")
        case "throttled":
            assert isinstance(result, Later)
            assert result.seconds > 0
        case "silent":
            assert isinstance(result, Unknown), "it may have arrived: nobody may say it did not"


async def test_a_provider_that_is_gone_is_answered_with_a_value(stage: Stage) -> None:
    if not stage.kit.troubles:
        pytest.skip(f"{stage.name} has no provider that could be gone")
    await stage.kit.vanish()
    (result,) = await stage.send(Content(text="y a-t-il quelqu'un ?"))
    assert isinstance(result, (Later, Unknown))


# -- how it leaves


async def test_it_lets_go_quickly_and_leaves_nothing_behind(stage: Stage) -> None:
    began = time.monotonic()
    await stage.channel.close()
    assert time.monotonic() - began < 3
    left = asyncio.all_tasks() - stage.before - {asyncio.current_task()}
    running = (await asyncio.wait(left, timeout=1))[1] if left else set()
    assert not running
    await stage.channel.close()  # once more does no harm


@pytest.mark.parametrize("name", NAMES)
def test_it_is_off_until_the_config_says_so(name: str) -> None:
    options = house.options_of(name)()
    assert options.enabled is False
    assert replace(options, enabled=True).enabled is True
