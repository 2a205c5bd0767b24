"""Long polling, for those whose server has no public address: ask for updates, put them on disk, only then ask for the next.

https://core.telegram.org/bots/api#getupdates: asking with a higher offset is the acknowledgement.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from channels.telegram_wire import KINDS, Malformed, chat_of, read
from profiles.store import Unavailable

log = logging.getLogger("channels.telegram")

AT_MOST = 100  # updates in one answer, Telegram's own bound
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between tries when something is wrong, doubled each time
ATTEMPTS = 5  # at an update that breaks us; then it is let go, or it would hold up everybody's

Take = Callable[[Any], Awaitable[None]]
"""Puts one update on disk. Raises Unavailable when it may not be there."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Telegram gave no updates: the HTTP status (0: no answer at all), and after how many seconds to come back."""

    status: int
    detail: str = ""
    seconds: float = 0.0


async def follow(session: aiohttp.ClientSession, url: str, take: Take, *, seconds: int) -> None:
    """Take updates for ever, until cancelled. `url` is the bot's own, with the token; `seconds` is how long one question waits."""
    offset, wait = 0, SHORTEST_WAIT
    attempts: dict[int, int] = {}
    while True:
        answer = await _ask(session, url, offset, seconds)
        asked_for = 0.0
        if isinstance(answer, Refused):
            _explain(answer)
            asked_for = answer.seconds
        elif await _take_all(answer, take, attempts):
            offset = max([offset, *(update["update_id"] + 1 for update in answer)])
            wait = SHORTEST_WAIT
            continue
        await asyncio.sleep(max(asked_for, wait * random.uniform(0.8, 1.2)))  # spread, if there are several of us
        wait = min(wait * 2, LONGEST_WAIT)


async def _ask(session: aiohttp.ClientSession, url: str, offset: int, seconds: int) -> list[Any] | Refused:
    question = {"offset": offset, "limit": AT_MOST, "timeout": seconds, "allowed_updates": list(KINDS)}
    timeout = aiohttp.ClientTimeout(total=seconds + 10, connect=10)
    try:
        async with session.post(f"{url}/getUpdates", json=question, timeout=timeout) as response:
            return _understood(response.status, await response.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        return Refused(0, type(error).__name__)  # not its text: that may hold the URL, and so the token


def _understood(status: int, raw: bytes) -> list[Any] | Refused:
    try:
        answer = read(raw)
    except Malformed:
        return Refused(status, "no JSON")
    if not isinstance(answer, dict):
        return Refused(status, "no object")
    result = answer.get("result")
    if status == 200 and isinstance(result, list) and all(_is_update(update) for update in result):
        return result
    parameters = answer.get("parameters")
    asked_for = parameters.get("retry_after") if isinstance(parameters, dict) else None
    seconds = float(asked_for) if isinstance(asked_for, int | float) else 0.0
    return Refused(status, str(answer.get("description", ""))[:200], seconds)


def _is_update(update: Any) -> bool:
    return isinstance(update, dict) and type(update.get("update_id")) is int


def _explain(refused: Refused) -> None:
    if refused.status == 409:
        log.error(
            'telegram.poll conflict detail="%s" Hint: somebody else asks for this bot\'s updates, or it has a webhook;'
            " one server per token, or webhook = true in [channels.telegram]",
            refused.detail,
        )
    elif refused.status in (401, 404):
        log.error("telegram.poll refused status=%d Hint: is channels.telegram.token still valid?", refused.status)
    else:
        log.warning("telegram.poll failed status=%d detail=%s", refused.status, refused.detail)


async def _take_all(updates: list[Any], take: Take, attempts: dict[int, int]) -> bool:
    """Return whether all are on disk (or given up). People are taken side by side, each person's updates in order."""
    lanes: dict[str, list[Any]] = {}
    for update in updates:
        lanes.setdefault(chat_of(update), []).append(update)
    fine = all(await asyncio.gather(*(_take_lane(lane, take, attempts) for lane in lanes.values())))
    if fine:
        attempts.clear()
    return fine


async def _take_lane(updates: list[Any], take: Take, attempts: dict[int, int]) -> bool:
    for update in updates:
        id = update["update_id"]
        if attempts.get(id, 0) >= ATTEMPTS:
            continue
        try:
            await take(update)
        except Unavailable as error:
            log.warning("telegram.poll waits update=%d reason=%s", id, error)
            return False
        except Exception as error:  # noqa: BLE001 (one update's trouble must not stop the others for ever)
            attempts[id] = attempts.get(id, 0) + 1
            given_up = attempts[id] >= ATTEMPTS
            log.error("telegram.poll broke update=%d error=%s given_up=%s", id, type(error).__name__, given_up)
            if not given_up:
                return False
    return True
