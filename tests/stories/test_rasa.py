"""A Rasa server as the brain of the whole server: played always, and a real one where the variable RASA names its program.

The real one is optional even in CI: Rasa open source runs on Python 3.10 only and takes 2.7 GB, which no other test needs.
What it taught stands in tests/peers/rasa_rest.py.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from admin import acts
from admin.agents import Agent
from bot.answering import BotOptions
from causerie.data_folder import free_port
from profiles.calendar import utc_now
from profiles.secret import Secret
from profiles.timeline import Content
from tests.peers.rasa_rest import PERSON, TOKEN, rasa_rest
from tests.stories.town import Town, Visitor, town
from tests.waiting import until

BOT = Path(__file__).parents[1] / "peers" / "rasa_bot"
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PYTHONWARNINGS": "ignore"}
Peer = Callable[[Path, int], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def played(folder: Path, our_port: int) -> AsyncIterator[str]:
    """A played Rasa."""
    async with rasa_rest() as peer:
        yield peer.url
        assert peer.mistakes == []


@asynccontextmanager
async def real(folder: Path, our_port: int) -> AsyncIterator[str]:
    """A real Rasa server, trained here, whose actions and wordings are ours."""
    program = os.environ.get("RASA", "")
    if not program:
        pytest.skip("RASA names no rasa program; optional even in CI (see the top of this file)")
    ours = f"http://127.0.0.1:{our_port}/actions"
    home, port = folder / "rasa", free_port()
    shutil.copytree(BOT, home)
    (home / "credentials.yml").write_text("rest:\n")
    (home / "endpoints.yml").write_text(
        f"action_endpoint: {{url: '{ours}/webhook', token: ours}}\nnlg: {{url: '{ours}/nlg', token: ours}}\n"
    )
    environment = {**os.environ, **QUIET}
    train = ["train", "--skip-validation", "--fixed-model-name", "m", "--out", "models"]
    trained = await asyncio.create_subprocess_exec(
        program, *train, cwd=home, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    assert await trained.wait() == 0
    run = [
        "run",
        "--enable-api",
        "--auth-token",
        TOKEN,
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "--model",
        "models/m.tar.gz",
    ]
    with (home / "log.txt").open("wb") as log:
        serving = await asyncio.create_subprocess_exec(
            program, *run, "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
            cwd=home, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await until(lambda: _is_up(f"http://127.0.0.1:{port}"), within_seconds=180)
        yield f"http://127.0.0.1:{port}"
    finally:
        serving.terminate()
        await serving.wait()


async def _is_up(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/status?token={TOKEN}") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@pytest.fixture(params=[played, real], ids=["played", "real"])
async def here(
    request: pytest.FixtureRequest, mongo_url: str, database_name: str, free_port: int, tmp_path: Path
) -> AsyncIterator[Town]:
    async with request.param(tmp_path, free_port) as url:
        bot = BotOptions(
            folder=str(BOT),
            brain="rasa",
            rasa_url=url,
            rasa_token=Secret(TOKEN),
            endpoint_token=Secret("ours"),
            typed_payloads="any",
        )
        async with town(mongo_url, database_name, free_port, bot) as place:
            yield place


async def test_a_customer_talks_to_rasa_then_to_claire_then_to_rasa(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    await visitor.says("hello")
    await visitor.hears("Hello")
    await visitor.says("talk to a person")
    await visitor.hears(PERSON)
    (waiting,) = await here.store.find("conversations", {"owner": "queue"})
    assert waiting["handover"]["reason"] == "action" and "talk to a person" in waiting["handover"]["summary"]

    claire = Agent(id="claire", email="claire@example.com", name="Claire", role="agent", created_at=utc_now())
    await here.writer.commit(acts.reply(waiting["_id"], Content("Claire here."), claire, client_id="c-1"))
    await visitor.hears("Claire here.")
    await visitor.says("goodbye")
    await until(lambda: len(visitor.acked) == 3)
    assert visitor.transcript[-1] == ("customer", "goodbye"), "people have it: Rasa is not asked"

    await here.writer.commit(acts.give_back(waiting["_id"], claire))
    await visitor.says("hello")
    await visitor.hears("Hello")
    assert visitor.transcript[-1] == ("bot", "Hello")
    await visitor.leaves()


async def test_a_customer_whom_rasa_answers_nothing_gets_people(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    await visitor.says("/mute")
    await visitor.hears("A colleague will take over")
    assert await here.store.count("conversations", {"owner": "queue"}) == 1
    await visitor.leaves()


async def test_several_messages_at_once_are_answered_one_by_one_and_in_order(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    for _ in range(4):
        await visitor.says("hello")
        await visitor.says("goodbye")
    await until(lambda: [author for author, _ in visitor.transcript].count("bot") == 12)
    said = [text for author, text in visitor.transcript if author == "bot"]
    assert said == ["Hello", "Bye", ""] * 4
    await visitor.leaves()


@pytest.mark.parametrize("here", [real], ids=["real"], indirect=True)
async def test_a_real_rasa_runs_our_actions_with_the_profile_and_says_our_words(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    await visitor.says("/who")
    await visitor.hears("webchat en ['webchat']")
    await visitor.says("hello")
    await visitor.hears("Hello")
    await visitor.says("/crash")
    await visitor.hears("A colleague will take over")
    await visitor.leaves()


@pytest.mark.parametrize("here", [real], ids=["real"], indirect=True)
async def test_an_action_of_ours_hands_over_from_a_real_rasa(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    await visitor.says("/expert")
    await visitor.hears("colleague")
    (note,) = await here.store.find("messages", {"direction": "note"})
    assert note["content"]["text"] == "Wants the expert."
    assert await here.store.count("conversations", {"owner": "queue"}) == 1
    await visitor.leaves()
