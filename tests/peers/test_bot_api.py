"""The played Bot API, judged by python-telegram-bot with its own transport: does it speak as Telegram does?"""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import telegram
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut

from tests.peers.bot_api import BotApi, bot_api
from tests.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[BotApi]:
    async with bot_api() as running:
        yield running


@pytest.fixture
async def bot(server: BotApi) -> AsyncIterator[telegram.Bot]:
    async with _bot(server, server.token) as client:
        yield client


def _bot(server: BotApi, token: str) -> telegram.Bot:
    return telegram.Bot(token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot")


async def test_it_says_who_the_bot_is(bot: telegram.Bot) -> None:
    assert (await bot.get_me()).username == "causerie_bot"


@pytest.mark.parametrize("token", ["123456:another-token-than-the-right-one", "not a token"])
async def test_a_wrong_token_is_refused(server: BotApi, token: str) -> None:
    with pytest.raises(InvalidToken):
        await _bot(server, token).initialize()


async def test_a_text_with_keys_is_shown(server: BotApi, bot: telegram.Bot) -> None:
    key = telegram.InlineKeyboardButton("Oui", callback_data="/affirm")
    message = await bot.send_message(5, "Bonjour", reply_markup=telegram.InlineKeyboardMarkup([[key]]))
    assert (message.chat_id, message.text) == (5, "Bonjour")
    assert server.said[0].keys == [{"text": "Oui", "callback_data": "/affirm"}]


async def test_keys_can_be_taken_away(server: BotApi, bot: telegram.Bot) -> None:
    key = telegram.InlineKeyboardButton("Oui", callback_data="/affirm")
    message = await bot.send_message(5, "Bonjour", reply_markup=telegram.InlineKeyboardMarkup([[key]]))
    await bot.edit_message_reply_markup(5, message.message_id)
    assert server.said[0].keys == []
    with pytest.raises(BadRequest, match="(?i)message to edit not found"):
        await bot.edit_message_reply_markup(5, 999)


async def test_files_go_up_and_come_down(server: BotApi, bot: telegram.Bot) -> None:
    await bot.send_document(5, b"%PDF-1.7", filename="facture.pdf", caption="Voici")
    assert (server.said[0].file, server.said[0].filename) == (b"%PDF-1.7", "facture.pdf")
    file = await bot.get_file(server.file(b"JPEG", "photos/1.jpg"))
    assert bytes(await file.download_as_bytearray()) == b"JPEG"
    with pytest.raises(BadRequest, match="(?i)wrong file_id"):
        await bot.get_file("nothing")
    with pytest.raises(BadRequest, match="(?i)wrong file identifier"):
        await bot.send_photo(5, "nothing-known")


async def test_place_contact_and_action_are_taken(server: BotApi, bot: telegram.Bot) -> None:
    await bot.send_location(5, 48.85, 2.35)
    await bot.send_contact(5, "+33612345678", "Ana")
    assert await bot.send_chat_action(5, "typing")
    assert [said.method for said in server.said] == ["sendLocation", "sendContact"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("x" * 4097, "message is too long"), ("😀" * 2049, "message is too long"), ("  ", "message text is empty")],
)
async def test_a_text_that_does_not_fit_is_refused(bot: telegram.Bot, text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){words}"):
        await bot.send_message(5, text)


async def test_a_text_of_just_the_limit_fits(bot: telegram.Bot) -> None:
    assert await bot.send_message(5, "😀" * 2048)


async def test_unknown_and_missing_fields_are_refused(server: BotApi, bot: telegram.Bot) -> None:
    with pytest.raises(BadRequest, match="(?i)unknown field txet"):
        await bot.send_message(5, "x", api_kwargs={"txet": "y"})
    async with aiohttp.request("POST", f"{server.url}/bot{server.token}/sendMessage", json={"text": "x"}) as answer:
        assert answer.status == 400
        assert "chat_id" in (await answer.json())["description"]


@pytest.mark.parametrize(
    "key",
    [{"callback_data": "é" * 33}, {"url": "javascript:alert(1)"}, {"callback_data": "a", "url": "https://x.example"}],
)
async def test_a_wrong_key_is_refused(bot: telegram.Bot, key: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        await bot.send_message(5, "x", reply_markup={"inline_keyboard": [[{"text": "t", **key}]]})  # type: ignore[arg-type]


async def test_updates_wait_until_they_are_acknowledged(server: BotApi, bot: telegram.Bot) -> None:
    await server.says("un")
    await server.says("deux")
    first = await bot.get_updates()
    again = await bot.get_updates()
    assert [update.message.text for update in first if update.message] == ["un", "deux"]
    assert [update.update_id for update in again] == [update.update_id for update in first]
    assert await bot.get_updates(offset=first[-1].update_id + 1, timeout=0) == ()
    await server.settled()


async def test_a_question_waits_for_an_answer(server: BotApi, bot: telegram.Bot) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=20))
    await until(lambda: ("getUpdates", {"timeout": 20}) in server.calls)
    await server.says("enfin")
    assert [update.message.text for update in await asked if update.message] == ["enfin"]


async def test_two_who_ask_at_once_meet_a_conflict(server: BotApi, bot: telegram.Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await until(lambda: ("getUpdates", {"timeout": 20}) in server.calls)
    async with _bot(server, server.token) as another:  # one client asks one question at a time
        await another.get_updates(timeout=0)
    with pytest.raises(Conflict, match="(?i)terminated by other getUpdates"):
        await first


async def test_asking_while_a_webhook_is_set_is_a_conflict(server: BotApi, bot: telegram.Bot) -> None:
    await bot.set_webhook("https://shop.example/hook", secret_token="s3cret")
    assert (await bot.get_webhook_info()).url == "https://shop.example/hook"
    with pytest.raises(Conflict, match="(?i)webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates(timeout=0) == ()


@pytest.mark.parametrize(
    ("url", "secret", "connections"),
    [("shop.example", "s", 40), ("https://a.example", "é", 40), ("https://a.example", "s", 0)],
)
async def test_a_wrong_webhook_is_refused(bot: telegram.Bot, url: str, secret: str, connections: int) -> None:
    with pytest.raises(BadRequest):
        await bot.set_webhook(url, secret_token=secret, max_connections=connections)


async def test_every_kind_of_update_is_one_that_the_library_reads(server: BotApi, bot: telegram.Bot) -> None:
    said = await server.says("Bonjour")
    await server.edits(said, "Bonsoir")
    key = telegram.InlineKeyboardButton("Oui", callback_data="/affirm")
    await bot.send_message(5, "?", reply_markup=telegram.InlineKeyboardMarkup([[key]]))
    await server.presses("Oui")
    message, edited, pressed = await bot.get_updates()
    assert message.message and message.message.text == "Bonjour" and message.message.chat.type == "private"
    assert edited.edited_message and edited.edited_message.edit_date
    assert pressed.callback_query and pressed.callback_query.data == "/affirm"
    assert await bot.answer_callback_query(pressed.callback_query.id)
    with pytest.raises(BadRequest, match="(?i)query ID is invalid"):
        await bot.answer_callback_query("old")


async def test_who_blocks_the_bot_can_not_be_written_to(server: BotApi, bot: telegram.Bot) -> None:
    await server.blocks(by=6)
    with pytest.raises(Forbidden, match="(?i)blocked by the user"):
        await bot.send_message(6, "x")
    await server.blocks(by=6, status="member")
    assert await bot.send_message(6, "x")


@pytest.mark.parametrize(
    ("failure", "error"),
    [("deactivated", Forbidden), ("cannot_initiate", Forbidden), ("not_found", BadRequest), ("flood", RetryAfter),
     ("unauthorized", InvalidToken), ("server_error", NetworkError), ("bad_gateway", NetworkError),
     ("reset", NetworkError)],
)  # fmt: skip
async def test_each_forced_failure_is_the_one_it_says(
    server: BotApi, bot: telegram.Bot, failure: str, error: type[Exception]
) -> None:
    server.fail("sendMessage", failure)
    with pytest.raises(error):
        await bot.send_message(5, "x")
    assert await bot.send_message(5, "x")


async def test_a_call_that_hangs_gets_no_answer(server: BotApi, bot: telegram.Bot) -> None:
    server.fail_for(5, "hang")
    with pytest.raises(TimedOut):
        await bot.send_message(5, "x", read_timeout=0.1)
