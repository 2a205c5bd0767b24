"""Telegram: connecting, sending, files; against the played Bot API."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import telegram_channel
from channels.channel import Failed, Later, Sending, Sent, Unknown
from profiles.secret import Secret
from profiles.timeline import Attachment, Button, Card, Content, Place
from tests.channels.telegram_stage import Stage, stage
from tests.peers.bot_api import TOKEN
from tests.waiting import until


@pytest.fixture
async def on(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as running:
        yield running


# -- connecting


async def test_the_webhook_is_set_with_our_secret(on: Stage) -> None:
    webhook = await until(lambda: on.server.webhook)
    assert webhook == {
        "url": f"{on.url}/channels/telegram/webhook",
        "secret_token": "a-secret_token",
        "max_connections": 40,
        "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
    }


async def test_a_secret_is_made_where_none_is_given(mongo_url: str, database_name: str) -> None:
    async with stage(mongo_url, database_name, secret_token=Secret()) as on:
        webhook = await until(lambda: on.server.webhook)
        assert len(webhook["secret_token"]) == 64
        await on.server.says("Bonjour")
        await on.server.settled()
        assert on.server.webhook_statuses == [200]


async def test_a_token_that_telegram_refuses_stops_the_start_and_is_not_shown(
    mongo_url: str, database_name: str
) -> None:
    wrong = Secret("123456:another-token-than-the-right-one-000")
    with pytest.raises(ValueError, match="channels.telegram.token") as refused:
        async with stage(mongo_url, database_name, token=wrong):
            raise AssertionError("connected")
    assert wrong.reveal() not in f"{refused.value!r} {refused.value.__cause__!r}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": Secret()}, "token: expected a token such as"),
        ({"token": Secret("bot123")}, "token: expected a token such as"),
        ({"secret_token": Secret("é")}, "secret_token: expected 1 to 256"),
        ({"api_url": "api.telegram.org"}, 'api_url: expected an address with http, got "api.telegram.org"'),
        ({"max_connections": 0}, "max_connections: expected 1 to 100, got 0"),
        ({"poll_seconds": 51}, "poll_seconds: expected 1 to 50, got 51"),
        ({"timeout_seconds": 60}, "timeout_seconds: expected 0.1 to 29, got 60"),
        ({"api_url": "https://api.telegram.org"}, "webhook: expected a public https address"),
    ],
)
async def test_a_wrong_option_is_named_with_what_was_expected(
    mongo_url: str, database_name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match="channels.telegram") as refused:
        async with stage(mongo_url, database_name, **options):
            raise AssertionError("connected")
    assert words in str(refused.value)


async def test_all_wrong_options_are_named_at_once(mongo_url: str, database_name: str) -> None:
    with pytest.raises(ValueError, match="channels.telegram") as refused:
        async with stage(mongo_url, database_name, token=Secret(), max_connections=0):
            raise AssertionError("connected")
    assert len(str(refused.value).splitlines()) == 2


async def test_the_server_starts_without_telegram_and_listens_when_it_is_there(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.peers.bot_api.BotApi.start", _start_in_trouble(monkeypatch))
    async with stage(mongo_url, database_name) as on:
        assert await until(lambda: on.server.webhook)
        assert [method for method, _ in on.server.calls][:3] == ["getMe", "setWebhook", "setWebhook"]


def _start_in_trouble(monkeypatch: pytest.MonkeyPatch) -> Any:
    from tests.peers.bot_api import BotApi

    start = BotApi.start

    async def troubled(server: BotApi) -> None:
        await start(server)
        server.fail("getMe", "bad_gateway")
        server.fail("setWebhook", "server_error")

    return troubled


# -- sending


async def test_a_text_is_sent_and_known_by_its_number(on: Stage) -> None:
    assert await on.send("Bonjour 🙂") == Sent("5.1")
    assert [(said.chat, said.text) for said in on.server.said] == [("5", "Bonjour 🙂")]


async def test_buttons_hang_under_the_message(on: Stage) -> None:
    await on.send(Content("?", buttons=(Button("Oui", payload="/affirm"), Button("Site", url="https://shop.example"))))
    assert on.server.said[0].keys == [
        {"text": "Oui", "callback_data": "/affirm"},
        {"text": "Site", "url": "https://shop.example"},
    ]


async def test_a_text_beyond_the_limit_arrives_whole_in_parts(mongo_url: str, database_name: str) -> None:
    # its parts share one time-out, and a busy machine needs it
    async with stage(mongo_url, database_name, timeout_seconds=20) as on:
        assert await on.send("😀 " * 4000, id="long") == Sent("5.3")
        assert len("".join(said.text for said in on.server.said).replace(" ", "")) == 4000


async def test_a_file_of_ours_is_sent_as_its_bytes(on: Stage) -> None:
    await on.store.insert("files", {"_id": "f1", "name": "a.png", "mime": "image/png", "size": 4, "bytes": b"\x89PNG"})
    picture = Attachment("image", "a.png", "image/png", 4, file="f1")
    assert isinstance(await on.send(Content("Le plan", attachments=(picture,))), Sent)
    [said] = on.server.said
    assert (said.method, said.file, said.filename, said.text) == ("sendPhoto", b"\x89PNG", "a.png", "Le plan")


@pytest.mark.parametrize(
    ("kind", "mime", "method"),
    [("audio", "audio/ogg", "sendVoice"), ("audio", "audio/mpeg", "sendAudio"), ("video", "video/mp4", "sendVideo"),
     ("file", "application/pdf", "sendDocument"), ("image", "image/jpeg", "sendPhoto")],
)  # fmt: skip
async def test_a_file_at_telegram_is_sent_by_its_name_there(on: Stage, kind: Any, mime: str, method: str) -> None:
    id = on.server.file(b"content", "some/path")
    assert isinstance(await on.send(Content(attachments=(Attachment(kind, "", mime, 7, remote=id),))), Sent)
    assert (on.server.said[0].method, on.server.said[0].file) == (method, b"content")


@pytest.mark.parametrize("remote", ["/etc/passwd", "pyproject.toml", "file:///etc/passwd"])
@pytest.mark.parametrize(
    ("kind", "mime"),
    [("image", "image/png"), ("audio", "audio/ogg"), ("audio", "audio/mpeg"), ("video", "video/mp4"), ("file", "x/y")],
)
async def test_a_name_of_a_local_file_never_opens_it(on: Stage, kind: Any, mime: str, remote: str) -> None:
    result = await on.send(Content(attachments=(Attachment(kind, mime=mime, remote=remote),)))
    assert isinstance(result, Failed) and result.reason == "content"
    assert on.server.said == []
    assert all(remote in params.values() for method, params in on.server.calls if method.startswith("send"))


async def test_a_file_that_is_gone_fails_the_message(on: Stage) -> None:
    result = await on.send(Content("Voici", attachments=(Attachment("file", "x.pdf", file="never"),)))
    assert isinstance(result, Failed) and result.reason == "content"


async def test_place_and_card_are_sent_as_such(on: Stage) -> None:
    await on.send(Content("Ici", place=Place(48.85, 2.35), card=Card("", "+33612345678")))
    assert [said.method for said in on.server.said] == ["sendLocation", "sendContact", "sendMessage"]


@pytest.mark.parametrize("content", [Content(), Content("  "), Content("\ud800")])
async def test_what_can_not_be_said_fails(on: Stage, content: Content) -> None:
    result = await on.send(content)
    assert isinstance(result, Failed) and result.reason == "content"


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        ("blocked", Failed("opted_out", "Forbidden: bot was blocked by the user")),
        ("deactivated", Failed("dead", "Forbidden: user is deactivated")),
        ("cannot_initiate", Failed("dead", "Forbidden: bot can't initiate conversation with a user")),
        ("not_found", Failed("dead", "Chat not found")),
        ("too_long", Failed("content", "Message is too long")),
        ("flood", Later(7.0, "flood control")),
        ("flood_untold", Later(10.0, "flood control")),
        ("proxy_flood", Later(10.0, "flood control")),
        ("unauthorized", Failed("config", "Telegram refuses the token")),
    ],
)
async def test_each_error_proves_what_it_proves(on: Stage, failure: str, outcome: Sending) -> None:
    on.server.fail_for(5, failure)
    assert await on.send("x") == outcome


@pytest.mark.parametrize("failure", ["server_error", "bad_gateway", "not_json", "reset", "hang"])
async def test_no_answer_proves_nothing(on: Stage, failure: str, caplog: pytest.LogCaptureFixture) -> None:
    on.server.fail_for(5, failure)
    with caplog.at_level(logging.DEBUG):
        result = await on.send("un secret")
    assert isinstance(result, Unknown)
    assert TOKEN not in f"{caplog.text} {result}" and "un secret" not in f"{caplog.text} {result}"


async def test_a_chat_that_moved_is_written_to_where_it_is_now(on: Stage) -> None:
    on.server.people.add(-1009)
    on.server.fail_for(5, "migrated")
    assert await on.send("x") == Sent("-1009.1")


async def test_telegram_that_can_not_be_reached_is_tried_later(on: Stage) -> None:
    await on.server.stop()
    assert isinstance(await on.send("x"), Later | Unknown)  # it went into a connection from before: who knows
    assert isinstance(await on.send("x"), Later)


async def test_a_message_handed_over_again_goes_on_where_it_stopped(on: Stage) -> None:
    content = Content("Ici", place=Place(1, 2))
    on.server.fail("sendMessage", "flood")
    assert await on.send(content) == Later(7.0, "flood control")
    assert await on.send(content) == Sent("5.2")
    assert await on.send(content) == Sent("5.2")
    assert [said.method for said in on.server.said] == ["sendLocation", "sendMessage"]


async def test_another_message_with_the_same_words_is_sent(on: Stage) -> None:
    await on.send("oui", id="m1")
    await on.send("oui", id="m2")
    assert len(on.server.said) == 2


# -- files that people sent


async def test_a_file_is_fetched_with_its_type(on: Stage) -> None:
    id = on.server.file(b"JPEG", "photos/file_1.jpg")
    assert await on.channel.fetch(id) == (b"JPEG", "image/jpeg")
    assert await on.channel.fetch(on.server.file(b"?", "documents/file_2")) == (b"?", "application/octet-stream")


async def test_a_file_that_is_gone_can_not_be_found(on: Stage) -> None:
    with pytest.raises(LookupError):
        await on.channel.fetch("nothing")
    id = on.server.file(b"x", "photos/a.jpg")
    on.server.fail("getFile", "bad_gateway")
    with pytest.raises(LookupError):
        await on.channel.fetch(id)


async def test_a_file_larger_than_it_said_is_let_go(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_channel, "LARGEST_FILE", 1_000)
    id = on.server.file(b"x" * 1_001, "photos/a.jpg")
    with pytest.raises(LookupError, match="too large"):
        await on.channel.fetch(id)
    size = on.server.file(b"x" * 5_000, "photos/b.jpg")
    monkeypatch.setattr(
        on.server, "_file", lambda _: {"file_id": size, "file_unique_id": "u", "file_path": "photos/b.jpg"}
    )
    with pytest.raises(LookupError, match="too large"):
        await on.channel.fetch(size)
