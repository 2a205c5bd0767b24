"""One kept HTTP/2 connection to a server that takes many small requests (RFC 9113): Apple's push service.

Requests share the connection as streams, never more at once than the server allows. What a failure proves is told apart:
nothing was handed over, or it may have been taken. The protocol is h2's; the sockets are ours.
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from channels.http2_line import Line
from channels.http2_stream import Lost, Refused

__all__ = ["Http2", "Lost", "Refused", "Reply", "Unreachable"]

CONNECT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 60.0
IDLE_SECONDS = 60.0  # after this a middlebox may have forgotten the connection: it is asked for a sign of life first
PING_SECONDS = 5.0
CONNECTIONS_TRIED = 3  # for one request, where each says that it leaves


class Unreachable(Exception):
    """There is no connection, so nothing was handed over; worth another try after `seconds`."""

    def __init__(self, detail: str, seconds: float, *, is_config: bool = False) -> None:
        super().__init__(detail)
        self.seconds, self.is_config = seconds, is_config


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http2:
    """One server. Connects with the first request and again after every loss, more slowly each time it fails."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext,
        at_once: int = 100,
        idle_seconds: float = IDLE_SECONDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._host, self._port, self._context, self._at_once = host, port, context, at_once
        self._idle_seconds, self._jitter = idle_seconds, jitter
        self._line: Line | None = None
        self._old: set[Line] = set()
        self._dialing = asyncio.Lock()
        self._failures = 0
        self._down_until, self._down = 0.0, ""
        self._down_is_config = False
        self._closed = False

    async def post(
        self, path: str, headers: Sequence[tuple[str, str]], body: bytes, *, within_seconds: float = 20.0
    ) -> Reply:
        """Return the answer to this POST.

        Raises Unreachable and Refused when it was proved that nothing was taken, Lost when it may have been.
        """
        if any(end in text for _, text in headers for end in "\r\n\0"):
            raise ValueError("a header with a line end")
        deadline = asyncio.get_running_loop().time() + within_seconds
        port = "" if self._port == 443 else f":{self._port}"
        fields = [(":method", "POST"), (":scheme", "https"), (":authority", f"{self._host}{port}"), (":path", path)]
        for _ in range(CONNECTIONS_TRIED):
            line = await self._ready(deadline - asyncio.get_running_loop().time())
            left = deadline - asyncio.get_running_loop().time()
            try:
                status, answered, content = await line.ask([*fields, *headers], body, within_seconds=left)
            except Refused:
                if line.takes_more:
                    raise
                continue  # the server leaves: the next connection takes it, or none can be had
            return Reply(status, answered, content)
        raise Unreachable("every connection ended before it began", 1.0)

    async def close(self) -> None:
        """Say goodbye; returns within two seconds."""
        self._closed = True
        lines, self._line = {*self._old, *filter(None, [self._line])}, None
        await asyncio.gather(*(line.leave() for line in lines))

    async def _ready(self, within_seconds: float) -> Line:
        """Return a connection that takes requests, opened if need be. Raises Unreachable."""
        try:
            async with asyncio.timeout(within_seconds):
                async with self._dialing:
                    return await self._living() or await self._open()
        except TimeoutError as error:
            raise Unreachable("no connection in time", 1.0) from error

    async def _living(self) -> Line | None:
        line = self._line
        if line is None or not line.takes_more:
            return None
        if line.quiet_for() > self._idle_seconds and not await line.is_alive(PING_SECONDS):
            line.abort()
            return None
        return line

    async def _open(self) -> Line:
        now = asyncio.get_running_loop().time()
        if self._closed:
            raise Unreachable("closed", 1.0)
        if now < self._down_until:
            raise Unreachable(self._down, self._down_until - now, is_config=self._down_is_config)
        self._retire()
        try:
            line = await self._dial()
        except ssl.SSLError as error:  # a refused certificate is nothing that time heals
            raise self._is_down(
                f"TLS: {getattr(error, 'verify_message', '') or error.reason}", is_config=True
            ) from error
        except (OSError, TimeoutError, Lost) as error:
            raise self._is_down(f"{type(error).__name__}") from error
        self._failures, self._line = 0, line
        return line

    async def _dial(self) -> Line:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: Line(self._at_once), self._host, self._port, ssl=self._context, server_hostname=self._host,
                ssl_handshake_timeout=CONNECT_SECONDS, ssl_shutdown_timeout=1.0,
            )  # fmt: skip
            try:
                await line.settled()
            except BaseException:
                line.abort()
                raise
            return line

    def _retire(self) -> None:
        """Let the old connection finish what is under way on it; new requests go to the next."""
        self._old = {line for line in self._old if line.is_open}
        if self._line is not None and self._line.is_open:
            self._old.add(self._line)
        self._line = None

    def _is_down(self, detail: str, *, is_config: bool = False) -> Unreachable:
        self._failures += 1
        wait = min(2.0 ** min(self._failures, 10), LONGEST_WAIT_SECONDS) * (0.5 + self._jitter() / 2)
        self._down_until = asyncio.get_running_loop().time() + wait
        self._down, self._down_is_config = detail, is_config
        return Unreachable(detail, wait, is_config=is_config)


def client_context(
    *, certificate: str = "", key: str = "", password: str = "", ca: str = "", trust: str = ""
) -> ssl.SSLContext:
    """Return a context that speaks HTTP/2 and trusts the system, or the CA file alone when one is named.

    `certificate` and `key` are PEM files of a client that proves itself by TLS. `trust` is a CA as PEM text.
    Raises ValueError naming the file, never its content.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None, cadata=trust or None)
    except OSError as error:
        raise ValueError(f"{ca}: expected a file of CA certificates in PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if certificate:
        try:
            context.load_cert_chain(certificate, key or None, password or None)
        except OSError as error:  # an SSLError is one
            raise ValueError(f"{certificate}: expected a certificate and its key in PEM") from error
    return context
