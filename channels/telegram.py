"""Telegram, both ways: https://core.telegram.org/bots/api by webhook or long polling; docs/channels/telegram.md for people.

Sends through python-telegram-bot, its transport replaced: a message costs 0.2 ms of CPU on aiohttp, 0.9 on its own httpx.
Updates are judged in telegram_intake and read in telegram_wire, telegram_poll fetches them, telegram_form plans what goes out.
"""

import asyncio
import hashlib
import hmac
import logging
import mimetypes
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web

from channels import telegram_form as form
from channels import telegram_poll as poll
from channels import telegram_wire as wire
from channels.channel import Channel, Door, Failed, Later, Outbound, Sending, Sent, Unknown
from channels.telegram_intake import Intake
from profiles.lean import absent
from profiles.secret import Secret
from profiles.sole import Sole
from profiles.store import Unavailable
from profiles.timeline import Attachment

with absent("cryptography"):
    import telegram as ptb
    from telegram.error import (
        BadRequest,
        ChatMigrated,
        Forbidden,
        InvalidToken,
        NetworkError,
        RetryAfter,
        TelegramError,
    )
    from telegram.request import BaseRequest, RequestData

log = logging.getLogger("channels.telegram")

LARGEST_FILE = 20_000_000  # bytes: what getFile serves, https://core.telegram.org/bots/api#getfile
REACH_SECONDS = 5.0
COME_BACK_SECONDS = 5.0  # when Telegram could not even be reached
REMEMBERED = 2_000  # messages of late, so that one handed over again goes on where it stopped
ANSWERS_WITHIN_SECONDS = 0.5  # at the end, for the answers to pressed keys still under way
TOKEN = re.compile(r"\d{1,20}:[\w-]{20,100}", re.ASCII)
SECRET_TOKEN = re.compile(r"[\w-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """The section [channels.telegram]."""

    enabled: bool = field(default=False, metadata={"about": "Whether customers can write to us on Telegram."})
    token: Secret = field(
        default=Secret(), metadata={"about": "The bot's token from @BotFather; rather in the environment than here."}
    )
    webhook: bool = field(
        default=False,
        metadata={"about": "true: Telegram calls us at our public https address; false: we ask it (long polling)."},
    )
    secret_token: Secret = field(
        default=Secret(),
        metadata={"about": "What Telegram shows us with each webhook (A-Z a-z 0-9 _ -); empty: made by the server."},
    )
    api_url: str = field(
        default="https://api.telegram.org",
        metadata={"about": "Where the Bot API answers; change it for a Bot API server of your own."},
    )
    max_connections: int = field(
        default=40, metadata={"about": "How many webhooks Telegram may send at once, 1 to 100."}
    )
    poll_seconds: int = field(
        default=25, metadata={"about": "How long one question for updates may wait at Telegram, 1 to 50 seconds."}
    )
    timeout_seconds: float = field(
        default=25.0, metadata={"about": "How long one message may take to be handed over, at most 29 seconds."}
    )


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel, listening. Raises ValueError when an option is wrong or Telegram refuses the token.

    When Telegram can not be reached it is tried again in the background: the server starts all the same.
    """
    if wrong := _mistakes(options, door):
        raise ValueError("\n".join(wrong))
    logging.getLogger("telegram").setLevel(logging.WARNING)  # its debug lines hold the token and what people write
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else the library warns at every RetryAfter; both forms are read
    request = AioRequest(options.timeout_seconds)
    await request.initialize()
    api = options.api_url.rstrip("/")
    bot = ptb.Bot(
        options.token.reveal(),
        base_url=f"{api}/bot",
        base_file_url=f"{api}/file/bot",
        request=request,
        get_updates_request=request,
    )
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await bot.get_me()
    except InvalidToken:
        await request.shutdown()
        raise ValueError(
            "channels.telegram.token: expected the token of a bot, got one that Telegram refuses."
            " Hint: /token at @BotFather shows it"
        ) from None
    except (TelegramError, TimeoutError) as error:
        log.warning("telegram.connect failed error=%s", type(error).__name__)
    return Telegram(options, door, bot, request)


class Telegram:
    """The connected channel."""

    name = wire.NAME
    space = wire.NAME
    limits = form.LIMITS

    def __init__(self, options: Options, door: Door, bot: ptb.Bot, request: "AioRequest") -> None:
        self._options, self._door, self._bot, self._request = options, door, bot, request
        self._secret = options.secret_token.reveal() or _derived(door.secret)
        self._intake = Intake(door, secret=self._secret, answered=self._answer)
        self.tally = self._intake.tally
        self._progress: OrderedDict[tuple[str, int], _Progress] = OrderedDict()
        self._answers: set[asyncio.Task[None]] = set()
        self._listening = asyncio.create_task(self._listen(), name="telegram")
        self._listening.add_done_callback(_ended)
        bot_id = options.token.reveal().partition(":")[0]
        self._polling = Sole(door.store, f"telegram {bot_id}", self._poll, process=door.writer.process)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return POST /webhook, where Telegram calls us; with long polling nothing is open."""
        return [web.post("/webhook", self._intake.hook)] if self._options.webhook else []

    async def send(self, outbound: Outbound) -> Sending:
        """Say it in as many calls as it takes. Handed over again, it goes on after the last call that Telegram confirmed."""
        progress = self._progress_of(outbound)
        planned = form.calls(outbound.content, outbound.seq)
        if not planned:
            return Failed("content", "nothing to say")
        for call in planned[progress.calls :]:
            try:
                progress.provider_id = await self._call_wherever(outbound.address, call)
            except TelegramError as error:
                return _verdict(error)
            progress.calls += 1
        return Sent(progress.provider_id)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Return a file that a person sent, at most 20 MB. Raises LookupError when Telegram does not give it (any more)."""
        try:
            file = await self._bot.get_file(remote)
            if not file.file_path or (file.file_size or 0) > LARGEST_FILE:
                raise LookupError("telegram file: too large")
            content = await self._request.download(file.file_path, LARGEST_FILE)
        except TelegramError as error:
            raise LookupError(f"telegram file: {type(error).__name__}") from None
        return content, mimetypes.guess_type(file.file_path)[0] or "application/octet-stream"

    async def close(self) -> None:
        """Stop listening. The webhook stays set: Telegram keeps for us what people write meanwhile (24 hours)."""
        self._listening.cancel()
        await asyncio.wait([self._listening])
        await self._polling.close()
        if self._answers:
            await asyncio.wait(self._answers, timeout=ANSWERS_WITHIN_SECONDS)
        for task in tuple(self._answers):
            task.cancel()
        await self._request.shutdown()

    # -- listening

    async def _listen(self) -> None:
        wait = poll.SHORTEST_WAIT
        while not await self._announced():
            await asyncio.sleep(wait)
            wait = min(wait * 2, poll.LONGEST_WAIT)
        if not self._options.webhook:
            await self._polling.start()

    async def _poll(self) -> None:
        """Ask for updates, in one process of all: Telegram answers two with a conflict."""
        url = f"{self._options.api_url.rstrip('/')}/bot{self._options.token.reveal()}"
        await poll.follow(self._request.session, url, self._intake.take, seconds=self._options.poll_seconds)

    async def _announced(self) -> bool:
        """Tell Telegram how we listen; return whether it agreed."""
        try:
            if self._options.webhook:
                await self._bot.set_webhook(
                    f"{self._door.public_url}/channels/{self.name}/webhook",
                    secret_token=self._secret,
                    max_connections=self._options.max_connections,
                    allowed_updates=wire.KINDS,
                )
            else:
                await self._bot.delete_webhook()
        except (BadRequest, InvalidToken) as error:
            log.error("telegram.listen refused error=%s Hint: check [channels.telegram]", type(error).__name__)
            return False
        except TelegramError as error:
            log.warning("telegram.listen failed error=%s", type(error).__name__)
            return False
        log.info("telegram.listen by=%s", "webhook" if self._options.webhook else "polling")
        return True

    def _answer(self, key: str) -> None:
        """Tell Telegram that the press was heard, so that the key stops spinning; nobody waits for that."""

        async def answer() -> None:
            try:
                await self._bot.answer_callback_query(key)
            except TelegramError as error:
                log.info("telegram.answer failed error=%s", type(error).__name__)

        task = asyncio.create_task(answer())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    # -- sending

    def _progress_of(self, outbound: Outbound) -> "_Progress":
        key = (outbound.id, hash(outbound.content))
        progress = self._progress.setdefault(key, _Progress())
        self._progress.move_to_end(key)
        if len(self._progress) > REMEMBERED:
            self._progress.popitem(last=False)
        return progress

    async def _call_wherever(self, chat: str, call: form.Call) -> str:
        """Make the call, at the chat's new address when Telegram says that it moved. Raises TelegramError."""
        try:
            return await self._call(chat, call)
        except ChatMigrated as moved:
            return await self._call(str(moved.new_chat_id), call)

    async def _call(self, chat: str, call: form.Call) -> str:
        """Make one call and return chat.message, as Telegram numbers them."""
        keys = _markup(call)
        if call.file:
            return _id_of(await self._send_file(chat, call.file, call, keys))
        if call.place:
            at = call.place
            return _id_of(await self._bot.send_location(chat, at.latitude, at.longitude, reply_markup=keys))
        if call.card:
            name = call.card.name or call.card.phone
            return _id_of(await self._bot.send_contact(chat, call.card.phone, name, reply_markup=keys))
        return _id_of(await self._bot.send_message(chat, call.text, reply_markup=keys))

    async def _send_file(
        self, chat: str, file: Attachment, call: form.Call, keys: ptb.InlineKeyboardMarkup | None
    ) -> ptb.Message:
        what, caption, name = await self._bytes_or_name(file, call.method), call.text or None, file.name or None
        match call.method:
            case "photo":
                return await self._bot.send_photo(chat, what, caption, filename=name, reply_markup=keys)
            case "voice":
                return await self._bot.send_voice(chat, what, caption=caption, filename=name, reply_markup=keys)
            case "audio":
                return await self._bot.send_audio(chat, what, caption=caption, filename=name, reply_markup=keys)
            case "video":
                return await self._bot.send_video(chat, what, caption=caption, filename=name, reply_markup=keys)
            case _:
                return await self._bot.send_document(chat, what, caption, filename=name, reply_markup=keys)

    async def _bytes_or_name(self, file: Attachment, method: form.Method) -> Any:
        """Return the bytes of a file that we keep, or Telegram's own name of a file that it keeps.

        Never a bare string: python-telegram-bot would open a local file of that name and send it.
        """
        if file.file is None:
            return _AT_TELEGRAM[method](file.remote or "")
        try:
            kept = await self._door.store.get("files", file.file)
        except Unavailable:
            raise NotReached("the database") from None
        if kept is None:
            raise BadRequest("the file is gone")
        return bytes(kept["bytes"])


@dataclass(slots=True)
class _Progress:
    """How many calls of one message Telegram has confirmed, and the id it gave the last."""

    calls: int = 0
    provider_id: str | None = None


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
        """Return (status, body). Raises NotReached when nothing was sent, NetworkError when it may have been."""
        try:
            async with self.session.request(method, url, data=_form_data(request_data)) as response:
                return response.status, await response.read()
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


_AT_TELEGRAM: dict[form.Method, Callable[[str], Any]] = {
    "photo": lambda id: ptb.PhotoSize(id, id, 0, 0),
    "voice": lambda id: ptb.Voice(id, id, 0),
    "audio": lambda id: ptb.Audio(id, id, 0),
    "video": lambda id: ptb.Video(id, id, 0, 0, 0),
    "document": lambda id: ptb.Document(id, id),
}


def _verdict(error: TelegramError) -> Sending:
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


def _seconds(retry_after: float | timedelta) -> float:
    return retry_after.total_seconds() if isinstance(retry_after, timedelta) else float(retry_after)


def _markup(call: form.Call) -> ptb.InlineKeyboardMarkup | None:
    if not call.keyboard:
        return None
    return ptb.InlineKeyboardMarkup(
        [
            [ptb.InlineKeyboardButton(key.text, url=key.url, callback_data=key.data) for key in row]
            for row in call.keyboard
        ]
    )


def _ended(listening: asyncio.Task[None]) -> None:
    """Say so when listening broke: nothing else would, and no message would arrive any more."""
    if not listening.cancelled() and (error := listening.exception()):
        log.error("telegram.listen broke error=%s", type(error).__name__)


def _id_of(message: ptb.Message) -> str:
    return f"{message.chat_id}.{message.message_id}"


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


def _derived(secret: bytes) -> str:
    """Return a webhook secret that every process of this installation comes to by itself."""
    return hmac.new(secret, b"channels.telegram.webhook", hashlib.sha256).hexdigest()


def _mistakes(options: Options, door: Door) -> list[str]:
    """Return what is wrong with the options, one line each."""
    section, wrong = "channels.telegram", []
    if not TOKEN.fullmatch(options.token.reveal()):
        wrong.append(f"{section}.token: expected a token such as 123456:ABC-DEF. Hint: @BotFather gives it")
    if options.secret_token and not SECRET_TOKEN.fullmatch(options.secret_token.reveal()):
        wrong.append(f"{section}.secret_token: expected 1 to 256 of A-Z a-z 0-9 _ -")
    if not options.api_url.startswith(("http://", "https://")):
        wrong.append(f'{section}.api_url: expected an address with http, got "{options.api_url}"')
    if options.webhook and options.api_url == Options().api_url and not door.public_url.startswith("https://"):
        wrong.append(
            f'{section}.webhook: expected a public https address of this server, got "{door.public_url}".'
            " Hint: webhook = false needs none"
        )
    for name, lowest, highest in (("max_connections", 1, 100), ("poll_seconds", 1, 50), ("timeout_seconds", 0.1, 29)):
        value = getattr(options, name)
        if not lowest <= value <= highest:
            wrong.append(f"{section}.{name}: expected {lowest} to {highest}, got {value}")
    return wrong
