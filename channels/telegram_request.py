"""How calls reach Telegram: python-telegram-bot's transport on aiohttp, and what each of its errors proves.

A message costs 0.2 ms of CPU on aiohttp, 0.9 on the library's own httpx.
"""

from datetime import timedelta
from typing import Any

import aiohttp

from channels import telegram_wire as wire
from channels.channel import Failed, Later, Sending, Unknown
from channels.stranger_json import table_at, table_in
from profiles.lean import absent

with absent("cryptography"):
    from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
    from telegram.request import BaseRequest, RequestData

REACH_SECONDS = 5.0
COME_BACK_SECONDS = 5.0  # when Telegram could not even be reached
TOO_MANY, FLOOD_SECONDS = 429, 10


class NotReached(NetworkError):
    """Nothing was handed over: the connection was never made."""


class AioRequest(BaseRequest):
    """python-telegram-bot's transport, on aiohttp: one pool of connections, no URL (it holds the token) in any error."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for one whole call."""
        return self._seconds

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections, once initialized."""
        if self._session is None:
            raise NotReached("closed")
        return self._session

    async def initialize(self) -> None:
        """Open the pool."""
        timeout = aiohttp.ClientTimeout(total=self._seconds, connect=min(REACH_SECONDS, self._seconds))
        self._session = self._session or aiohttp.ClientSession(timeout=timeout)

    async def shutdown(self) -> None:
        """Close the pool; once more does no harm."""
        if self._session:
            await self._session.close()
            self._session = None

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> Any:
        """Return (status, body). Raises NotReached when nothing was sent, RetryAfter, NetworkError when it may have been."""
        try:
            async with self.session.request(method, url, data=_form_data(request_data)) as response:
                answer = await response.read()
                # nothing was taken; the library knows it by one field alone, if it is there
                if response.status == TOO_MANY:
                    raise RetryAfter(_asked(answer))
                return response.status, answer
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotReached(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NetworkError(type(error).__name__) from None
        except UnicodeEncodeError:
            raise BadRequest("text that is not Unicode") from None

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Return the answer; the library's own would log what it can not read."""
        try:
            answer = wire.read(payload)
        except wire.Malformed as error:
            raise TelegramError(str(error)) from None
        if not isinstance(answer, dict):
            raise TelegramError("not an object")
        return answer

    async def download(self, url: str, at_most: int) -> bytes:
        """Return what is there. Raises LookupError when it is more than `at_most` bytes, or gone; NetworkError."""
        content = bytearray()
        try:
            async with self.session.get(url) as response:
                if response.status != 200:
                    raise LookupError(f"telegram file: status {response.status}")
                async for piece in response.content.iter_any():
                    content += piece
                    if len(content) > at_most:
                        raise LookupError("telegram file: too large")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NetworkError(type(error).__name__) from None
        return bytes(content)


def verdict(error: TelegramError) -> Sending:
    """Return what this error proves: https://core.telegram.org/api/errors, and what the Bot API writes in words."""
    words = error.message.lower()
    match error:
        case RetryAfter():
            return Later(_seconds(error.retry_after), "flood control")
        case Forbidden():
            gone = "deactivated" in words or "can't initiate" in words or "to bots" in words
            return Failed("dead" if gone else "opted_out", error.message[:200])
        case InvalidToken():
            return Failed("config", "Telegram refuses the token")
        case BadRequest():
            gone = any(
                sign in words for sign in ("chat not found", "user not found", "peer_id_invalid", "chat_id is empty")
            )
            return Failed("dead" if gone else "content", error.message[:200])
        case NotReached():
            return Later(COME_BACK_SECONDS, error.message[:200])
        case _:
            return Unknown(error.message[:200])


def _asked(answer: bytes) -> int:
    """Return the seconds that Telegram asks for; of an answer that is a proxy's, or says no number, our own."""
    seconds = table_at(table_in(answer), "parameters").get("retry_after")
    return seconds if type(seconds) is int and seconds > 0 else FLOOD_SECONDS


def _seconds(retry_after: float | timedelta) -> float:
    return retry_after.total_seconds() if isinstance(retry_after, timedelta) else float(retry_after)


def _form_data(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    data = aiohttp.FormData()
    for name, value in request_data.json_parameters.items():
        data.add_field(name, value)
    for name, (filename, content, mime) in request_data.multipart_data.items():
        data.add_field(name, content, filename=filename, content_type=mime)
    return data
