"""One HTTP/2 connection: octets in, answers out, every stream's fate told apart (RFC 9113)."""

import asyncio
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from channels.http2_frames import Frames, TooLong
from channels.http2_stream import Lost, Refused, Stream

if TYPE_CHECKING:  # loaded where a connection is opened: an idle server does without
    from h2.connection import H2Connection

LARGEST_BODY = 65_536
REFUSED_STREAM, CANCEL = 0x7, 0x8
STALLED_SECONDS = 5.0  # nothing at all heard for so long, while an answer was due

Headers = Sequence[tuple[str, str]]


class Line(asyncio.Protocol):
    """One connection. `takes_more` says whether a new request may begin on it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._h2: H2Connection = _client()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._streams: dict[int, Stream] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._entered = 0
        self._room: asyncio.Future[None] = self._loop.create_future()
        self._settled: asyncio.Future[None] = self._loop.create_future()
        self._settled.add_done_callback(_seen)
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._pongs: dict[bytes, asyncio.Future[None]] = {}
        self._pinged = 0
        self._frames = Frames()
        self._heard_at = self._loop.time()
        self._goes_away = ""

    # -- what others ask

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands."""
        return self._transport is not None and not self._over.done()

    @property
    def takes_more(self) -> bool:
        """Whether new requests may begin: it stands, and the server has not said that it leaves."""
        return self.is_open and not self._goes_away and not cast("asyncio.Transport", self._transport).is_closing()

    def quiet_for(self) -> float:
        """Return for how many seconds nothing was heard."""
        return self._loop.time() - self._heard_at

    async def settled(self) -> None:
        """Return when the server has said what it allows. Raises Lost when it is no HTTP/2 server."""
        await asyncio.shield(self._settled)

    async def is_alive(self, within_seconds: float) -> bool:
        """Return whether the server answers a PING in time."""
        self._pinged += 1
        mark = struct.pack(">Q", self._pinged)
        pong = self._pongs[mark] = self._loop.create_future()
        try:
            self._h2.ping(mark)
            self._flush()
            async with asyncio.timeout(within_seconds):
                await pong
        except (TimeoutError, Lost):
            return False
        finally:
            self._pongs.pop(mark, None)
        return self.takes_more

    async def ask(
        self, headers: Headers, body: bytes, *, within_seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of the answer. Raises Refused or Lost."""
        deadline = self._loop.time() + within_seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn()
        except TimeoutError as error:
            raise Refused("the server was busy all the time") from error
        try:
            return await self._asked(headers, body, deadline)
        finally:
            self._entered -= 1
            self._wake()

    async def leave(self) -> None:
        """Close politely, within two seconds."""
        if self.is_open:
            self._h2.close_connection()
            self._flush()
            cast("asyncio.Transport", self._transport).close()
            await asyncio.wait([self._over], timeout=1.5)
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
        self._end("aborted")

    # -- one request

    async def _turn(self) -> None:
        """Wait until the server allows one more stream. Raises Refused when it leaves meanwhile."""
        while self.takes_more and self._entered >= self._most():
            place: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(place)
            try:
                await place
            finally:
                with suppress(ValueError):
                    self._waiting.remove(place)
        if not self.takes_more:
            raise Refused(self._goes_away or "the connection ended before it began")
        self._entered += 1

    async def _asked(self, headers: Headers, body: bytes, deadline: float) -> tuple[int, Mapping[str, str], bytes]:
        number = self._begun(headers)
        stream = self._streams[number] = Stream(self._loop.create_future())
        stream.answer.add_done_callback(_seen)
        try:
            async with asyncio.timeout_at(deadline):
                await self._write(number, body, stream)
                return await stream.answer
        except TimeoutError as error:
            if self.quiet_for() >= STALLED_SECONDS:
                self.abort()  # it is not this stream that hangs
            raise stream.unanswered("no answer in time") from error
        finally:
            del self._streams[number]
            if not stream.is_over:
                self._reset(number)

    def _begun(self, headers: Headers) -> int:
        """Return the number of a new stream that these headers have opened."""
        from h2.exceptions import ProtocolError

        try:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, [(name.encode(), text.encode()) for name, text in headers])
        except ProtocolError as error:  # its two thousand million numbers are used up
            self._goes_away = "the connection is worn out"
            raise Refused(self._goes_away) from error
        self._flush()
        return number

    async def _write(self, number: int, body: bytes, stream: Stream) -> None:
        """Send the body as the server's windows allow; an answer that comes before the end is the answer."""
        rest = memoryview(body)
        while not stream.answer.done():
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            if room >= len(rest):
                self._h2.send_data(number, bytes(rest), end_stream=True)
                stream.is_sent = True
                self._flush()
                return
            if room > 0:
                self._h2.send_data(number, bytes(rest[:room]))
                self._flush()
                rest = rest[room:]
                continue
            waits: list[asyncio.Future[Any]] = [self._room, stream.answer]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)

    def _reset(self, number: int) -> None:
        """Tell the server that nobody waits for this stream any more."""
        from h2.exceptions import ProtocolError

        if self.is_open:
            with suppress(ProtocolError):
                self._h2.reset_stream(number, CANCEL)
                self._flush()

    def _most(self) -> int:
        return min(self._at_once, self._h2.remote_settings.max_concurrent_streams)

    def _wake(self) -> None:
        """Let in as many as there is room for; hang up where the server leaves and nobody is under way."""
        if self._goes_away and not self._streams and self._transport is not None:
            self._transport.close()
        free = len(self._waiting) if not self.takes_more else self._most() - self._entered
        for place in list(self._waiting)[: max(free, 0)]:
            if not place.done():
                place.set_result(None)

    def _flush(self) -> None:
        if self._transport is not None and (octets := self._h2.data_to_send()):
            self._transport.write(octets)

    # -- what the socket says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, if the other side agreed to speak HTTP/2."""
        self._transport = cast("asyncio.Transport", transport)
        spoken = transport.get_extra_info("ssl_object")
        if spoken is None or spoken.selected_alpn_protocol() != "h2":
            self._end("the server does not speak HTTP/2")
            self._transport.abort()
            return
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what came, frame by frame."""
        self._heard_at = self._loop.time()
        try:
            for is_goaway, octets in self._frames.take(data):
                self._leave_soon(octets) if is_goaway else self._understand(octets)
        except TooLong:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._end(type(exc).__name__ if exc else "the server hung up")

    def _understand(self, octets: bytes) -> None:
        from h2.exceptions import ProtocolError

        if self._over.done():
            return
        try:
            events = self._h2.receive_data(octets)
            for event in events:
                self._take(event)
        except ProtocolError:
            self._flush()
            self.abort()
            return
        self._flush()

    def _take(self, event: Any) -> None:
        match type(event).__name__:  # h2's classes are not loaded here before a connection is
            case "ResponseReceived" if stream := self._streams.get(event.stream_id):
                stream.headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in event.headers}
            case "DataReceived":
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if (stream := self._streams.get(event.stream_id)) and len(stream.body) <= LARGEST_BODY:
                    stream.body += event.data
            case "StreamEnded" if stream := self._streams.get(event.stream_id):
                stream.is_over = stream.is_sent
                stream.finish()
            case "StreamReset" if stream := self._streams.get(event.stream_id):
                stream.is_over = True
                stream.fail(Refused("refused") if event.error_code == REFUSED_STREAM else Lost("the stream was reset"))
            case "RemoteSettingsChanged":
                if not self._settled.done():
                    self._settled.set_result(None)
                self._make_room()
                self._wake()
            case "WindowUpdated":
                self._make_room()
            case "PingAckReceived" if (pong := self._pongs.get(event.ping_data)) and not pong.done():
                pong.set_result(None)

    def _make_room(self) -> None:
        """The server takes more octets: whoever waits to write looks again."""
        if not self._room.done():
            self._room.set_result(None)
        self._room = self._loop.create_future()

    def _leave_soon(self, payload: bytes) -> None:
        """The server leaves: it answers what it took, up to the stream it names; the others it has not seen."""
        last = int.from_bytes(payload[:4]) & 0x7FFFFFFF
        self._goes_away = "the server leaves"
        for number, stream in self._streams.items():
            if number > last:
                stream.is_over = True
                stream.fail(Refused(self._goes_away))
        self._wake()

    def _end(self, detail: str) -> None:
        if self._over.done():
            return
        self._over.set_result(None)
        lost = Lost(detail)
        for future in (self._settled, *self._pongs.values()):
            if not future.done():
                future.set_exception(lost)
        for stream in self._streams.values():
            stream.is_over = True
            stream.fail(stream.unanswered(detail))
        self._wake()


def _client() -> "H2Connection":
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.settings import SettingCodes

    client = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    client.local_settings[SettingCodes.ENABLE_PUSH] = 0
    client.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 0  # the server begins none
    return client


def _seen(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()
