"""The access token that Google's APIs want of a server: a service account signs for it, Google lends it for an hour (RFC 7523).

Asked for once however many wait, also where none is given; kept until five minutes before its end, asked for anew when Google takes
it for expired.
https://developers.google.com/identity/protocols/oauth2/service-account
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import orjson

from channels.jws import private_key, signed
from channels.retry_after import asked_wait
from channels.stranger_json import table_in
from profiles.calendar import Clock
from profiles.octets import octets_of
from profiles.secret import Secret

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LENT_FOR = timedelta(hours=1)
RENEWED_BEFORE = timedelta(minutes=5)
LARGEST_ANSWER = 65_536  # octets
AGAIN_SECONDS = 10.0


class NoToken(Exception):
    """Google gave no token. `is_config`: it never will, until a person mends the account."""

    def __init__(self, detail: str, *, is_config: bool, seconds: float = AGAIN_SECONDS) -> None:
        super().__init__(detail)
        self.is_config, self.seconds = is_config, seconds


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What the JSON file of a service account says, as far as we need it."""

    email: str
    key: Secret
    key_id: str
    token_url: str
    project: str = ""


def read_account(path: Path) -> ServiceAccount:
    """Return the service account of the file that Google's console gives. Raises ValueError naming the file, never its content."""
    try:
        said = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: can not be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path}: expected the JSON file of a service account") from error
    names = ("client_email", "private_key", "private_key_id", "token_uri")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) and said[name] for name in names):
        raise ValueError(f"{path}: expected the JSON file of a service account, with {', '.join(names)}")
    try:
        private_key(said["private_key"])
    except ValueError as error:
        raise ValueError(f"{path}: private_key: {error}") from error
    return ServiceAccount(
        said["client_email"], Secret(said["private_key"]), said["private_key_id"], said["token_uri"],
        str(said.get("project_id", "")),
    )  # fmt: skip


class GoogleToken:
    """One service account's token for one scope."""

    def __init__(self, account: ServiceAccount, scope: str, http: aiohttp.ClientSession, *, clock: Clock) -> None:
        self.account, self._scope, self._http, self.clock = account, scope, http, clock
        self._key = private_key(account.key.reveal())
        self._text = ""
        self._until: datetime | None = None
        self._asking = asyncio.Lock()
        self._asked = 0
        self._trouble: NoToken | None = None
        """Why the last who asked got none."""

    async def value(self) -> str:
        """Return the token to send now. Raises NoToken."""
        if not self._is_good():
            asked = self._asked
            async with self._asking:
                if self._asked != asked and (had := self._trouble):  # somebody asked while we waited for our turn
                    raise NoToken(str(had), is_config=had.is_config, seconds=had.seconds)
                if not self._is_good():
                    await self._ask_once()
        return self._text

    def refused(self, text: str) -> None:
        """Google took this one for expired: the next `value` is another, asked for by the first who wants it."""
        if text == self._text:
            self._until = None

    def signed(self, claims: dict[str, object]) -> str:
        """Return claims signed by the account."""
        return signed(claims, self._key, key_id=self.account.key_id)

    def _is_good(self) -> bool:
        return self._until is not None and self.clock() < self._until

    async def _ask_once(self) -> None:
        self._trouble = None
        try:
            await self._ask()
        except NoToken as trouble:
            self._trouble = trouble
            raise
        finally:
            self._asked += 1

    async def _ask(self) -> None:
        now = self.clock()
        claims: dict[str, object] = {
            "iss": self.account.email, "scope": self._scope, "aud": self.account.token_url,
            "iat": int(now.timestamp()), "exp": int((now + LENT_FOR).timestamp()),
        }  # fmt: skip
        form = {"grant_type": GRANT, "assertion": self.signed(claims)}
        try:
            async with self._http.post(self.account.token_url, data=form, allow_redirects=False) as answer:
                status, content = answer.status, await octets_of(answer.content, LARGEST_ANSWER)
                wait = asked_wait(answer.headers.get("Retry-After", ""), now)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoToken(f"token: {type(error).__name__}", is_config=False) from error
        said = table_in(content or b"")
        text = said.get("access_token")
        if status != 200 or not isinstance(text, str) or not text:
            why = f"token: {status} {str(said.get('error', ''))[:60]}".strip()
            is_config = 400 <= status < 500 and status not in (408, 429)
            raise NoToken(why, is_config=is_config, seconds=wait or AGAIN_SECONDS)
        lent = said.get("expires_in")
        seconds = (
            float(lent) if isinstance(lent, int | float) and not isinstance(lent, bool) else LENT_FOR.total_seconds()
        )
        self._text = text
        self._until = now + max(timedelta(seconds=min(seconds, 86_400)) - RENEWED_BEFORE, timedelta())
