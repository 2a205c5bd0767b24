"""Posting over kept connections: to public addresses alone, and what is lost is told from what never left."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from channels.webpush_line import Lost
from channels.webpush_services import Endpoint
from channels.webpush_wire import MOST_SERVICES, NotSent, Wire
from tests.channels.email_certificate import certificate
from tests.waiting import until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on a loopback port for the length of the block."""
    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


def at(port: int, **more: object) -> Endpoint:
    values = {"is_secure": False, "is_vouched": True, **more}
    return Endpoint(f"http://127.0.0.1:{port}", "127.0.0.1", port, "/push/x?y=1", **values)  # type: ignore[arg-type]


class Counting:
    """Takes what comes, and counts connections and requests. `answers` are given in turn, then OK."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.connections, self.requests = list(answers), 0, list[bytes]()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0) if self.answers else OK
            if answer is None:
                writer.transport.abort()  # type: ignore[attr-defined]
                return
            writer.write(answer)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire(most=4, answer_seconds=2)
    yield made
    await made.close()


async def test_what_is_posted_arrives_whole_and_on_one_connection(wire: Wire) -> None:
    service = Counting()
    async with server(service) as port:
        for number in range(3):
            answer = await wire.post(at(port), "TTL: 5\r\n", b"body %d" % number)
            assert answer.status == 201
    assert service.connections == 1
    assert service.requests[0] == (
        f"POST /push/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 6\r\nTTL: 5\r\n\r\nbody 0".encode()
    )


async def test_many_at_once_share_as_many_connections_as_may_be(wire: Wire) -> None:
    service = Counting()
    async with server(service) as port:
        answers = await asyncio.gather(*(wire.post(at(port), "", b"x") for _ in range(40)))
    assert {answer.status for answer in answers} == {201}
    assert len(service.requests) == 40
    assert service.connections <= 4


async def test_a_kept_connection_that_had_ended_is_replaced(wire: Wire) -> None:
    service = Counting(OK, None)  # the second request finds it closed
    async with server(service) as port:
        assert (await wire.post(at(port), "", b"1")).status == 201
        assert (await wire.post(at(port), "", b"2")).status == 201
    assert service.connections == 2
    assert len(service.requests) == 3


async def test_hosts_that_a_browser_invented_are_not_remembered_for_ever(wire: Wire, free_port: int) -> None:
    service = Counting()
    async with server(service) as port:
        await wire.post(at(port), "", b"1")
        for number in range(MOST_SERVICES + 50):
            invented = Endpoint(
                f"http://x{number}.example", "127.0.0.1", free_port, "/", is_secure=False, is_vouched=True
            )
            with pytest.raises(NotSent):
                await wire.post(invented, "", b"1")
        assert len(wire._pools) <= MOST_SERVICES
        await wire.post(at(port), "", b"1")
    assert service.connections == 1, "one that is used is kept"


async def test_a_new_connection_that_ends_without_an_answer_may_have_taken_it(wire: Wire) -> None:
    service = Counting(None)
    async with server(service) as port:
        with pytest.raises(Lost):
            await wire.post(at(port), "", b"1")
    assert len(service.requests) == 1


async def test_a_service_that_never_answers_is_given_up() -> None:
    wire = Wire(most=1, answer_seconds=0.05)
    hung = asyncio.Event()

    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        while await reader.read(1000):
            pass
        hung.set()

    async with server(hangs) as port:
        with pytest.raises(TimeoutError):
            await wire.post(at(port), "", b"1")
        await until(hung.is_set)  # and nothing is left of the connection
    await wire.close()


def test_the_loop_of_the_real_server_carries_it_too() -> None:
    async def post() -> int:
        wire, service = Wire(most=2, answer_seconds=2), Counting()
        async with server(service) as port:
            for _ in range(3):
                assert (await wire.post(at(port), "", b"1")).status == 201
            await wire.close()
        return service.connections

    assert uvloop.run(post()) == 1


async def test_nobody_there_is_known_not_to_have_got_it(wire: Wire, free_port: int) -> None:
    with pytest.raises(NotSent, match="no connection"):
        await wire.post(at(free_port), "", b"1")


INSIDE = ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:192.168.1.1", "100.64.0.1", "0.0.0.0"]


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    asked = []

    async def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34", address]

    wire = Wire(most=1, answer_seconds=1, looks_up=look_up)
    service = Counting()
    async with server(service) as port:
        known = Endpoint("https://fcm.googleapis.com", "fcm.googleapis.com", port, "/x")
        with pytest.raises(NotSent, match="not_public"):
            await wire.post(known, "", b"1")
    assert asked == ["fcm.googleapis.com"]
    assert service.connections == 0


async def test_a_secure_service_is_spoken_to_in_secret(tmp_path: Path) -> None:
    service, (ours, theirs) = Counting(), certificate(tmp_path)
    wire = Wire(most=1, answer_seconds=2, trusts=ours)
    async with server(service, theirs) as port:
        known = Endpoint(f"https://localhost:{port}", "localhost", port, "/x", is_secure=True, is_vouched=True)
        assert (await wire.post(known, "", b"1")).status == 201
        assert (await wire.post(known, "", b"2")).status == 201
    assert (service.connections, len(service.requests)) == (1, 2)
    await wire.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    service, (_, theirs) = Counting(), certificate(tmp_path)
    wire = Wire(most=1, answer_seconds=2)
    async with server(service, theirs) as port:
        known = Endpoint(f"https://localhost:{port}", "localhost", port, "/x", is_secure=True, is_vouched=True)
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            await wire.post(known, "", b"1")
    assert service.requests == []


async def test_a_certificate_of_another_name_is_refused_too(tmp_path: Path) -> None:
    service, (ours, theirs) = Counting(), certificate(tmp_path)
    wire = Wire(most=1, answer_seconds=2, trusts=ours)
    async with server(service, theirs) as port:
        known = Endpoint(f"https://127.0.0.1:{port}", "127.0.0.1", port, "/x", is_secure=True, is_vouched=True)
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            await wire.post(known, "", b"1")
    assert service.requests == []
