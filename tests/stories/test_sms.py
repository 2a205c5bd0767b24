"""People with a telephone, two SMS providers and the whole server: one number is one person, and STOP holds on both lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from causerie.app import STORE, build
from causerie.options import Options, ServerOptions
from channels.channel import Door
from profiles.store import Store
from tests.channels.kits import twilio as twilio_kit
from tests.channels.kits.smpp import SmppKit
from tests.channels.kits.twilio import TwilioKit
from tests.peers.smsc import Smsc, running_smsc
from tests.waiting import until

ANNA = "+33612345678"


@dataclass
class Lines:
    """One server that an SMSC and Twilio bring SMS to."""

    store: Store
    smsc: Smsc
    twilio: TwilioKit

    async def texts(self, text: str) -> int:
        """Let Anna write by the operator's line; returns the SMSC's status."""
        return await self.smsc.deliver(source=ANNA[1:], text=text, coding=8)

    @property
    def heard(self) -> list[str]:
        """What Anna's telephone showed from the operator's line, parts joined."""
        joined: list[str] = []
        for submit in self.smsc.of("submit"):
            if submit["udh"] and not submit["udh"][0].endswith("01"):
                joined[-1] += submit["text"]
            else:
                joined.append(submit["text"])
        return joined

    async def hears(self, *words: str) -> str:
        """Wait for the newest SMS to hold all these words."""
        await until(lambda: self.heard and all(word in self.heard[-1] for word in words))
        return self.heard[-1]


@pytest.fixture
async def lines(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Lines]:
    url = f"http://127.0.0.1:{free_port}"
    nobody: Any = None
    door = Door(nobody, url, nobody, nobody, nobody, nobody)  # the kit only wants to know where the server is
    async with (
        running_smsc() as smsc,
        twilio_kit.play(door) as twilio,
        served(mongo_url, database_name, free_port, {"smpp": SmppKit(smsc).options, "twilio": twilio.options}) as app,
    ):
        await smsc.event("bound")
        yield Lines(app[STORE], smsc, twilio)


@asynccontextmanager
async def served(mongo_url: str, database: str, port: int, channels: dict[str, Any]) -> AsyncIterator[web.Application]:
    app = await build(Options(server=ServerOptions(port=port), channels=channels, database=database), mongo_url)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield app
    finally:
        await runner.cleanup()


async def test_a_question_by_sms_is_answered_and_its_delivery_told(lines: Lines) -> None:
    await lines.smsc.order("behave", to=ANNA[1:], receipt="DELIVRD")
    assert await lines.texts("Bonjour, quels sont vos horaires ?") == 0
    await lines.hears("9")
    where = {"conversation": f"smpp:{ANNA}", "direction": "outbound", "delivery.state": "delivered"}
    told = await until(lambda: lines.store.first("messages", where))
    assert told["delivery"]["to"] == f"sms:{ANNA}"


async def test_one_number_on_two_lines_is_one_person(lines: Lines) -> None:
    assert await lines.texts("bonjour") == 0
    assert await lines.twilio.says("bonjour", id="1")
    assert await lines.store.count("profiles", {}) == 1
    assert await lines.store.count("conversations", {}) == 2
    await until(lambda: lines.twilio.peer.messages)


async def test_what_began_on_one_line_goes_on_on_the_other(lines: Lines) -> None:
    await lines.texts("où est ma commande ?")
    await lines.hears("numéro de commande")
    assert await lines.twilio.says("12345678", id="1")
    sent = await until(lambda: lines.twilio.peer.messages)
    assert "12345678" in str(sent[-1])


async def test_stop_on_one_line_is_confirmed_once_and_holds_on_both(lines: Lines) -> None:
    await lines.texts("bonjour")
    await lines.hears("Bonjour")
    await lines.texts("Arrêt !")
    await lines.hears("REPRENDRE")
    before = len(lines.heard)
    assert await lines.texts("STOP") == 0
    assert await lines.texts("quels sont vos horaires ?") == 0
    assert await lines.twilio.says("quels sont vos horaires ?", id="1")
    assert await lines.texts("Reprendre") == 0
    await lines.hears("STOP")  # the welcome back says how to end it
    assert len(lines.heard) == before + 1
    assert lines.twilio.peer.messages == []


async def test_a_stop_that_twilio_answered_is_obeyed_without_a_word(lines: Lines) -> None:
    await lines.twilio.says("bonjour", id="1")
    await until(lambda: lines.twilio.peer.messages)
    before = len(lines.twilio.peer.messages)
    fields = lines.twilio.message("STOP", id="2", OptOutType="STOP")
    assert (await lines.twilio.post("message", fields))[0] == 200
    assert await lines.texts("bonjour") == 0  # the other line: still not a word
    assert await lines.store.count("messages", {"direction": "outbound"}) == before
    (profile,) = await lines.store.find("profiles", {})
    assert profile["identities"][0]["suppression"]["reason"] == "opted_out"


async def test_a_choice_typed_by_its_number_is_understood(lines: Lines) -> None:
    await lines.texts("bonjour")
    offered = await lines.hears("1.", "2.")
    title = next(line.removeprefix("1. ") for line in offered.splitlines() if line.startswith("1. "))
    await lines.texts("1")
    said = await until(
        lambda: lines.store.first(
            "messages", {"direction": "inbound", "content.text": "1", "content.payload": {"$ne": None}}
        )
    )
    assert said["content"]["payload"], f"1 means {title}"


async def test_a_status_of_twilio_marks_the_message(lines: Lines) -> None:
    await lines.twilio.says("bonjour", id="1")
    await until(lambda: lines.twilio.peer.messages)
    status = {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "30006"}
    assert (await lines.twilio.post("status", status))[0] == 200
    marked = await until(lambda: lines.store.first("messages", {"delivery.state": "failed"}))
    assert marked["delivery"]["reason"] == "dead 30006"


async def test_after_a_crash_a_text_delivered_again_is_one_message(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    """The killed server's answer was lost: what it stored is known to the next one, by the records that the server writes."""
    text = {"source": ANNA[1:], "text": "oui"}
    async with running_smsc() as smsc:
        channels = {"smpp": SmppKit(smsc).options}
        async with served(mongo_url, database_name, free_port, channels):
            await smsc.event("bound")
            assert await smsc.deliver(**text) == 0
        before = Store(mongo_url, database_name)
        await before.change("smpp_state", {"_id": "run"}, {"$set": {"open": True}})  # no goodbye, as kill -9 leaves it
        await before.close()
        async with served(mongo_url, database_name, free_port, channels) as app:
            await smsc.event("bound", after=1)
            assert await smsc.deliver(**text) == 0
            assert await app[STORE].count("messages", {"direction": "inbound"}) == 1
            assert await smsc.deliver(**text) == 0
            assert await app[STORE].count("messages", {"direction": "inbound"}) == 2
