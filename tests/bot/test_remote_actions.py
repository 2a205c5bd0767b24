"""Custom actions in a process of their own: rasa_sdk's own server runs them, and servers that misbehave are survived."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain, Heard, Known, perform
from bot.contract import ActionCall
from bot.remote_actions import Endpoint, RemoteActions, performer, read_endpoint
from causerie.data_folder import free_port
from profiles.findings import ContentErrors
from profiles.secret import Secret
from tests.bot.conftest import PIZZA, START
from tests.waiting import until

CALL = ActionCall("action_x", {"sender_id": "c1"}, {"slots": {}})


@pytest.fixture(scope="module")
def action_server() -> Iterator[str]:
    """The address of rasa_sdk's own server with the pizzeria's actions."""
    port = free_port()
    command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port)]
    process = subprocess.Popen(command, cwd=PIZZA, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


async def _is_up(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/health") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def test_a_dialogue_is_the_same_whoever_runs_the_actions(action_server: str, pizza: Brain) -> None:
    await until(lambda: _is_up(action_server), within_seconds=60)
    said = ["I want a pizza", "small", "pineapple", "HAM", "one large pizza please", "ham", "yes", "/human_please"]
    here = Actions(BotOptions(folder=str(PIZZA)))
    there = RemoteActions(Endpoint(f"{action_server}/webhook"), 10)
    told = [await _dialogue(pizza, actions, said) for actions in (here, there)]
    assert told[0] == told[1] and "No pineapple here" in str(told[0]) and "A person will come" in str(told[0])
    assert (await there.run(ActionCall("action_nobody", *_context(pizza)))).is_unknown
    crashed = await there.run(ActionCall("action_crash", *_context(pizza)))
    assert (crashed.outcome, crashed.problem) == ("failed", "the action server answered 500")
    await there.close()


def _context(brain: Brain) -> tuple[Any, Any]:
    call = next(brain.turn(None, Heard("m", "/crash", "webchat", START), Known("p1", None, {}, "c1")))
    return call.tracker, call.domain


async def _dialogue(brain: Brain, actions: Any, said: list[str]) -> list[Any]:
    memory: Any = None
    heard = []
    for number, text in enumerate(said):
        turn = await perform(
            brain, memory, Heard(f"m{number}", text, "webchat", START), Known("p1", None, {}, "c1"), actions
        )
        memory = turn.tracker
        heard.append(([content.text for content in turn.says], turn.failed, turn.handover, memory["tracker"]["slots"]))
    return heard


@pytest.fixture
async def odd() -> AsyncIterator[Any]:
    """A function that starts an action server which answers so, and returns the actions that call it."""
    opened: list[Any] = []

    async def begin(handler: Any, seconds: float = 5.0, **more: Any) -> RemoteActions:
        app = web.Application()
        app.router.add_post("/webhook", handler)
        server = TestServer(app)
        await server.start_server()
        actions = RemoteActions(Endpoint(str(server.make_url("/webhook")), **more), seconds)
        opened.extend([actions, server])
        return actions

    yield begin
    for thing in opened:
        await thing.close()


def _says(status: int, body: bytes) -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    return handler


@pytest.mark.parametrize(
    ("status", "body", "outcome", "problem"),
    [
        (200, b'{"events": [], "responses": [{"text": "hi"}]}', "done", ""),
        (200, b"null", "done", ""),
        (400, b'{"error": "no", "action_name": "action_x"}', "rejected", ""),
        (400, b'{"error": "Invalid body request"}', "failed", "answered 400"),
        (404, b"{}", "failed", "knows no such action"),
        (302, b"", "failed", "answered 302"),
        (500, b"oops", "failed", "answered 500"),
        (200, b"<html>", "failed", "no JSON"),
        (200, b"\xff\xfe", "failed", "no JSON"),
        (200, b"[1, 2]", "failed", "neither events nor responses"),
        (200, b'{"events": [7], "responses": []}', "failed", "neither events nor responses"),
        (200, b" " * 3_000_000, "failed", "more than 2,000,000 bytes"),
    ],
)
async def test_whatever_the_server_answers_is_a_result(
    odd: Any, status: int, body: bytes, outcome: str, problem: str
) -> None:
    result = await (await odd(_says(status, body))).run(CALL)
    assert result.outcome == outcome and problem in result.problem


async def test_a_server_that_hangs_is_given_up(odd: Any) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    result = await (await odd(hang, seconds=0.2)).run(CALL)
    assert result.problem == "took longer than 0.2 s"


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    actions = RemoteActions(Endpoint(f"http://127.0.0.1:{free_port()}/webhook"), 2)
    assert "out of reach" in (await actions.run(CALL)).problem
    await actions.close()


async def test_the_token_and_headers_are_shown(odd: Any) -> None:
    seen: list[Any] = []

    async def look(request: web.Request) -> web.Response:
        seen.append((request.query.get("key"), request.headers.get("X-Shop"), request.headers.get("Authorization")))
        return web.json_response({"events": [], "responses": []})

    more = {"token": Secret("t0ken"), "token_name": "key", "headers": {"X-Shop": "1"}}
    await (await odd(look, **more, user="u", password=Secret("p"))).run(CALL)
    assert seen == [("t0ken", "1", "Basic dTpw")]


def test_endpoints_yml_is_read_as_rasa_reads_it(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text(
        "nlg: {url: http://other}\naction_endpoint:\n  url: http://${HOST}:5055/webhook\n  token: ${TOKEN}\n"
    )
    endpoint = read_endpoint(tmp_path, {"HOST": "actions.local", "TOKEN": "s3cret"})
    assert endpoint is not None and endpoint.url == "http://actions.local:5055/webhook"
    assert endpoint.token.reveal() == "s3cret" and "s3cret" not in repr(endpoint)


@pytest.mark.parametrize(
    "text", ["action_endpoint: here", "action_endpoint: {url: 5055}", "action_endpoint: {url: ftp://x}"]
)
def test_a_wrong_endpoint_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "endpoints.yml").write_text(text)
    with pytest.raises(ContentErrors, match="endpoints.yml:1:"):
        read_endpoint(tmp_path, {})


def test_who_runs_the_actions_is_the_configuration_then_endpoints_yml_then_we(tmp_path: Path) -> None:
    assert isinstance(performer(BotOptions(folder=str(tmp_path))), Actions)
    (tmp_path / "endpoints.yml").write_text("action_endpoint: {url: http://a/webhook}")
    assert isinstance(performer(BotOptions(folder=str(tmp_path))), RemoteActions)
    assert isinstance(performer(BotOptions(action_url="http://b/webhook")), RemoteActions)
    with pytest.raises(ValueError, match="action_url: expected http"):
        BotOptions(action_url="b:5055")


@pytest.mark.parametrize(
    "url", ["http://localhost:5055/webhook", "http://127.0.0.1:5056/webhook", "http://[::1]:1/webhook"]
)
def test_rasas_own_address_for_actions_means_those_in_the_folder(tmp_path: Path, url: str) -> None:
    (tmp_path / "endpoints.yml").write_text(f"action_endpoint:\n  url: {url}\n")
    (tmp_path / "actions").mkdir()
    assert isinstance(performer(BotOptions(folder=str(tmp_path))), RemoteActions), "there are none here"
    (tmp_path / "actions" / "actions.py").write_text("")
    assert isinstance(performer(BotOptions(folder=str(tmp_path))), Actions)
    assert isinstance(performer(BotOptions(folder=str(tmp_path), action_url=url)), RemoteActions), "the owner says so"


@pytest.mark.parametrize("more", ["  url: http://actions:5055/webhook", "  url: http://localhost/webhook\n  token: x"])
def test_an_action_server_with_a_name_or_a_secret_is_meant(tmp_path: Path, more: str) -> None:
    (tmp_path / "endpoints.yml").write_text(f"action_endpoint:\n{more}\n")
    (tmp_path / "actions.py").write_text("")
    assert isinstance(performer(BotOptions(folder=str(tmp_path))), RemoteActions)
