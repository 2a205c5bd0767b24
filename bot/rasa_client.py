"""Rasa's HTTP interface as we need it: say a message, look at a conversation, add events to it. Rasa 3.6 open source.

POST /webhooks/rest/webhook (rasa/core/channels/rest.py) and the tracker API (rasa/server.py, needs --enable-api). The REST
channel is used, not the callback channel: that one drops the metadata.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from profiles.octets import octets_of
from profiles.secret import Secret

_LARGEST_ANSWER = 2_000_000
_PLAIN = re.compile(r"[A-Za-z0-9._:+@-]{1,200}")


class RasaUnwell(Exception):
    """Rasa did not answer as it should; the text says how, without anything a customer said."""


def sender_of(conversation: str) -> str:
    """Return the name of a conversation over there: its own id, or a digest of one that a path can not hold.

    Rasa 3.6 does not decode the path of its tracker API: `a%2Fb` names another conversation than `a/b`.
    """
    if _PLAIN.fullmatch(conversation):
        return conversation
    return f"c-{hashlib.sha256(conversation.encode('utf-8', 'replace')).hexdigest()[:40]}"


class RasaClient:
    """One Rasa server. Every call takes at most `seconds`."""

    def __init__(self, url: str, token: Secret, seconds: float) -> None:
        self._url, self._token, self._seconds = url.rstrip("/"), token, seconds
        self._session: aiohttp.ClientSession | None = None

    async def say(
        self, sender: str, text: str, channel: str, metadata: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Return what Rasa says to this, in order. Raises RasaUnwell."""
        body = {"sender": sender, "message": text, "input_channel": channel, "metadata": dict(metadata)}
        answer = await self._ask("POST", "/webhooks/rest/webhook", body)
        if not isinstance(answer, list) or not all(isinstance(said, dict) for said in answer):
            raise RasaUnwell("answered no list of messages")
        return answer

    async def look(self, sender: str) -> Mapping[str, Any]:
        """Return the state of a conversation, without its events. Raises RasaUnwell."""
        path = f"/conversations/{sender}/tracker?include_events=NONE"
        answer = await self._ask("GET", path)
        if not isinstance(answer, dict) or "paused" not in answer:
            raise RasaUnwell("answered no tracker")
        return answer

    async def add(self, sender: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Let these events happen in a conversation. Raises RasaUnwell."""
        path = f"/conversations/{sender}/tracker/events?include_events=NONE"
        await self._ask("POST", path, list(events))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        params = {"token": self._token.reveal()} if self._token else {}
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._session.request(
                    method, self._url + path, json=body, params=params, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:
                    raise RasaUnwell(f"answered {response.status}")
                answer = await octets_of(response.content, _LARGEST_ANSWER)
            if answer is None:
                raise RasaUnwell(f"answered more than {_LARGEST_ANSWER:,} bytes")
            return json.loads(answer)
        except TimeoutError:
            raise RasaUnwell(f"took longer than {self._seconds:g} s") from None
        except aiohttp.ClientError as error:
            raise RasaUnwell(f"is out of reach: {type(error).__name__}") from None
        except (ValueError, RecursionError):
            raise RasaUnwell("answered no JSON") from None
