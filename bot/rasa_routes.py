"""What an outside Rasa may ask of us: to run the bot's custom actions, and to word its answers.

    # endpoints.yml of that Rasa
    action_endpoint: {url: https://here/actions/webhook, token: ...}
    nlg: {url: https://here/actions/nlg, token: ...}

JSON as rasa_sdk/endpoint.py (3.21) and rasa/core/nlg/callback.py (Rasa 3.6) have it. The token is asked for always; without
one in the configuration there are no routes. As a wording server it chooses by the customer's real channel and language,
which Rasa's own choice over REST never does (RasaHQ/rasa#7384: there the channel is always "collector").
"""

import json
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.answers import utter
from bot.brain import Bot, Brain, Performs
from bot.cleaning import clean_text, clean_value
from bot.contract import ActionCall, Heard, Known
from bot.events import Event
from bot.ngrams import words_of
from bot.office import Attended, Office
from bot.scene import Scene
from bot.tracker import Tracker
from profiles.calendar import Clock
from profiles.octets import octets_of
from profiles.secret import is_one_of
from profiles.store import Store
from profiles.writer import Writer

log = logging.getLogger("bot.rasa_routes")

LARGEST_CALL = 8_000_000
"""Bytes of a call, unpacked: Rasa sends the whole tracker and domain."""
_REMEMBERED_DOMAINS = 4
_MISSING_DOMAIN = (
    "Missing domain context, assistant will retry the request and include the domain in the request payload."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(
    bot: Bot, actions: Performs, store: Store, writer: Writer, *, tokens: Sequence[str], clock: Clock
) -> list[web.RouteDef]:
    """Return the routes, to be mounted at /actions, for who shows one of these tokens; no routes without any."""
    if not tokens:
        return []
    served = _Served(bot, actions, store, writer, clock)
    return [
        web.post("/actions/webhook", _guarded(tokens, served.webhook)),
        web.post("/actions/nlg", _guarded(tokens, served.nlg)),
        web.get("/actions/actions", _guarded(tokens, served.names)),
        web.get("/actions/health", _health),
    ]


def _guarded(tokens: Sequence[str], handler: Handler) -> Handler:
    """Let in who shows a token, as `?token=` (what Rasa sends) or as a bearer."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        shown = request.query.get("token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not is_one_of(shown, tokens):
            return web.json_response({"error": "wrong or missing token"}, status=401)
        return await handler(request)

    return guarded


class _Served:
    """The bot as an outside Rasa sees it; remembers the last domains it was sent, by their digest."""

    def __init__(self, bot: Bot, actions: Performs, store: Store, writer: Writer, clock: Clock) -> None:
        self._bot, self._actions, self._store, self._writer, self._clock = bot, actions, store, writer, clock
        self._domains: dict[str, Mapping[str, Any]] = {}

    @property
    def _brain(self) -> Brain:
        return self._bot.current

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """Run one action."""
        asked = await _json(request)
        name, tracker = asked.get("next_action"), asked.get("tracker")
        if not name:
            return web.json_response(None)  # as rasa_sdk: nothing asked, nothing done
        if not isinstance(name, str) or not isinstance(tracker, dict):
            return _problem(400, "expected next_action and tracker")
        domain = self._domain(asked)
        if domain is None:
            return web.json_response({"error": _MISSING_DOMAIN, "action_name": name}, status=449)
        office = Office(self._store, self._writer, _conversation(asked, tracker), _message(tracker))
        result = await Attended(self._actions, office).run(ActionCall(name, tracker, domain))
        match result.outcome:
            case "done":
                events = [_as_rasas(event) for event in result.events]
                return web.json_response({"events": events, "responses": list(result.responses)})
            case "rejected":
                error = f"Custom action '{name}' rejected execution."
                return web.json_response({"error": error, "action_name": name}, status=400)
        status = 404 if result.is_unknown else 500
        log.error("actions.webhook failed action=%s status=%d", clean_text(name, 100), status)
        error = f"No registered action found for name '{name}'." if status == 404 else result.problem
        return web.json_response({"error": error, "action_name": name}, status=status)

    async def nlg(self, request: web.Request) -> web.StreamResponse:
        """Word one response; an empty object when the bot has no such response, which Rasa takes as saying nothing."""
        asked = await _json(request)
        name, tracker = asked.get("response"), asked.get("tracker")
        if not isinstance(name, str) or not isinstance(tracker, dict):
            return _problem(400, "expected response and tracker")
        arguments = asked.get("arguments")
        scene, memory = self._scene(tracker)
        spoken = utter(scene, memory, name, clean_value(arguments) if isinstance(arguments, dict) else {})
        if not spoken and name not in self._brain.script.domain.responses:
            log.warning("actions.nlg unknown response=%s", clean_text(name, 100))
        return web.json_response(_worded(spoken[0]) if spoken else {})

    async def names(self, request: web.Request) -> web.StreamResponse:
        """List the actions, as rasa_sdk does."""
        load = getattr(self._actions, "load", None)
        return web.json_response([{"name": name} for name in (await load() if load else ())])

    def _domain(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the domain of this call: sent, remembered by its digest, or the bot's own for `enable_selective_domain`."""
        domain, digest = asked.get("domain"), asked.get("domain_digest")
        if isinstance(domain, dict) and domain:
            if isinstance(digest, str):
                self._domains[digest] = domain
                while len(self._domains) > _REMEMBERED_DOMAINS:
                    self._domains.pop(next(iter(self._domains)))
            return domain
        if digest is not None:
            return self._domains.get(str(digest))
        return self._brain.script.domain.raw

    def _scene(self, tracker: Mapping[str, Any]) -> tuple[Scene, Tracker]:
        latest, metadata = _latest(tracker)
        channel = metadata.get("channel") or tracker.get("latest_input_channel") or ""
        script, now = self._brain.script, self._clock()
        heard = Heard(_message(tracker), clean_text(str(latest.get("text") or ""), 1_000), str(channel), now)
        known = Known("", None, {}, str(tracker.get("sender_id")))
        here = script.project.validation.here(now)
        language = _language(self._brain, metadata.get("language"), heard.text)
        memory = Tracker(script.domain)
        slots = tracker.get("slots")
        memory.slots.update(clean_value(slots) if isinstance(slots, dict) else {})
        return Scene(script, heard, known, here, language), memory


def _language(brain: Brain, told: Any, text: str) -> str:
    """Return the language we told Rasa with the message, else that of the message itself."""
    if isinstance(told, str) and told in brain.languages:
        return told
    return brain.understanding.languages.decide(words_of(text), None, 0)[1]


def _worded(event: Event) -> dict[str, Any]:
    """Return the words in the form that Rasa's wording client checks."""
    data = event.get("data") or {}
    worded = {"text": event.get("text") or "", "buttons": data.get("buttons") or [], "elements": []}
    return {**worded, **({"image": data["image"]} if data.get("image") else {})}


def _as_rasas(event: Event | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event without what only we understand: a pause has no team at Rasa's."""
    return {"event": "pause", "timestamp": None} if event.get("event") == "pause" else event


def _conversation(asked: Mapping[str, Any], tracker: Mapping[str, Any]) -> str:
    """Return our id of the conversation, which we told Rasa in the metadata; else what Rasa calls it."""
    told = _latest(tracker)[1].get("conversation")
    return clean_text(str(told or asked.get("sender_id") or tracker.get("sender_id") or ""), 300)


def _message(tracker: Mapping[str, Any]) -> str:
    """Return our own id of the message, which we told Rasa in its metadata; else Rasa's."""
    latest, metadata = _latest(tracker)
    return clean_text(str(metadata.get("message") or latest.get("message_id") or "rasa"), 300)


def _latest(tracker: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the tracker's latest message and its metadata."""
    latest = tracker.get("latest_message")
    latest = latest if isinstance(latest, dict) else {}
    metadata = latest.get("metadata")
    return latest, metadata if isinstance(metadata, dict) else {}


async def _json(request: web.Request) -> dict[str, Any]:
    """Return the body, unpacked and bounded. Raises what the server answers as 400 or 413."""
    body = await octets_of(request.content, LARGEST_CALL)
    if body and any(one.lower() != "identity" for one in request.headers.getall("Content-Encoding", ())):
        body = _unpacked(body)
    if body is None:
        raise web.HTTPRequestEntityTooLarge(LARGEST_CALL, LARGEST_CALL + 1)
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text='{"error": "Invalid body request"}', content_type="application/json")
    return asked


def _unpacked(body: bytes) -> bytes | None:
    """Return what is packed in it by zlib, as Rasa does (it says deflate), or gzip; None when that is too large."""
    unpacking = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # tells the two apart
    try:
        plain = unpacking.decompress(body, LARGEST_CALL + 1)
    except zlib.error:
        return b""
    return plain if len(plain) <= LARGEST_CALL else None


def _problem(status: int, problem: str) -> web.Response:
    return web.json_response({"error": problem}, status=status)


async def _health(request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "ok"})
