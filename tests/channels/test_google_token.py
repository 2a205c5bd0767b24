"""A service account's token is asked for once, kept until shortly before its end, and a refusal says who must act."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from channels.google_token import GoogleToken, NoToken, read_account
from tests.cast import NOON
from tests.needed import openssl
from tests.peers.google import EMAIL, SCOPE, Google


class Bank:
    def __init__(self, google: Google, http: aiohttp.ClientSession, file: Path) -> None:
        self.google, self.now = google, NOON
        self.token = GoogleToken(read_account(file), SCOPE, http, clock=self.clock)

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    openssl()
    google = Google()
    await google.start()
    async with aiohttp.ClientSession() as http:
        yield Bank(google, http, google.account(tmp_path))
    await google.stop()


async def test_many_who_wait_ask_once_and_the_signature_is_good(bank: Bank) -> None:
    assert set(await asyncio.gather(*(bank.token.value() for _ in range(20)))) == {"ya29.0"}
    assert bank.google.tokens == ["ya29.0"]


async def test_many_who_wait_for_nothing_ask_once_too(bank: Bank) -> None:
    """Each would wait for its turn to be told the same, longer than a push may take."""
    bank.google.token_troubles = [503] * 20
    answers = await asyncio.gather(*(bank.token.value() for _ in range(20)), return_exceptions=True)
    assert {str(one) for one in answers if isinstance(one, NoToken)} == {"token: 503 unavailable"} and len(
        answers
    ) == 20
    assert len(bank.google.token_troubles) == 19
    bank.google.token_troubles = []
    assert await bank.token.value() == "ya29.0", "who comes later asks anew"


async def test_it_is_kept_until_five_minutes_before_its_end(bank: Bank) -> None:
    await bank.token.value()
    bank.now += timedelta(minutes=54)
    assert await bank.token.value() == "ya29.0"
    bank.now += timedelta(minutes=1)
    assert await bank.token.value() == "ya29.1"


async def test_one_that_was_refused_is_asked_for_anew_once(bank: Bank) -> None:
    text = await bank.token.value()
    bank.token.refused(text)
    assert await bank.token.value() == "ya29.1"
    bank.token.refused(text)  # another request's old token
    assert await bank.token.value() == "ya29.1"


@pytest.mark.parametrize(("status", "is_config"), [(400, True), (403, True), (429, False), (500, False), (503, False)])
async def test_a_refusal_says_whether_a_person_must_act(bank: Bank, status: int, is_config: bool) -> None:
    bank.google.token_troubles = [status]
    with pytest.raises(NoToken) as refused:
        await bank.token.value()
    assert refused.value.is_config is is_config
    assert str(refused.value).startswith(f"token: {status}")
    assert await bank.token.value() == "ya29.0"


async def test_a_google_that_is_gone_is_worth_another_try(bank: Bank) -> None:
    await bank.google.stop()
    with pytest.raises(NoToken) as refused:
        await bank.token.value()
    assert not refused.value.is_config


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "can not be read"),
        ("no json", "expected the JSON file of a service account"),
        ("[]", "with client_email, private_key"),
        (
            '{"client_email": "a", "private_key": "b", "private_key_id": "c", "token_uri": "d"}',
            "private_key: expected a",
        ),
    ],
)
def test_a_wrong_file_is_named_and_its_content_is_not(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "account.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=told) as wrong:
        read_account(file)
    assert str(wrong.value).startswith(str(file))


async def test_the_key_hides_itself(bank: Bank) -> None:
    assert bank.token.account.email == EMAIL
    assert "PRIVATE" not in repr(bank.token.account)
