"""Twilio on this machine, to try SMS by hand: `python -m tests.peers.twilio_town` prints what to start the server with.

Each line you type is a text to the shop's number, signed by Twilio's own SDK; each text that the shop sends is shown with what it
costs in segments, and reported as delivered. Ctrl-D ends it. `http://127.0.0.1:8080` may be named as another address of the server.
"""

import asyncio
import sys
from uuid import uuid4

import aiohttp
from twilio.request_validator import RequestValidator

from profiles.gsm import count
from tests.peers.twilio_rest import ACCOUNT, FROM, TOKEN, TwilioRest

PERSON = "+33612345678"
LOOK_SECONDS = 0.2


async def main(server: str) -> None:
    """Play Twilio until the end of what is typed."""
    twilio = TwilioRest()
    await twilio.start()
    for name, value in (("ENABLED", "true"), ("ACCOUNT_SID", ACCOUNT), ("AUTH_TOKEN", TOKEN), ("FROM_NUMBER", FROM)):
        _say(f"export CAUSERIE_CHANNELS__TWILIO__{name}={value}")
    _say(f"export CAUSERIE_CHANNELS__TWILIO__API_URL={twilio.url}\n")
    showing = asyncio.create_task(_show(twilio, server))
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            sid = f"SM{uuid4().hex}"  # a second town of the same server says nothing twice
            await _posted(server, "message", {
                "MessageSid": sid, "AccountSid": ACCOUNT, "From": PERSON, "To": FROM, "Body": line.strip(), "NumMedia": "0",
            })  # fmt: skip
    finally:
        showing.cancel()
        await twilio.stop()


async def _show(twilio: TwilioRest, server: str) -> None:
    shown = 0
    while True:
        for number, form in enumerate(twilio.messages[shown:], shown + 1):
            words = form["Body"]
            _say(f"to {form['To']}, {count(words)} SMS: {words}")
            told = {
                "MessageSid": f"SM{number:032x}",
                "AccountSid": ACCOUNT,
                "MessageStatus": "delivered",
                "To": form["To"],
            }
            if "StatusCallback" in form:
                await _posted(server, "status", told)
        shown = len(twilio.messages)
        await asyncio.sleep(LOOK_SECONDS)


async def _posted(server: str, path: str, fields: dict[str, str]) -> None:
    address = f"{server}/channels/twilio/{path}"
    headers = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(address, fields)}
    try:
        async with aiohttp.request("POST", address, data=fields, headers=headers) as answer:
            if answer.status != 200:
                _say(f"The server answers {answer.status}: {(await answer.text()).strip()}")
    except aiohttp.ClientError as error:
        _say(f"There is no server at {server}: {type(error).__name__}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
