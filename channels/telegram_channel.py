"""The connected Telegram channel: sends through python-telegram-bot, its transport replaced (telegram_request).

Updates are judged in telegram_intake and read in telegram_wire, telegram_poll fetches them, telegram_form plans what goes out.
"""

import asyncio
import hashlib
import hmac
import logging
import mimetypes
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from channels import telegram_form as form
from channels import telegram_poll as poll
from channels import telegram_wire as wire
from channels.channel import Channel, Door, Failed, Outbound, Sending, Sent
from channels.telegram_intake import Intake
from channels.telegram_options import Options
from channels.telegram_request import REACH_SECONDS, AioRequest, NotReached, verdict
from channels.telegram_watch import Watch, Webhook
from profiles.lean import absent
from profiles.secret import live
from profiles.sole import Sole
from profiles.store import Unavailable
from profiles.timeline import Attachment

with absent("cryptography"):
    import telegram as ptb
    from telegram.error import BadRequest, ChatMigrated, InvalidToken, TelegramError

log = logging.getLogger("channels.telegram")

LARGEST_FILE = 20_000_000  # bytes: what getFile serves, https://core.telegram.org/bots/api#getfile
REMEMBERED = 2_000  # messages of late, so that one handed over again goes on where it stopped
ANSWERS_WITHIN_SECONDS = 0.5  # at the end, for the answers to pressed keys still under way


async def connected(options: Options, door: Door) -> Channel:
    """Return the channel, listening. Raises ValueError when Telegram refuses the token."""
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

    def __init__(self, options: Options, door: Door, bot: ptb.Bot, request: AioRequest) -> None:
        self._options, self._door, self._bot, self._request = options, door, bot, request
        self._secret = options.secret_token.reveal() or _derived(door.secret)
        accepted = (self._secret, *live(options.previous_secret_token))
        self._intake = Intake(door, secrets=accepted, answered=self._answer)
        self.tally = self._intake.tally
        self._progress: OrderedDict[tuple[str, int], _Progress] = OrderedDict()
        self._answers: set[asyncio.Task[None]] = set()
        self._address = f"{door.public_url}/channels/{self.name}/webhook"
        self._watch = Watch(self._webhook, url=self._address, clock=door.clock)
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
                return verdict(error)
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
        await self._watch.close()
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
        await (self._watch.start() if self._options.webhook else self._polling.start())

    async def _poll(self) -> None:
        """Ask for updates, in one process of all: Telegram answers two with a conflict."""
        url = f"{self._options.api_url.rstrip('/')}/bot{self._options.token.reveal()}"
        await poll.follow(self._request.session, url, self._intake.take, seconds=self._options.poll_seconds)

    async def _announced(self) -> bool:
        """Tell Telegram how we listen; return whether it agreed."""
        try:
            if self._options.webhook:
                await self._bot.set_webhook(
                    self._address,
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

    async def _webhook(self) -> Webhook | None:
        try:
            told = await self._bot.get_webhook_info()
        except TelegramError as error:
            log.info("telegram.watch failed error=%s", type(error).__name__)
            return None
        return Webhook(told.url, told.pending_update_count, told.last_error_date, told.last_error_message or "")

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


_AT_TELEGRAM: dict[form.Method, Callable[[str], Any]] = {
    "photo": lambda id: ptb.PhotoSize(id, id, 0, 0),
    "voice": lambda id: ptb.Voice(id, id, 0),
    "audio": lambda id: ptb.Audio(id, id, 0),
    "video": lambda id: ptb.Video(id, id, 0, 0, 0),
    "document": lambda id: ptb.Document(id, id),
}


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


def _derived(secret: bytes) -> str:
    """Return a webhook secret that every process of this installation comes to by itself."""
    return hmac.new(secret, b"channels.telegram.webhook", hashlib.sha256).hexdigest()
