"""An OpenAI-compatible service, played strictly: a request that the real ones refuse with 400 is refused and noted.

Format: OpenAI's reference of POST /chat/completions with tools. What it chooses is told beforehand, one choice a request.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "sk-played"
MODEL = "small"


@dataclass
class Llm:
    """`choices`: (tool, arguments) each request in turn; or an int (status), bytes (body), "hang", or None (only words)."""

    choices: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def seen(self) -> str:
        """Everything that left the server, as text."""
        return json.dumps([request["messages"] for request in self.requests], ensure_ascii=False)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "Incorrect API key", "type": "auth"}}, status=401)
        body = await request.json()
        if problem := _mistake(body):
            self.mistakes.append(problem)
            return web.json_response({"error": {"message": problem, "type": "invalid_request_error"}}, status=400)
        self.requests.append(body)
        choice = self.choices.pop(0) if self.choices else 500
        if choice == "hang":
            await asyncio.Event().wait()
        if isinstance(choice, int):
            return web.Response(status=choice, text="overloaded")
        if isinstance(choice, bytes):
            return web.Response(body=choice, content_type="application/json")
        return web.json_response(_completion(choice))


def _mistake(body: dict[str, Any]) -> str | None:
    if body.get("model") != MODEL or body.get("tool_choice") not in ("auto", "required", "none"):
        return "model or tool_choice"
    offered = [tool["function"] for tool in body.get("tools", []) if tool.get("type") == "function"]
    if not offered or any(function["parameters"]["type"] != "object" for function in offered):
        return "tools"
    calls: set[str] = set()
    for message in body["messages"]:
        if message["role"] not in ("system", "user", "assistant", "tool"):
            return f"role {message['role']}"
        if message["role"] == "assistant":
            calls |= {call["id"] for call in message.get("tool_calls", [])}
        elif not isinstance(message.get("content"), str):
            return "content"
        if message["role"] == "tool" and message.get("tool_call_id") not in calls:
            return "a tool message that answers no call"
    return None


def _completion(choice: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "words" if choice is None else None}
    if choice is not None:
        name, arguments = choice
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": written}}]
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "message": message}], "usage": usage}


@asynccontextmanager
async def llm() -> AsyncIterator[Llm]:
    """Start it on a free loopback port, stop it at the end."""
    peer = Llm()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", peer.complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = "http://{}:{}/v1".format(*runner.addresses[0][:2])
    try:
        yield peer
    finally:
        await runner.cleanup()
