"""What a page's script may send: small JSON objects with known keys of known types; all else is refused at the door."""

import json
from typing import Any, NoReturn

from aiohttp import web

LARGEST = 128 * 1024


async def body(request: web.Request, **kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """Return the JSON object with exactly these keys or fewer. Raises 400, 413 or 415 with the reason as JSON.

    An operator object such as {"$gt": ""} where a text is expected is a wrong type like any other.
    """
    if request.content_type != "application/json":
        _refuse(web.HTTPUnsupportedMediaType, "expected application/json")
    if (request.content_length or 0) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0)
    try:
        found = json.loads(await request.text())
    except (ValueError, RecursionError):
        _refuse(web.HTTPBadRequest, "expected JSON")
    if not isinstance(found, dict):
        _refuse(web.HTTPBadRequest, "expected an object")
    for name, value in found.items():
        if name not in kinds:
            _refuse(web.HTTPBadRequest, f"unknown key: {name[:40]}")
        if not isinstance(value, kinds[name]) or (isinstance(value, bool) and kinds[name] is int):
            _refuse(web.HTTPBadRequest, f"{name}: wrong type")
    return found


def _refuse(kind: type[web.HTTPException], why: str) -> NoReturn:
    raise kind(text=json.dumps({"error": why}), content_type="application/json")


async def form(request: web.Request) -> dict[str, str]:
    """Return the text fields of a posted form, stripped, each at most 4,000 characters."""
    posted = await request.post()
    return {name: value.strip()[:4000] for name, value in posted.items() if isinstance(value, str)}
