"""Rasa's own formbot, copied as it stands: its form and its Python talk to people in the web chat and by SMS."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot.answering import BotOptions
from causerie.app import STORE, build
from causerie.options import Options, ServerOptions
from channels import webchat
from profiles.secret import Secret
from profiles.store import Store
from tests.channels.kits.smpp import SmppKit
from tests.peers.smsc import Smsc, running_smsc
from tests.stories.town import IDENTITY_SECRET, Visitor
from tests.waiting import until

FORMBOT = Path(__file__).parents[1] / "bot" / "formbot"
ANNA = "+33612345678"


@dataclass
class Place:
    """The server with the formbot, its web chat and one line for SMS."""

    url: str
    store: Store
    smsc: Smsc

    async def texts(self, text: str) -> None:
        """Let Anna write an SMS."""
        assert await self.smsc.deliver(source=ANNA[1:], text=text, coding=8) == 0

    async def hears(self, *words: str) -> str:
        """Wait for the SMS of one answer that hold all these words."""
        await until(lambda: all(word in self._shown for word in words))
        shown, self._seen = self._shown, len(self.smsc.of("submit"))
        return shown

    _seen: int = 0

    @property
    def _shown(self) -> str:
        return "".join(submit["text"] for submit in self.smsc.of("submit")[self._seen :])


@pytest.fixture
async def place(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Place]:
    url = f"http://127.0.0.1:{free_port}"
    async with running_smsc() as smsc:
        options = Options(
            server=ServerOptions(port=free_port),
            bot=BotOptions(folder=str(FORMBOT)),
            channels={
                "webchat": webchat.Options(enabled=True, demo=True, identity_secret=Secret(IDENTITY_SECRET)),
                "smpp": SmppKit(smsc).options,
            },
            database=database_name,
        )
        app = await build(options, mongo_url)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", free_port).start()
        try:
            await smsc.event("bound")
            yield Place(url, app[STORE], smsc)
        finally:
            await runner.cleanup()


async def test_its_form_is_filled_in_the_web_chat(place: Place) -> None:
    visitor = await Visitor(place.url, language="en").opens()
    for said, answer in (
        ("hello", "restaurant search assistant"),
        ("im looking for a restaurant", "What cuisine?"),
        ("klingon food", "What cuisine?"),
        ("greek food", "How many people?"),
        ("how is the weather?", "How many people?"),
        ("for ten people", "Do you want to sit outside?"),
        ("no", "Please provide additional preferences"),
        ("a quiet table", "Please give your feedback"),
        ("it was great", "- cuisine: greek\n - num_people: 10"),
    ):
        await visitor.says(said)
        await visitor.hears(answer)
    said = [text for author, text in visitor.transcript if author == "bot"]
    assert {"Cuisine type is not in the database, please try again", "chitchat", "All done!"} <= set(said)
    (thread,) = await place.store.find("conversations", {})
    assert thread["bot"]["tracker"]["slots"]["preferences"] == "a quiet table" and not thread.get("pending")
    await visitor.leaves()


async def test_its_form_is_filled_by_sms(place: Place) -> None:
    await place.texts("im looking for a restaurant")
    await place.hears("What cuisine?")
    await place.texts("mexican")
    await place.hears("How many people?")
    await place.texts("2 please")
    await place.hears("Do you want to sit outside?")
    await place.texts("inside")
    await place.hears("Please provide additional preferences")
    await place.texts("/restart")
    await place.hears("Please give your feedback")  # a preference like any other: no command
    await place.texts("great")
    await place.hears("All done!", "cuisine: mexican", "num_people: 2", "preferences: restart")
