"""Reading a request's body: JSON as RFC 8259 means it, once, within bounds. What other parsers shrug at is refused here.

Two readers that disagree on a duplicate key or on NaN are a way around a check, so neither gets past this door.
"""

import asyncio
import json
import math
import re
from typing import Any, NoReturn

from aiohttp import web

from admin.schema import MOST_PROBLEMS, Problem
from channels.bodies import body_of, is_packed

READ_WITHIN_SECONDS = 10
DEEPEST = 32
MOST_KEYS = 10_000  # in one body; each object is bounded by its own schema besides
_BAD_KEY = re.compile(r"^\$|[.\x00\ud800-\udfff]|^$")
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")


class Malformed(Exception):
    """The body is not what we read: status, and what is wrong with it."""

    def __init__(self, status: int, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.problems = status, detail, problems


async def read_json(request: web.Request, *, largest: int) -> tuple[Any, bytes]:
    """Return the body's value and its bytes. Raises Malformed: 400, 408, 413, 415, 422."""
    if request.content_type != "application/json":
        raise Malformed(415, "expected Content-Type: application/json")
    if is_packed(request):
        raise Malformed(415, "expected a body without Content-Encoding")
    body = await read_bytes(request, largest=largest)
    return parse(body), body


async def read_bytes(request: web.Request, *, largest: int) -> bytes:
    """Return the body as it came. Raises Malformed: 408, 413."""
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            body = await body_of(request, largest)
    except TimeoutError:
        raise Malformed(408, f"expected the whole body within {READ_WITHIN_SECONDS} seconds") from None
    if body is None:
        raise Malformed(413, f"expected at most {largest} bytes")
    return body


def parse(body: bytes) -> Any:
    """Return the value of these bytes. Raises Malformed 400 for what is no JSON, 422 for what we do not take."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_no_constant, parse_float=_finite
        )
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(400, "expected JSON in UTF-8") from error
    if not _is_clean(value):
        raise Malformed(422, "the body can not be taken", tuple(_problems(value)[:MOST_PROBLEMS]))
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise Malformed(422, "the body can not be taken", (Problem("", f"the key {_shown(twin)} stands twice"),))
    return found


def _no_constant(word: str) -> NoReturn:
    raise Malformed(400, f"expected JSON, which has no {word}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed(422, "the body can not be taken", (Problem("", f"a number is too large: {text[:20]}"),))
    return number


def _is_clean(value: Any) -> bool:
    """Return whether `_problems` would find nothing: level by level and without their places, which a third of the time goes on."""
    level, depth, keys = [value], 0, 0
    while level:
        depth += 1
        if depth > DEEPEST or keys > MOST_KEYS:
            return False
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if _BAD_TEXT.search(one):
                    return False
            elif isinstance(one, dict):
                keys += len(one)
                if any(map(_BAD_KEY.search, one)):
                    return False
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, int) and not -(2**63) <= one < 2**63:
                return False
        level = below
    return keys <= MOST_KEYS


def _problems(value: Any) -> list[Problem]:
    """Return what no body of ours may hold, wherever it stands: walked without recursion."""
    problems: list[Problem] = []
    waiting: list[tuple[str, Any, int]] = [("", value, 1)]
    keys = 0
    while waiting and len(problems) < MOST_PROBLEMS:
        at, value, depth = waiting.pop()
        if depth > DEEPEST:
            problems.append(Problem(at, f"expected at most {DEEPEST} levels"))
        elif isinstance(value, dict):
            keys += len(value)
            problems += [Problem(f"{at}/{_shown(key)}", "a key is not empty, has no dot or NUL and no $ in front")
                         for key in value if _BAD_KEY.search(key)]  # fmt: skip
            waiting += [(f"{at}/{_shown(key)}", item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{at}/{number}", item, depth + 1) for number, item in enumerate(value)]
        elif isinstance(value, str) and _BAD_TEXT.search(value):
            problems.append(Problem(at, "expected Unicode text without NUL"))
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            problems.append(Problem(at, "expected an integer of 64 bits"))
    if keys > MOST_KEYS:
        problems.append(Problem("", f"expected at most {MOST_KEYS} keys"))
    return problems


def _shown(key: str) -> str:
    return _BAD_TEXT.sub("\ufffd", key[:80]).replace("~", "~0").replace("/", "~1")
