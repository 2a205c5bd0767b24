"""What an outside Rasa is served: actions and words, in the JSON that rasa_sdk and Rasa 3.6 speak."""

import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain
from bot.rasa_routes import LARGEST_CALL, routes
from profiles.store import Store
from profiles.writer import Writer
from tests.bot.conftest import PIZZA, START

TOKEN = "of enough length"
TRACKER: dict[str, Any] = {
    "sender_id": "c1",
    "slots": {"size": "large", "topping": "ham"},
    "latest_message": {"text": "hi", "intent": {"name": "greet"}, "entities": [], "metadata": {}},
    "events": [],
    "paused": False,
    "active_loop": {},
    "latest_input_channel": "telegram",
    "latest_action_name": "action_listen",
    "followup_action": None,
}


async def _client(brain: Brain, mongo_url: str, name: str, folder: str, *tokens: str) -> TestClient:
    store = Store(mongo_url, name)
    writer = Writer(store, process="test")
    actions = Actions(BotOptions(folder=folder, action_seconds=2))
    app = web.Application()
    app.add_routes(routes(brain, actions, store, writer, tokens=tokens, clock=lambda: START))
    server = TestServer(app)
    await server.start_server(auto_decompress=False)  # as the server is run (causerie/serving.py)
    client = TestClient(server)
    await client.start_server()
    return client


@pytest.fixture
async def rasa(pizza: Brain, mongo_url: str, database_name: str) -> AsyncIterator[TestClient]:
    client = await _client(pizza, mongo_url, database_name, str(PIZZA), TOKEN, "the one before")
    yield client
    await client.close()


def _call(action: str, **more: Any) -> dict[str, Any]:
    return {
        "next_action": action,
        "sender_id": "c1",
        "version": "3.6.21",
        "tracker": TRACKER,
        "domain": {"slots": {}},
        **more,
    }


async def _ask(client: TestClient, path: str, body: Any, token: str = TOKEN) -> tuple[int, Any]:
    response = await client.post(path, json=body, params={"token": token})
    return response.status, await response.json()


async def test_an_action_is_run_and_answers_with_events_and_responses(rasa: TestClient) -> None:
    status, answer = await _ask(rasa, "/actions/webhook", _call("action_price"))
    assert status == 200 and set(answer) == {"events", "responses"}
    (event,) = answer["events"]
    assert event == {"event": "slot", "timestamp": None, "name": "price", "value": 9.5}
    (response,) = answer["responses"]
    assert response["buttons"] == [{"title": "Pay", "payload": "/bye"}]
    assert set(response) == {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}


async def test_a_body_packed_as_rasa_packs_it_is_read(rasa: TestClient) -> None:
    packed = zlib.compress(json.dumps(_call("action_price")).encode())
    headers = {"Content-Encoding": "deflate", "Content-Type": "application/json"}
    response = await rasa.post("/actions/webhook", data=packed, headers=headers, params={"token": TOKEN})
    assert response.status == 200
    response = await rasa.post("/actions/webhook", data=packed[4:], headers=headers, params={"token": TOKEN})
    assert response.status == 400


async def test_an_action_that_rejects_answers_400_with_its_name(
    pizza: Brain, mongo_url: str, database_name: str, tmp_path: Path
) -> None:
    (tmp_path / "actions.py").write_text(
        "from rasa_sdk import Action\n"
        "from rasa_sdk.interfaces import ActionExecutionRejection\n"
        "class No(Action):\n"
        "    def name(self): return 'action_no'\n"
        "    async def run(self, dispatcher, tracker, domain): raise ActionExecutionRejection('action_no')\n"
    )
    client = await _client(pizza, mongo_url, database_name, str(tmp_path), TOKEN)
    status, answer = await _ask(client, "/actions/webhook", _call("action_no"))
    error = "Custom action 'action_no' rejected execution."
    assert (status, answer) == (400, {"error": error, "action_name": "action_no"})
    await client.close()


async def test_an_unknown_action_is_404_and_a_broken_one_500(rasa: TestClient) -> None:
    status, answer = await _ask(rasa, "/actions/webhook", _call("action_nobody"))
    assert (status, answer["action_name"]) == (404, "action_nobody")
    status, answer = await _ask(rasa, "/actions/webhook", _call("action_crash"))
    assert status == 500 and "RuntimeError" in answer["error"] and "kitchen" not in answer["error"]
    status, answer = await _ask(rasa, "/actions/webhook", _call("action_slow"))
    assert status == 500 and "took longer" in answer["error"]


async def test_an_unknown_digest_of_the_domain_is_449_until_the_domain_was_sent(rasa: TestClient) -> None:
    digest = {"domain": None, "domain_digest": "d1"}
    assert (await _ask(rasa, "/actions/webhook", _call("action_price", **digest)))[0] == 449
    assert (await _ask(rasa, "/actions/webhook", _call("action_price", domain_digest="d1")))[0] == 200
    assert (await _ask(rasa, "/actions/webhook", _call("action_price", **digest)))[0] == 200


async def test_without_domain_and_digest_the_bots_own_domain_serves(rasa: TestClient) -> None:
    call = _call("action_price")
    del call["domain"]
    assert (await _ask(rasa, "/actions/webhook", call))[0] == 200


@pytest.mark.parametrize("path", ["/actions/webhook", "/actions/nlg", "/actions/actions"])
async def test_nobody_comes_in_without_the_token(rasa: TestClient, path: str) -> None:
    method = rasa.get if path.endswith("actions/actions") else rasa.post
    for params in ({}, {"token": "wrong"}, {"token": "é"}):
        assert (await method(path, params=params)).status == 401


@pytest.mark.parametrize("token", [TOKEN, "the one before"])
async def test_the_token_may_also_come_as_a_bearer(rasa: TestClient, token: str) -> None:
    response = await rasa.get("/actions/actions", headers={"Authorization": f"Bearer {token}"})
    assert {"name": "action_price"} in await response.json()


async def test_without_a_token_in_the_configuration_there_is_nothing(
    pizza: Brain, mongo_url: str, database_name: str
) -> None:
    client = await _client(pizza, mongo_url, database_name, str(PIZZA))
    assert (await client.post("/actions/webhook", json=_call("action_price"))).status == 404
    await client.close()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nothing", b"\xff\xfe", b"[" * 100_000, b'{"next_action": 7, "tracker": 3}']
)
async def test_a_body_that_is_no_call_is_refused(rasa: TestClient, body: bytes) -> None:
    response = await rasa.post("/actions/webhook", data=body, params={"token": TOKEN})
    assert response.status == 400 and "error" in await response.json(content_type=None)


async def test_a_bomb_is_refused_before_it_is_unpacked(rasa: TestClient) -> None:
    bomb = zlib.compress(b" " * (LARGEST_CALL * 4))
    assert len(bomb) < 100_000
    response = await rasa.post(
        "/actions/webhook", data=bomb, headers={"Content-Encoding": "deflate"}, params={"token": TOKEN}
    )
    assert response.status in (400, 413)


async def test_words_are_filled_in_from_the_trackers_slots_and_the_arguments(rasa: TestClient) -> None:
    asked = {
        "response": "utter_ordered",
        "id": None,
        "arguments": {"price": 12},
        "tracker": TRACKER,
        "channel": {"name": "collector"},
    }
    status, answer = await _ask(rasa, "/actions/nlg", asked)
    assert status == 200
    assert answer == {"text": "One large pizza with ham, 12 euros", "buttons": [], "elements": []}


async def test_a_response_that_nobody_wrote_is_worded_as_nothing(rasa: TestClient) -> None:
    status, answer = await _ask(rasa, "/actions/nlg", {"response": "utter_nobody", "tracker": TRACKER})
    assert (status, answer) == (200, {})


@pytest.mark.parametrize(
    ("channel", "language", "text"),
    [("telegram", "en", "Tap"), ("sms", "en", "Text us"), ("telegram", "fr", "Touchez"), ("sms", "fr", "Écrivez")],
)
async def test_words_fit_the_real_channel_and_language(
    write_bot: Any, mongo_url: str, database_name: str, channel: str, language: str, text: str
) -> None:
    folder = write_bot(
        domain=(
            "intents: [hi]\nresponses:\n  utter_how:\n"
            "  - {text: Tap, metadata: {language: en}}\n  - {text: Text us, channel: sms, metadata: {language: en}}\n"
            "  - {text: Touchez, metadata: {language: fr}}\n  - {text: Écrivez, channel: sms, metadata: {language: fr}}\n"
        ),
        data__rules="rules:\n- rule: hi\n  steps: [{intent: hi}, {action: utter_how}]",
        **{
            "data__nlu.en": "nlu:\n- intent: hi\n  examples: |\n    - hello there\n    - good morning",
            "data__nlu.fr": "nlu:\n- intent: hi\n  examples: |\n    - bonjour à tous\n    - salut les amis",
        },
    )
    client = await _client(Brain.load(folder), mongo_url, database_name, str(folder), TOKEN)
    metadata = {"channel": channel, "language": language}
    tracker = {**TRACKER, "latest_input_channel": "rest", "latest_message": {"text": "ok", "metadata": metadata}}
    asked = {"response": "utter_how", "tracker": tracker, "channel": {"name": "collector"}}
    assert (await _ask(client, "/actions/nlg", asked))[1]["text"] == text
    untold = {**tracker, "latest_input_channel": channel, "latest_message": {"text": "bonjour à tous"}}
    assert (await _ask(client, "/actions/nlg", {**asked, "tracker": untold}))[1]["text"] in ("Touchez", "Écrivez")
    await client.close()


async def test_health_is_open(rasa: TestClient) -> None:
    assert await (await rasa.get("/actions/health")).json() == {"status": "ok"}
