"""Google's wallet API: objects made or changed, messages added; what each answer means. Everything here may be done twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import aiohttp
import orjson

from channels.google_token import GoogleToken, NoToken
from channels.retry_after import asked_wait
from channels.stranger_json import table_in
from channels.wallet_google import KINDS, Json
from profiles.octets import octets_of
from profiles.passes import CardKind

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
LARGEST_ANSWER = 1_000_000  # octets
BUSY_SECONDS, QUOTA_SECONDS = 15.0, 60.0
QUOTA = "QuotaExceeded"

Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Google did not do it. later: ask again; config: a person must act; content: what we ask is wrong."""

    kind: Literal["later", "config", "content", "gone", "there", "quota"]
    detail: str
    seconds: float = BUSY_SECONDS


class GoogleWallet:
    """One issuer's objects."""

    def __init__(self, http: aiohttp.ClientSession, token: GoogleToken, *, url: str) -> None:
        self.token = token
        self._http, self._base = http, f"{url.rstrip('/')}/walletobjects/v1"
        self._classes: dict[str, bytes] = {}
        """class id -> what Google has of it, so that a class is told only when the card's file changed."""

    async def put_class(self, kind: CardKind, told: Json) -> Trouble | None:
        """Make the class, or change it to this."""
        name, content = f"{KINDS[kind]}Class", orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        if self._classes.get(told["id"]) == content:
            return None
        answer = await self._put(name, told)
        if isinstance(answer, Trouble):
            return answer
        self._classes[told["id"]] = content
        return None

    async def put_object(self, kind: CardKind, told: Json) -> bool | Trouble:
        """Make the object, or change it to this; return whether somebody has it in their wallet."""
        answer = await self._put(f"{KINDS[kind]}Object", told)
        return answer if isinstance(answer, Trouble) else bool(answer.get("hasUsers"))

    async def add_message(self, kind: CardKind, id: str, told: Json) -> Trouble | None:
        """Add a message to an object. `quota`: no more that notify today."""
        answer = await self._ask("POST", f"{KINDS[kind]}Object/{quote(id, safe='')}/addMessage", told)
        return answer if isinstance(answer, Trouble) else None

    async def _put(self, name: str, told: Json) -> Answer | Trouble:
        """PATCH what is there, else POST it; who was quicker made it, so it is there now."""
        path = f"{name}/{quote(told['id'], safe='')}"
        answer = await self._ask("PATCH", path, told)
        if isinstance(answer, Trouble) and answer.kind == "gone":
            answer = await self._ask("POST", name, told)
            if isinstance(answer, Trouble) and answer.kind == "there":
                answer = await self._ask("PATCH", path, told)
        return answer

    async def _ask(self, method: str, path: str, told: Json) -> Answer | Trouble:
        answer = await self._asked(method, path, told)
        if isinstance(answer, Trouble) and answer.detail.startswith("401"):
            answer = await self._asked(method, path, told)  # the token was taken for expired: once with another
        return answer

    async def _asked(self, method: str, path: str, told: Json) -> Answer | Trouble:
        try:
            text = await self.token.value()
        except NoToken as error:
            return Trouble("config" if error.is_config else "later", str(error), error.seconds)
        headers = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
        try:
            async with self._http.request(
                method, f"{self._base}/{path}", data=orjson.dumps(told), headers=headers, allow_redirects=False
            ) as answer:
                content = await octets_of(answer.content, LARGEST_ANSWER)
                if answer.status == 401:
                    self.token.refused(text)
                wait = asked_wait(answer.headers.get("Retry-After", ""), self.token.clock())
                return _meaning(answer.status, wait, table_in(content or b""))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Trouble("later", type(error).__name__)


def _meaning(status: int, wait: float | None, said: Answer) -> Answer | Trouble:
    if 200 <= status < 300:
        return said
    problem: Any = said.get("error")
    told = str(problem.get("message", "")) if isinstance(problem, dict) else ""
    why = f"{status} {told[:120]}".strip()
    if QUOTA.lower() in told.lower():
        return Trouble("quota", why, QUOTA_SECONDS)
    if status == 429 or status >= 500:
        return Trouble("later", why, wait or (QUOTA_SECONDS if status == 429 else BUSY_SECONDS))
    if status in (404, 409):
        return Trouble("gone" if status == 404 else "there", why)
    return Trouble("config" if status in (401, 403) else "content", why)
