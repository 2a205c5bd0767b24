"""Apple's push service: one kept HTTP/2 connection, proved by a provider token or by a client certificate.

For alerts of apps (channels/apns.py) and for wallet passes alike, whose pushes say nothing: headers {"apns-topic": the pass
type}, payload `{}`. https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.channel import Failed, Later, Sending, Sent, Unknown
from channels.http2 import Http2, Lost, Refused, Reply, Unreachable, client_context
from channels.jws import private_key, signed
from channels.retry_after import asked_wait
from channels.stranger_json import table_in
from profiles.calendar import Clock, from_timestamp, utc_now

__all__ = ["PRODUCTION", "SANDBOX", "Answer", "ApnsClient", "ProviderToken", "client_context", "is_token", "outcome"]

PRODUCTION, SANDBOX = "api.push.apple.com", "api.sandbox.push.apple.com"
RENEWED_AFTER = timedelta(minutes=40)  # Apple refuses tokens older than 60 minutes,
KEPT_AT_LEAST = timedelta(minutes=20)  # and keys that sign a new one more often than this
BUSY_SECONDS, QUOTA_SECONDS = 15.0, 60.0

DEAD = frozenset({"Unregistered", "ExpiredToken", "BadDeviceToken"})
CONTENT = frozenset(
    {"PayloadTooLarge", "PayloadEmpty", "BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "InvalidPushType"}
)  # fmt: skip

_TOKEN = re.compile(r"[0-9a-f]{64}|[0-9a-f]{66,200}")  # 32 octets today; Apple says not to count on it


@dataclass(frozen=True, slots=True)
class Answer:
    """What Apple said: `reason` is its word, empty for 200."""

    status: int
    reason: str = ""
    id: str = ""
    """The apns-id of this push."""
    dead_since: datetime | None = None
    """Of 410: the last moment at which Apple knew that the token was no longer valid."""
    retry_seconds: float | None = None


class ProviderToken:
    """The signed token that says which team sends: made anew after 40 minutes, never twice within 20."""

    def __init__(self, *, team: str, key_id: str, key: str, clock: Clock) -> None:
        """`key` is the text of the .p8 file. Raises ValueError when it is no P-256 key."""
        self._team, self._key_id, self._key, self._clock = team, key_id, private_key(key), clock
        if not hasattr(self._key, "curve"):
            raise ValueError("expected a P-256 key, the .p8 file that Apple gives")
        self._text, self._made_at = "", clock()

    def value(self) -> str:
        """Return the token to send now."""
        now = self._clock()
        if not self._text or now - self._made_at > RENEWED_AFTER or now < self._made_at:
            self._make(now)
        return self._text

    def refused(self, text: str) -> bool:
        """Apple took this one for expired: return whether there is another to try."""
        now = self._clock()
        if text != self._text:
            return True  # another request had it renewed meanwhile
        if now - self._made_at < KEPT_AT_LEAST:
            return False
        self._make(now)
        return True

    def _make(self, now: datetime) -> None:
        self._text = signed({"iss": self._team, "iat": int(now.timestamp())}, self._key, key_id=self._key_id)
        self._made_at = now


class ApnsClient:
    """One connection to Apple. It is opened with the first push and kept."""

    def __init__(
        self,
        host: str = PRODUCTION,
        port: int = 443,
        *,
        context: ssl.SSLContext,
        token: ProviderToken | None = None,
        at_once: int = 100,
        clock: Clock = utc_now,
    ) -> None:
        """`context` comes from `client_context`: with a certificate and no `token`, or the other way round."""
        self._http, self._token = Http2(host, port, context=context, at_once=at_once), token
        self._clock = clock

    async def push(
        self, device: str, headers: Mapping[str, str], payload: bytes, *, within_seconds: float = 20.0
    ) -> Answer:
        """Return Apple's answer to this push; an expired provider token is renewed once.

        Raises Unreachable and Refused when it was proved that nothing was taken, Lost when it may have been, ValueError for
        a device token that can not be one.
        """
        if not is_token(device):
            raise ValueError("no device token")
        bearer = self._token.value() if self._token else ""
        answer = await self._pushed(device, headers, payload, bearer, within_seconds)
        expired = answer.status == 403 and answer.reason == "ExpiredProviderToken"
        if expired and self._token and self._token.refused(bearer):
            return await self._pushed(device, headers, payload, self._token.value(), within_seconds)
        return answer

    async def sending(
        self, device: str, headers: Mapping[str, str], payload: bytes, *, registered_at: datetime | None = None,
        within_seconds: float = 20.0,
    ) -> Sending:  # fmt: skip
        """Push, and return the answer or what prevented it as a delivery's outcome; never raises."""
        try:
            return outcome(
                await self.push(device, headers, payload, within_seconds=within_seconds), registered_at=registered_at
            )
        except ValueError:
            return Failed("dead", "no such device token can exist")
        except Unreachable as error:
            return Failed("config", str(error)) if error.is_config else Later(error.seconds, str(error))
        except Refused as error:
            return Later(1.0, str(error))
        except Lost as error:
            return Unknown(str(error))

    async def close(self) -> None:
        """Say goodbye; returns within two seconds."""
        await self._http.close()

    async def _pushed(
        self, device: str, headers: Mapping[str, str], payload: bytes, bearer: str, within_seconds: float
    ) -> Answer:
        fields = [*headers.items(), *([("authorization", f"bearer {bearer}")] if bearer else [])]
        reply = await self._http.post(f"/3/device/{device}", fields, payload, within_seconds=within_seconds)
        return _answer(reply, self._clock())


def is_token(device: str) -> bool:
    """Whether this can be a device token: 64 hexadecimal digits today, at most 200."""
    return bool(_TOKEN.fullmatch(device)) and len(device) % 2 == 0


def outcome(answer: Answer, *, registered_at: datetime | None = None) -> Sending:
    """Return what Apple's answer means for the delivery. `dead`: this token will never be taken again.

    One that was registered after Apple last knew it as dead lives, as far as we know.
    """
    if answer.dead_since and registered_at and registered_at > answer.dead_since:
        return Later(QUOTA_SECONDS, "410, but registered since")
    why = f"{answer.status} {answer.reason}".strip()
    if answer.status == 200:
        return Sent(answer.id or None)
    if answer.status == 410 or answer.reason in DEAD:
        return Failed("dead", why)
    if answer.status == 413 or answer.reason in CONTENT:
        return Failed("content", why)
    if answer.status == 429 and answer.reason != "TooManyProviderTokenUpdates":
        return Later(answer.retry_seconds or QUOTA_SECONDS, why)
    if answer.reason == "IdleTimeout":  # a 400: the connection was closed for its silence, and nothing was taken
        return Later(BUSY_SECONDS, why)
    if answer.status >= 500:  # Apple's own word proves that it was not taken; a gateway's page proves nothing
        return Later(answer.retry_seconds or BUSY_SECONDS, why) if answer.reason else Unknown(why)
    return Failed("config", why)


def _answer(reply: Reply, now: datetime) -> Answer:
    said = table_in(reply.body)
    reason = said.get("reason")
    return Answer(
        reply.status,
        reason[:100] if isinstance(reason, str) else "",
        reply.headers.get("apns-id", "")[:64],
        _instant(said.get("timestamp")),
        asked_wait(reply.headers.get("retry-after", ""), now),
    )


def _instant(milliseconds: object) -> datetime | None:
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    try:
        return from_timestamp(milliseconds / 1000)
    except ValueError:
        return None
