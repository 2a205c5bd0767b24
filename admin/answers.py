"""What a page's script is told of an act: done, or why not in the agent's language, or that it may try again."""

from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from admin.guard import texts_of
from admin.speech import bound
from profiles.snapshot import Outcome, Refusal
from profiles.store import Unavailable, Unstorable


async def answer(request: web.Request, outcome: Awaitable[Outcome], **known: Any) -> web.Response:
    """Return JSON: ok, or error with its sentence. 409 refused, 503 not confirmed (the same act may be offered again)."""
    try:
        came_to = await outcome
    except Unavailable:
        return refuse(request, "unavailable", 503)
    except Unstorable:
        return refuse(request, "bad_value", 422)
    if isinstance(came_to, Refusal):
        return refuse(request, came_to.reason, 404 if came_to.reason.startswith("unknown_") else 409)
    return web.json_response({"ok": True, **known})


def refuse(request: web.Request, reason: str, status: int = 422) -> web.Response:
    """Return a refusal and its sentence."""
    sentence = bound(texts_of(request)).refusal(reason)
    return web.json_response({"ok": False, "reason": reason, "error": sentence}, status=status)
