"""What a page may send: small JSON objects with known keys of known types, and forms; all else is refused at the door."""

import json
import re
from typing import Any, NoReturn

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from channels.bodies import body_of

LARGEST = 128 * 1024
NO_FORM = (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError)
"""What aiohttp raises over the forms of strangers: charsets that are none, parts without a name, heads without an end."""

_HALVES = re.compile("[\ud800-\udfff]")  # a form may name a charset that has them, and no database takes them


async def body(request: web.Request, **kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """Return the JSON object with exactly these keys or fewer. Raises 400, 413 or 415 with the reason as JSON.

    An operator object such as {"$gt": ""} where a text is expected is a wrong type like any other.
    """
    if request.content_type != "application/json":
        _refuse(web.HTTPUnsupportedMediaType, "expected application/json")
    octets = await body_of(request, LARGEST)
    if octets is None:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or LARGEST + 1)
    try:
        found = orjson.loads(octets)  # refuses half a letter ("\ud800"), which no file and no database takes
    except orjson.JSONDecodeError:
        _refuse(web.HTTPBadRequest, "expected JSON in UTF-8")
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
    """Return the text fields of a posted form, stripped, each at most 4,000 characters. Raises as `posted`."""
    return {name: value.strip()[:4000] for name, value in (await posted(request)).items()}


async def posted(request: web.Request) -> dict[str, str]:
    """Return the text fields of a posted form as they came, lone surrogates apart. Raises 400, 413 with the reason."""
    try:
        found = await request.post()
    except NO_FORM:
        raise web.HTTPBadRequest(text="expected a form\n") from None
    return {name: _HALVES.sub("\ufffd", value) for name, value in found.items() if isinstance(value, str)}
