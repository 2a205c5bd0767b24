"""So many clients, each with one request under way at all times (closed loop), over real HTTP/1.1 keep-alive connections.

Written on bare asyncio protocols because the generator shares the machine with what it measures: about 20 us of CPU a
request, a fifth of what an HTTP client library takes.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

GIVE_UP_AFTER_SECONDS = 30.0
Requests = Callable[[], bytes | None]
"""Gives the next request whole, head and body; None when there is none left."""


@dataclass(slots=True)
class Result:
    """What the clients saw."""

    seconds: float = 0.0
    generator_cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds from the first byte sent to the whole answer read, of the requests answered with 200."""
    refused: int = 0
    """Answers other than 200."""

    @property
    def per_second(self) -> float:
        """Return how many requests were answered with 200 each second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        """Return the latency in ms that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


async def drive(port: int, requests: Requests, *, clients: int, seconds: float = float("inf")) -> Result:
    """Return what `clients` clients saw in so many seconds, or until no request is left. Raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    result, began, cpu = Result(), time.perf_counter(), time.process_time()
    people = [_Client(requests, result, until=began + seconds) for _ in range(clients)]
    for person in people:
        await loop.create_connection(lambda person=person: person, "127.0.0.1", port)  # type: ignore[misc]
    began = time.perf_counter()
    for person in people:
        person.ask()
    async with asyncio.timeout(None if seconds == float("inf") else seconds + GIVE_UP_AFTER_SECONDS):
        await asyncio.gather(*(person.done for person in people))
    result.seconds = time.perf_counter() - began
    result.generator_cpu_seconds = time.process_time() - cpu
    for person in people:
        person.hang_up()
    return result


class _Client(asyncio.Protocol):
    def __init__(self, requests: Requests, result: Result, *, until: float) -> None:
        self._requests, self._result, self._until = requests, result, until
        self._read, self._asked = b"", 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own kind is not asyncio's

    def ask(self) -> None:
        self._asked = time.perf_counter()
        request = self._requests() if self._asked < self._until else None
        if request is None:
            self.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not _is_whole(self._read):
            return
        if self._read.startswith(b"HTTP/1.1 200"):
            self._result.latencies.append(time.perf_counter() - self._asked)
        else:
            self._result.refused += 1
        self._read = b""
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server hung up"))

    def hang_up(self) -> None:
        self._transport.close()


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    _, _, rest = head.lower().partition(b"content-length:")
    return len(body) >= int(rest.split(b"\r\n", 1)[0] or 0)
