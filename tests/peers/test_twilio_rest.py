"""Is our played Twilio one that Twilio's own SDK takes for real?"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.peers.twilio_rest import ACCOUNT, FROM, TOKEN, Answer, TwilioRest


@pytest.fixture
async def peer() -> AsyncIterator[TwilioRest]:
    peer = TwilioRest()
    await peer.start()
    yield peer
    await peer.stop()


def client(peer: TwilioRest, token: str = TOKEN) -> Client:
    sdk = Client(ACCOUNT, token)
    sdk.api.base_url = peer.url
    return sdk


async def test_the_sdk_sends_a_message(peer: TwilioRest) -> None:
    message = await asyncio.to_thread(client(peer).messages.create, to="+33612345678", from_=FROM, body="Bonjour")
    assert message.sid == f"SM{1:032x}"
    assert message.status == "queued"
    assert peer.messages == [{"To": "+33612345678", "From": FROM, "Body": "Bonjour"}]


@pytest.mark.parametrize(
    ("fields", "token", "status", "code"),
    [
        ({}, "wrong", 401, 20003),
        ({"to": "nobody"}, TOKEN, 400, 21211),
        ({"from_": "+15550000000"}, TOKEN, 400, 21606),
        ({"body": "x" * 1601}, TOKEN, 400, 21617),
        ({"body": " "}, TOKEN, 400, 21602),
        ({"to": "+33600000001"}, TOKEN, 429, 20429),
    ],
)
async def test_the_sdk_understands_each_refusal(
    peer: TwilioRest, fields: dict[str, str], token: str, status: int, code: int
) -> None:
    peer.answers["+33600000001"] = Answer(429, 20429)
    call = {"to": "+33612345678", "from_": FROM, "body": "Bonjour"} | fields
    with pytest.raises(TwilioRestException) as refusal:
        await asyncio.to_thread(client(peer, token).messages.create, **call)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert peer.messages == []
