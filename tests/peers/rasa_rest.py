"""Rasa's REST channel and tracker API, played strictly: what Rasa 3.6.21 was seen to do, its traps included.

Seen on a real one (tests/stories/test_rasa.py runs the same stories on it where RASA names one):
- nothing to say, an action that failed or is not there: `[]` with status 200;
- paused: messages are logged and answered by `[]`;
- `resume` alone: the next message gets the pausing action's words again and the conversation is paused again;
  with `{"event": "action", "name": "action_listen"}` after it all is well;
- the path is not decoded: `a%2Fb` is another conversation than `a/b`;
- a wrong token is 401 on the tracker API; the REST channel asks for none; without --enable-api the API is 404.
What we never send right is a mistake noted in `mistakes`.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "sesame"
PERSON = "A person will come"
WORDS: dict[str, list[dict[str, Any]]] = {
    "hello": [
        {
            "text": "Hello",
            "buttons": [{"title": "A person", "payload": "/human"}, {"title": "Who", "payload": "/who"}],
        }
    ],
    "goodbye": [{"text": "Bye"}, {"image": "https://shop.example/bye.png"}],
}
INTENTS = {"hello": "greet", "goodbye": "bye", "/human": "human", "talk to a person": "human", "/mute": "mute"}


@dataclass
class Talk:
    """One conversation as Rasa keeps it."""

    paused: bool = False
    half_done: bool = False
    """An action paused in the middle of its turn and nothing listened since."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def state(self, sender: str) -> dict[str, Any]:
        """Return what the tracker API shows."""
        latest = self.heard[-1] if self.heard else {"message": None, "metadata": {}, "input_channel": None}
        intent = {"name": INTENTS.get(latest["message"]), "confidence": 1.0} if self.heard else {}
        message = {"text": latest["message"], "intent": intent, "entities": [], "metadata": latest["metadata"]}
        return {
            "sender_id": sender, "slots": {"points": None}, "latest_message": message, "latest_event_time": 1.0,
            "followup_action": None, "paused": self.paused, "events": None, "active_loop": {},
            "latest_input_channel": latest["input_channel"], "latest_action_name": "action_listen",
        }  # fmt: skip


@dataclass
class RasaRest:
    """Listens on a free loopback port. `faults` are taken one a message: an int is a status, bytes a body, "hang" waits."""

    has_api: bool = True
    talks: dict[str, Talk] = field(default_factory=dict)
    faults: list[Any] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    busy: int = 0
    url: str = ""

    def talk(self, sender: str) -> Talk:
        """Return the conversation of this name; a new one for a new name."""
        return self.talks.setdefault(sender, Talk())

    async def say(self, request: web.Request) -> web.StreamResponse:
        """POST /webhooks/rest/webhook."""
        body = await request.json()
        for key, kind in (("sender", str), ("message", str), ("input_channel", str), ("metadata", dict)):
            if not isinstance(body.get(key), kind):
                self.mistakes.append(f"{key}: {body.get(key)!r}")
        if self.faults and (fault := self.faults.pop(0)) is not None:
            return await _faulty(fault)
        talk = self.talk(body["sender"])
        if self.busy:
            self.mistakes.append("two messages at once")
        self.busy += 1
        await asyncio.sleep(0)
        self.busy -= 1
        talk.heard.append(body)
        said = self._answer(talk, body["message"])
        return web.json_response([{"recipient_id": body["sender"], **words} for words in said])

    def _answer(self, talk: Talk, text: str) -> list[dict[str, Any]]:
        if talk.paused:
            self.mistakes.append("a message while paused")
            return []
        if talk.half_done or INTENTS.get(text) == "human":
            talk.paused = talk.half_done = True
            return [{"text": PERSON}]
        return WORDS.get(text, [])

    async def look(self, request: web.Request) -> web.StreamResponse:
        """GET /conversations/{sender}/tracker."""
        if refused := self._refused(request):
            return refused
        sender = _sender(request)
        return web.json_response(self.talk(sender).state(sender))

    async def add(self, request: web.Request) -> web.StreamResponse:
        """POST /conversations/{sender}/tracker/events."""
        if refused := self._refused(request):
            return refused
        sender, events = _sender(request), json.loads(await request.read())
        talk = self.talk(sender)
        for event in events if isinstance(events, list) else [events]:
            match event.get("event"):
                case "pause":
                    talk.paused = True
                case "resume":
                    talk.paused = False
                case "action" if event.get("name") == "action_listen":
                    talk.half_done = False
                case "bot" if isinstance(event.get("text"), str):
                    pass
                case _:
                    self.mistakes.append(f"event {event}")
                    return web.json_response({"status": "failure", "reason": "BadRequest"}, status=400)
            talk.events.append(event)
        return web.json_response(talk.state(sender))

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self.has_api:
            return web.Response(status=404, text="Not found")
        if request.query.get("token") != TOKEN:
            body = {"version": "3.6.21", "status": "failure", "reason": "NotAuthenticated", "code": 401}
            return web.json_response(body, status=401)
        return None


async def _faulty(fault: Any) -> web.StreamResponse:
    if fault == "hang":
        await asyncio.Event().wait()
    if isinstance(fault, int):
        return web.Response(status=fault, text="<html>Internal Server Error</html>")
    return web.Response(body=fault, content_type="application/json")


def _sender(request: web.Request) -> str:
    return request.rel_url.raw_parts[2]


@asynccontextmanager
async def rasa_rest() -> AsyncIterator[RasaRest]:
    """Start it on a free loopback port, stop it at the end."""
    rasa = RasaRest()
    app = web.Application()
    app.router.add_post("/webhooks/rest/webhook", rasa.say)
    app.router.add_get("/conversations/{sender}/tracker", rasa.look)
    app.router.add_post("/conversations/{sender}/tracker/events", rasa.add)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rasa.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield rasa
    finally:
        await runner.cleanup()
