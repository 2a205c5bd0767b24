"""Custom actions that stay in a process of their own, called as Rasa calls them: `action_endpoint` of endpoints.yml.

Same results as bot/actions.py: done, rejected (400), failed (anything else, too late, too large, not JSON). The action server
may be anybody's rasa_sdk of 3.x. Format: POST, the JSON that rasa/core/actions/action.py of Rasa 3.6 sends; 449 asks for
the domain, which is always sent.
"""

import asyncio
import base64
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.actions import Actions, has_actions
from bot.answering import BotOptions, folder_of
from bot.contract import ActionCall, ActionResult
from bot.files import read
from profiles.findings import ContentErrors, Findings
from profiles.octets import octets_of
from profiles.secret import Secret
from profiles.written import Place, Table, place_of, plain

log = logging.getLogger("bot.remote_actions")

_VERSION = "3.6.21"  # rasa_sdk compares it with its own and only warns
_LARGEST_ANSWER = 2_000_000
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_KEYS = ("url", "token", "token_name", "headers", "basic_auth", "enable_selective_domain")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the action server is, and what it wants to see."""

    url: str
    token: Secret = Secret()
    token_name: str = "token"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str = ""
    password: Secret = Secret()

    @property
    def is_beside_us(self) -> bool:
        """Whether it is plainly on this machine, as in the files of a new Rasa bot: no token, no headers, no user."""
        is_plain = not (self.token or self.headers or self.user)
        return is_plain and urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")


def performer(options: BotOptions) -> "Actions | RemoteActions":
    """Return who runs the bot's custom actions: the server named in the configuration or in endpoints.yml, else we.

    The address that Rasa writes into every new bot (http://localhost:5055/webhook) only means "my actions, beside me";
    where they stand in the bot's own folder, they run here. Raises ContentErrors when endpoints.yml is wrong.
    """
    folder = folder_of(options)
    endpoint = read_endpoint(folder)
    if options.action_url:
        endpoint = Endpoint(options.action_url, options.action_token)
    elif endpoint and endpoint.is_beside_us and has_actions(folder):
        log.info("actions.performer here url=%s", endpoint.url)
        endpoint = None
    return RemoteActions(endpoint, options.action_seconds) if endpoint else Actions(options)


class RemoteActions:
    """The custom actions of one bot, in another process."""

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        self._endpoint, self._seconds = endpoint, seconds
        self._session: aiohttp.ClientSession | None = None

    async def run(self, call: ActionCall) -> ActionResult:
        """Return what the action came to within the deadline; never raises for what the other side does."""
        payload = {
            "next_action": call.name,
            "sender_id": call.tracker.get("sender_id"),
            "version": _VERSION,
            "tracker": dict(call.tracker),
            "domain": dict(call.domain),
        }
        try:
            async with asyncio.timeout(self._seconds):
                status, answer = await self._post(payload)
        except TimeoutError:
            return ActionResult("failed", problem=f"took longer than {self._seconds:g} s")
        except aiohttp.ClientError as error:
            return ActionResult("failed", problem=f"the action server is out of reach: {type(error).__name__}")
        except ValueError as error:
            return ActionResult("failed", problem=f"the action server answered no JSON: {type(error).__name__}")
        return _result(status, answer)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()

    async def _post(self, payload: Mapping[str, Any]) -> tuple[int, Any]:
        endpoint = self._endpoint
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={**endpoint.headers, **_signed(endpoint)})
        params = {endpoint.token_name: endpoint.token.reveal()} if endpoint.token else {}
        async with self._session.post(endpoint.url, json=payload, params=params, allow_redirects=False) as response:
            if response.status not in (200, 400):
                return response.status, None
            body = await octets_of(response.content, _LARGEST_ANSWER)
            return (413, None) if body is None else (response.status, json.loads(body))


def _signed(endpoint: Endpoint) -> Mapping[str, str]:
    if not endpoint.user:
        return {}
    pair = f"{endpoint.user}:{endpoint.password.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _result(status: int, answer: Any) -> ActionResult:
    if status == 400 and isinstance(answer, dict) and "action_name" in answer:
        return ActionResult("rejected")
    if status == 404:
        return ActionResult("failed", problem="the action server knows no such action", is_unknown=True)
    if status == 413:
        return ActionResult("failed", problem=f"the action server answered more than {_LARGEST_ANSWER:,} bytes")
    if status != 200:
        return ActionResult("failed", problem=f"the action server answered {status}")
    if answer is None:
        return ActionResult()
    events, responses = (_tables(answer, key) for key in ("events", "responses"))
    if events is None or responses is None:
        return ActionResult("failed", problem="the action server answered neither events nor responses")
    return ActionResult("done", events, responses)


def _tables(answer: Any, key: str) -> tuple[Mapping[str, Any], ...] | None:
    """Return the list under this key, or None when it is something else than a list of tables."""
    rows = (answer.get(key) or []) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return tuple(rows)


def read_endpoint(folder: Path, environment: Mapping[str, str] = os.environ) -> Endpoint | None:
    """Return `action_endpoint` of the folder's endpoints.yml, or None. Raises ContentErrors when it is wrong.

    `${NAME}` stands for an environment variable, as in Rasa.
    """
    path = folder / "endpoints.yml"
    if not path.exists():
        return None
    findings = Findings()
    file = read(path, "endpoints.yml", findings)
    written = file.get("action_endpoint")
    endpoint = _endpoint(written, environment, findings) if written is not None else None
    if findings.errors:
        raise ContentErrors(findings.errors)
    return endpoint


def _endpoint(written: Any, environment: Mapping[str, str], findings: Findings) -> Endpoint | None:
    if not isinstance(written, Table) or not isinstance(written.get("url"), str):
        findings.error(place_of(written, default=Place("endpoints.yml")), "action_endpoint: expected url: http://...")
        return None
    for key in written:
        if key not in _KEYS:
            findings.notice(place_of(written, key), f'action_endpoint: "{key}" is passed over.')
    values = _filled(plain(written), environment)
    if not values["url"].startswith(("http://", "https://")):
        findings.error(place_of(written, "url"), f'url: expected http://..., got "{values["url"]}".')
    basic, headers = values.get("basic_auth"), values.get("headers")
    basic = basic if isinstance(basic, dict) else {}
    return Endpoint(
        url=values["url"],
        token=Secret(str(values.get("token") or "")),
        token_name=str(values.get("token_name") or "token"),
        headers={name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        user=str(basic.get("username") or ""),
        password=Secret(str(basic.get("password") or "")),
    )


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environment) for key, item in value.items()}
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: environment.get(match[1], ""), value)
    return value
