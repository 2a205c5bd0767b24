"""Telegram's side, played: a Bot API server on this machine that speaks the protocol, and the people behind it.

It is judged itself, by python-telegram-bot's own client (tests/peers/test_bot_api.py). What it can not show: Telegram's
real limits and moods; its error texts are those that the Bot API is known to give.
"""

import asyncio
import itertools
import re
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from aiohttp import web

from tests.peers.bot_api_rules import FIELDS, FILE_FIELDS, BadCall, Params, understood

TOKEN = "123456:test-token-of-no-bot-at-all-0123456"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
BEGAN = 1_763_750_000  # Unix time of the first message
REPEAT_SECONDS = 0.03  # Telegram repeats a webhook after a second and more

Json = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """An answer that is not the usual one."""

    status: int = 200
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""
    mode: Literal["answer", "hang", "reset"] = "answer"


FAILURES = {
    "blocked": Failure(403, "Forbidden: bot was blocked by the user"),
    "deactivated": Failure(403, "Forbidden: user is deactivated"),
    "cannot_initiate": Failure(403, "Forbidden: bot can't initiate conversation with a user"),
    "not_found": Failure(400, "Bad Request: chat not found"),
    "migrated": Failure(
        400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": -1009}
    ),
    "too_long": Failure(400, "Bad Request: message is too long"),
    "flood": Failure(429, "Too Many Requests: retry after 7", {"retry_after": 7}),
    "flood_untold": Failure(429, "Too Many Requests", {"retry_after": "soon"}),
    "proxy_flood": Failure(429, raw="<html><h1>429 Too Many Requests</h1></html>"),
    "unauthorized": Failure(401, "Unauthorized"),
    "conflict": Failure(
        409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    ),
    "server_error": Failure(500, "Internal Server Error"),
    "bad_gateway": Failure(502, raw="<html><h1>502 Bad Gateway</h1></html>"),
    "not_json": Failure(200, raw="<html>maintenance</html>"),
    "hang": Failure(mode="hang"),
    "reset": Failure(mode="reset"),
}


@dataclass
class Said:
    """One message of the bot, as it stands on the person's telephone."""

    chat: str
    id: int
    method: str
    params: Params
    file: bytes | None = None
    filename: str = ""

    @property
    def text(self) -> str:
        """Its text or caption."""
        return str(self.params.get("text") or self.params.get("caption") or "")

    @property
    def keys(self) -> list[Json]:
        """Its keys, row after row."""
        return [key for row in (self.params.get("reply_markup") or {}).get("inline_keyboard", []) for key in row]


@asynccontextmanager
async def bot_api(token: str = TOKEN) -> AsyncIterator["BotApi"]:
    """Start it on a free port, stop it at the end."""
    server = BotApi(token)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class BotApi:
    """`said` is what people see, `calls` what was called; `fail` makes the next call of a method, or each to a chat, go wrong."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token, self.url = token, ""
        self.people = {5, 6, 7}
        self.said: list[Said] = []
        self.calls: list[tuple[str, Params]] = []
        self.answered: list[str] = []
        self.webhook: Params | None = None
        self.webhook_statuses: list[int] = []
        self._failed: Json = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self._failures: dict[str, deque[Failure]] = defaultdict(deque)
        self._chat_failures: dict[str, Failure] = {}
        self._pending: list[Json] = []
        self._queries: dict[str, int] = {}
        self._update_ids, self._message_ids = itertools.count(1000), itertools.count(1)
        self._changed = asyncio.Condition()
        self._polls = 0
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=60_000_000)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._pusher = asyncio.create_task(self._push())

    async def stop(self) -> None:
        """Leave the network."""
        self._stopping.set()
        self._pusher.cancel()
        await asyncio.wait([self._pusher])
        async with self._changed:
            self._changed.notify_all()
        await self._runner.cleanup()

    # -- what people do

    async def says(self, text: str = "", *, by: int = 5, **fields: Any) -> Json:
        """Let a person write (`fields`: of the message, such as photo or location); return the update."""
        return await self.happens(message=self.message(text, by=by, **fields))

    async def edits(self, update: Json, text: str) -> Json:
        """Let a person change what they wrote."""
        message = {**update["message"], "text": text, "edit_date": update["message"]["date"] + 60}
        return await self.happens(edited_message=message)

    async def presses(self, title: str, *, by: int = 5, forgotten: bool = False) -> Json:
        """Let a person press the newest key of this title; `forgotten`: Telegram no longer shows the message to us."""
        said, key = next(
            (said, key)
            for said in reversed(self.said)
            for key in said.keys
            if key["text"] == title  # noqa: SIM118
        )
        id = f"q{len(self._queries) + 1}"
        self._queries[id] = said.id
        message: Json = {"message_id": said.id, "chat": self._chat(by), "date": 0}
        if not forgotten:
            message |= {"date": BEGAN, "text": said.text, "reply_markup": said.params["reply_markup"]}
        query = {"id": id, "from": self._person(by), "chat_instance": "1", "data": key["callback_data"]}
        return await self.happens(callback_query={**query, "message": message})

    async def blocks(self, *, by: int = 5, status: str = "kicked") -> Json:
        """Let a person block the bot (or, with status "member", let it in again)."""
        self._chat_failures.pop(str(by), None)
        if status == "kicked":
            self._chat_failures[str(by)] = FAILURES["blocked"]
        bot = {"id": 1, "is_bot": True, "first_name": "Causerie"}
        change = {"chat": self._chat(by), "from": self._person(by), "date": BEGAN, "old_chat_member": {"user": bot},
                  "new_chat_member": {"status": status, "user": bot}}  # fmt: skip
        return await self.happens(my_chat_member=change)

    async def happens(self, **kinds: Any) -> Json:
        """Bring an update of any kind on its way."""
        return await self.again({"update_id": next(self._update_ids), **kinds})

    async def again(self, update: Json) -> Json:
        """Bring this very update on its way (once more)."""
        async with self._changed:
            self._pending.append(update)
            self._changed.notify_all()
        return update

    async def settled(self) -> None:
        """Return when every update has been acknowledged. Raises TimeoutError."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: not self._pending)

    def message(self, text: str = "", *, by: int = 5, **fields: Any) -> Json:
        """Return a message object as Telegram writes it."""
        number = next(self._message_ids)
        message = {"message_id": number, "from": self._person(by), "chat": self._chat(by), "date": BEGAN + number}
        return {**message, **({"text": text} if text else {}), **fields}

    def file(self, content: bytes, path: str) -> str:
        """Keep a file that a person sent; return its file_id."""
        id = f"AgAC{len(self.files):08d}"
        self.files[id] = (path, content)
        return id

    # -- what goes wrong

    def fail(self, method: str, name: str, *, times: int = 1) -> None:
        """Answer the next calls of this method so (a name of FAILURES)."""
        self._failures[method].extend([FAILURES[name]] * times)

    def fail_for(self, chat: int | str, name: str) -> None:
        """Answer each call to this chat so."""
        self._chat_failures[str(chat)] = FAILURES[name]

    # -- the protocol

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        token, method = request.match_info["token"], request.match_info["method"]
        if not re.fullmatch(r"\d+:[\w-]+", token):
            return _error(404, "Not Found")
        if token != self.token:
            return _error(401, "Unauthorized")
        if method not in FIELDS:
            return _error(404, "Not Found")
        try:
            params = understood(method, await _params(request))
        except BadCall as error:
            return _error(400, str(error))
        self.calls.append((method, params))
        failure = self._failures[method].popleft() if self._failures[method] else None
        failure = failure or self._chat_failures.get(str(params.get("chat_id")))
        if failure:
            return await self._go_wrong(request, failure)
        try:
            return web.json_response({"ok": True, "result": await self._do(method, params)})
        except BadCall as error:
            status = 409 if str(error).startswith("Conflict") else 400
            return _error(status, str(error))

    async def _go_wrong(self, request: web.Request, failure: Failure) -> web.StreamResponse:
        if failure.mode == "hang":
            await self._stopping.wait()
        if failure.mode in ("hang", "reset"):
            assert request.transport
            request.transport.abort()
            return web.Response()
        if failure.raw:
            return web.Response(status=failure.status, text=failure.raw, content_type="text/html")
        return _error(failure.status, failure.description, failure.parameters)

    async def _do(self, method: str, params: Params) -> Any:
        match method:
            case "getMe":
                return {"id": 1, "is_bot": True, "first_name": "Causerie", "username": "causerie_bot"}
            case "setWebhook":
                return await self._set_webhook(params)
            case "deleteWebhook":
                return await self._set_webhook(None)
            case "getWebhookInfo":
                url = self.webhook["url"] if self.webhook else ""
                waiting = len(self._pending)
                return {"url": url, "has_custom_certificate": False, "pending_update_count": waiting, **self._failed}
            case "getUpdates":
                return await self._updates(params)
            case "answerCallbackQuery":
                return self._answer(params["callback_query_id"])
            case "getFile":
                return self._file(params["file_id"])
            case "sendChatAction":
                self._known(params)
                return True
            case "editMessageReplyMarkup":
                return self._edit(params)
            case _:
                return self._say(method, params)

    async def _set_webhook(self, params: Params | None) -> bool:
        async with self._changed:
            self.webhook = params
            self._changed.notify_all()
        return True

    async def _push(self) -> None:
        """Deliver to the webhook while there is one, one update after the other, each until it is acknowledged."""
        async with aiohttp.ClientSession() as session:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self.webhook and self._pending)
                    webhook, update = self.webhook or {}, self._pending[0]
                headers = {SECRET_HEADER: secret} if (secret := webhook.get("secret_token")) else {}
                try:
                    async with session.post(webhook["url"], json=update, headers=headers) as answer:
                        self.webhook_statuses.append(answer.status)
                except aiohttp.ClientError:
                    self.webhook_statuses.append(0)
                if not 200 <= (status := self.webhook_statuses[-1]) < 300:
                    told = f"Wrong response from the webhook: {status}"
                    self._failed = {"last_error_date": int(time.time()), "last_error_message": told}
                    await asyncio.sleep(REPEAT_SECONDS)
                    continue
                async with self._changed:
                    self._pending.remove(update)
                    self._changed.notify_all()

    async def _updates(self, params: Params) -> list[Json]:
        if self.webhook:
            raise BadCall(
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first"
            )
        self._polls += 1
        mine = self._polls
        async with self._changed:
            self._pending = [update for update in self._pending if update["update_id"] >= params.get("offset", 0)]
            self._changed.notify_all()
            try:
                async with asyncio.timeout(params.get("timeout", 0)):
                    await self._changed.wait_for(
                        lambda: self._pending or self._polls != mine or self._stopping.is_set()
                    )
            except TimeoutError:
                return []
            if self._polls != mine:
                raise BadCall(FAILURES["conflict"].description)
            return self._pending[: params.get("limit", 100)]

    def _answer(self, query: str) -> bool:
        if query not in self._queries:
            raise BadCall("Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answered.append(query)
        return True

    def _file(self, id: str) -> Json:
        if id not in self.files:
            raise BadCall("Bad Request: wrong file_id or the file is temporarily unavailable")
        path, content = self.files[id]
        if len(content) > 20_000_000:
            raise BadCall("Bad Request: file is too big")
        return {"file_id": id, "file_unique_id": id, "file_size": len(content), "file_path": path}

    def _edit(self, params: Params) -> Json:
        for said in self.said:
            if (said.chat, said.id) == (str(params.get("chat_id")), params.get("message_id")):
                said.params = {**said.params, "reply_markup": params.get("reply_markup") or {}}
                return self._shown(said)
        raise BadCall("Bad Request: message to edit not found")

    def _say(self, method: str, params: Params) -> Json:
        chat = self._known(params)
        said = Said(chat, next(self._message_ids), method, params)
        if field_name := FILE_FIELDS.get(method):
            self._take_file(said, params[field_name])
        self.said.append(said)
        return self._shown(said)

    def _take_file(self, said: Said, given: Any) -> None:
        if isinstance(given, web.FileField):
            said.file, said.filename = given.file.read(), given.filename
            if said.method == "sendPhoto" and len(said.file) > 10_000_000:
                raise BadCall("Bad Request: file is too big")
        elif given in self.files:
            said.filename, said.file = self.files[given]
        else:
            raise BadCall("Bad Request: wrong file identifier/HTTP URL specified")

    def _shown(self, said: Said) -> Json:
        return {"message_id": said.id, "date": BEGAN + said.id, "chat": self._chat(int(said.chat)), "text": said.text}

    def _known(self, params: Params) -> str:
        chat = str(params["chat_id"])
        if chat not in {str(person) for person in self.people}:
            raise BadCall("Bad Request: chat not found")
        return chat

    async def _download(self, request: web.Request) -> web.Response:
        for path, content in self.files.values():
            if request.match_info["token"] == self.token and path == request.match_info["path"]:
                return web.Response(body=content, content_type="application/octet-stream")
        return _error(404, "Not Found")

    def _person(self, id: int) -> Json:
        return {"id": id, "is_bot": False, "first_name": "Ana", "last_name": "Silva", "username": f"ana{id}",
                "language_code": "fr"}  # fmt: skip

    def _chat(self, id: int) -> Json:
        return {"id": id, "type": "private" if id > 0 else "group", "first_name": "Ana"}


async def _params(request: web.Request) -> Mapping[str, Any]:
    if request.content_type == "application/json":
        given = await request.json()
        if not isinstance(given, dict):
            raise BadCall("Bad Request: object expected")
        return given
    return {**request.query, **await request.post()}


def _error(status: int, description: str, parameters: Mapping[str, Any] | None = None) -> web.Response:
    answer: Json = {"ok": False, "error_code": status, "description": description}
    if parameters:
        answer["parameters"] = dict(parameters)
    return web.json_response(answer, status=status)
