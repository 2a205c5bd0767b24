"""The session with an SMSC that does as it likes: a raw peer that sends what the test says, octet by octet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from channels.smpp_link import Account, Link, NotBound
from channels.smpp_session import Delivery, Lost
from channels.smpp_wire import (
    BIND_TRANSCEIVER,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    OK,
    QUEUE_FULL,
    RESPONSE,
    SUBMIT_SM,
    TEMPORARY,
    UNBIND,
    Header,
    header,
    pdu,
)
from tests.waiting import until


class RawPeer:
    """Accepts binds, unless told otherwise, and leaves everything else to the test."""

    def __init__(self) -> None:
        self.seen: list[tuple[Header, bytes]] = []
        self.connections = 0
        self.bind_status: int | None = OK
        self.answers_enquiries = True
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        with suppress(EOFError, OSError):
            while True:
                head = header(await reader.readexactly(16))
                self.seen.append((head, await reader.readexactly(head.length - 16)))
                if head.command == BIND_TRANSCEIVER and self.bind_status is not None:
                    self.send(RESPONSE | BIND_TRANSCEIVER, head.sequence, b"RAW\0", self.bind_status)
                if head.command == ENQUIRE_LINK and self.answers_enquiries:
                    self.send(RESPONSE | ENQUIRE_LINK, head.sequence)
                if head.command == UNBIND:
                    self.send(RESPONSE | UNBIND, head.sequence)
        writer.close()

    def send(self, command: int, sequence: int, body: bytes = b"", status: int = OK) -> None:
        assert self.writer
        self.writer.write(pdu(command, sequence, body, status))

    def of(self, command: int) -> list[Header]:
        return [head for head, _ in self.seen if head.command == command]


class Lines:
    """A link and its raw peer; `heard` may be replaced, `proofs` are the link's."""

    def __init__(self, link: Link, peer: RawPeer, proofs: list[tuple[int, int]]) -> None:
        self.link, self.peer, self.proofs = link, peer, proofs
        self.heard: Callable[[Delivery], Awaitable[None]] = taken

    async def bound(self, times: int = 1) -> None:
        async def is_bound() -> bool:
            return len(self.peer.of(BIND_TRANSCEIVER)) >= times and len(self.peer.of(ENQUIRE_LINK)) >= 1

        await until(is_bound)


async def taken(delivery: Delivery) -> None:
    delivery.reply(OK)


@pytest.fixture
async def lines(free_port: int) -> AsyncIterator[Lines]:
    peer, proofs = RawPeer(), list[tuple[int, int]]()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", free_port)
    account = Account("127.0.0.1", free_port, "causerie", "secret", window=2, enquire_seconds=0.1, answer_seconds=0.4,
                      reconnect_seconds=0.01)  # fmt: skip
    link = Link(account, heard=lambda delivery: lines.heard(delivery), proven=lambda *proof: proofs.append(proof))
    lines = Lines(link, peer, proofs)
    link.start()
    yield lines
    await link.close()
    server.close()


async def test_it_binds_with_its_name_and_version(lines: Lines) -> None:
    await lines.bound()
    assert lines.peer.seen[0][1] == b"causerie\0secret\0\0\x34\0\0\0"


async def test_what_was_submitted_gets_its_own_answer(lines: Lines) -> None:
    await lines.bound()
    asked = [asyncio.create_task(lines.link.submit(b"x", within_seconds=5)) for _ in range(2)]
    await until(lambda: len(lines.peer.of(SUBMIT_SM)) == 2)
    first, second = lines.peer.of(SUBMIT_SM)
    lines.peer.send(RESPONSE | SUBMIT_SM, second.sequence, b"two\0")
    lines.peer.send(RESPONSE | SUBMIT_SM, 999_999, b"nobody asked\0")
    lines.peer.send(RESPONSE | SUBMIT_SM, first.sequence, b"one\0", 0x58)
    assert await asked[0] == (0x58, b"one\0")
    assert await asked[1] == (OK, b"two\0")


async def test_the_window_holds_the_rest_back(lines: Lines) -> None:
    await lines.bound()
    asked = [asyncio.create_task(lines.link.submit(b"x", within_seconds=0.3)) for _ in range(3)]
    with pytest.raises(NotBound):  # nothing of the third was handed over
        await asked[2]
    assert len(lines.peer.of(SUBMIT_SM)) == 2
    for task in asked[:2]:
        with pytest.raises(Lost):
            await task


async def test_a_nack_is_never_a_yes(lines: Lines) -> None:
    await lines.bound()
    asked = asyncio.create_task(lines.link.submit(b"x", within_seconds=5))
    await until(lambda: lines.peer.of(SUBMIT_SM))
    lines.peer.send(GENERIC_NACK, lines.peer.of(SUBMIT_SM)[0].sequence)
    assert (await asked)[0] == 0xFF


async def test_no_answer_in_time_proves_nothing(lines: Lines) -> None:
    await lines.bound()
    with pytest.raises(Lost):
        await lines.link.submit(b"x", within_seconds=5)


async def test_a_lost_session_ends_the_waiting_and_comes_back(lines: Lines) -> None:
    await lines.bound()
    asked = asyncio.create_task(lines.link.submit(b"x", within_seconds=5))
    await until(lambda: lines.peer.of(SUBMIT_SM))
    assert lines.peer.writer
    lines.peer.writer.transport.abort()
    with pytest.raises(Lost):
        await asked
    await lines.bound(times=2)


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(16),
        b"\xff" * 64,
        b"\0\0\0\x0f" + bytes(12),
        b"\0\x01\x11\x71" + bytes(12),
    ],
)
async def test_noise_ends_the_session_and_it_comes_back(lines: Lines, noise: bytes) -> None:
    await lines.bound()
    assert lines.peer.writer
    lines.peer.writer.write(noise)
    await lines.bound(times=2)


async def test_a_refused_bind_is_told_and_tried_again(lines: Lines) -> None:
    lines.peer.bind_status = 0x0E
    await until(lambda: len(lines.peer.of(BIND_TRANSCEIVER)) >= 2)
    with pytest.raises(NotBound, match="refused with status 0x0e"):
        await lines.link.submit(b"x", within_seconds=0.05)
    lines.peer.bind_status = OK
    await lines.bound()


async def test_a_bind_without_an_answer_is_tried_again(lines: Lines) -> None:
    lines.peer.bind_status = None
    await until(lambda: lines.peer.connections >= 2)


async def test_a_dead_peer_is_noticed(lines: Lines) -> None:
    await lines.bound()
    lines.peer.answers_enquiries = False
    await until(lambda: lines.peer.connections >= 2)


async def test_an_enquiry_is_answered(lines: Lines) -> None:
    await lines.bound()
    lines.peer.send(ENQUIRE_LINK, 77)
    await until(lambda: [head.sequence for head in lines.peer.of(RESPONSE | ENQUIRE_LINK)] == [77])


async def test_a_goodbye_is_answered_and_it_comes_back(lines: Lines) -> None:
    await lines.bound()
    lines.peer.send(UNBIND, 78)
    await until(lambda: [head.sequence for head in lines.peer.of(RESPONSE | UNBIND)] == [78])
    await lines.bound(times=2)


async def test_an_unknown_command_is_refused_and_a_notification_is_not_answered(lines: Lines) -> None:
    await lines.bound()
    lines.peer.send(0x102, 1)
    lines.peer.send(0x103, 2)
    await until(lambda: [(head.sequence, head.status) for head in lines.peer.of(GENERIC_NACK)] == [(2, 0x03)])


async def test_a_delivery_is_answered_when_it_was_dealt_with(lines: Lines) -> None:
    go = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await go.wait()
        delivery.reply(OK)

    lines.heard = slow
    await lines.bound()
    lines.peer.send(DELIVER_SM, 5, b"x")
    lines.peer.send(ENQUIRE_LINK, 6)  # the session goes on meanwhile
    await until(lambda: lines.peer.of(RESPONSE | ENQUIRE_LINK))
    assert lines.peer.of(RESPONSE | DELIVER_SM) == []
    go.set()
    await until(lambda: lines.peer.of(RESPONSE | DELIVER_SM))


async def test_a_delivery_that_breaks_us_stays_with_the_smsc(lines: Lines) -> None:
    async def broken(delivery: Delivery) -> None:
        raise RuntimeError("a mistake of ours")

    lines.heard = broken
    await lines.bound()
    lines.peer.send(DELIVER_SM, 5, b"x")
    await until(lambda: [head.status for head in lines.peer.of(RESPONSE | DELIVER_SM)] == [TEMPORARY])


async def test_a_flood_stays_with_the_smsc(lines: Lines) -> None:
    go = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await go.wait()
        delivery.reply(OK)

    lines.heard = slow
    await lines.bound()
    for sequence in range(600):
        lines.peer.send(DELIVER_SM, sequence, b"x")
    await until(lambda: len(lines.peer.of(RESPONSE | DELIVER_SM)) == 100)
    assert {head.status for head in lines.peer.of(RESPONSE | DELIVER_SM)} == {QUEUE_FULL}
    go.set()
    await until(lambda: len(lines.peer.of(RESPONSE | DELIVER_SM)) == 600)


async def test_an_answer_is_proven_by_the_next_sign_of_life(lines: Lines) -> None:
    await lines.bound()
    lines.peer.send(DELIVER_SM, 5, b"x")
    await until(lambda: lines.proofs)
    assert lines.proofs[0] == (1, 1)


async def test_an_answer_to_what_was_asked_before_proves_nothing(lines: Lines, free_port: int) -> None:
    await lines.bound()
    await lines.link.close()
    proofs = list[tuple[int, int]]()
    patient = Account(
        "127.0.0.1", free_port, "causerie", "secret", answer_seconds=10.0
    )  # asks for no sign of life for 2 s
    link = Link(patient, heard=taken, proven=lambda *proof: proofs.append(proof))
    link.start()
    asked = asyncio.create_task(link.submit(b"x", within_seconds=10))
    await until(lambda: lines.peer.of(SUBMIT_SM))
    lines.peer.send(DELIVER_SM, 5, b"x")
    await until(lambda: lines.peer.of(RESPONSE | DELIVER_SM))
    lines.peer.send(RESPONSE | SUBMIT_SM, lines.peer.of(SUBMIT_SM)[0].sequence, b"1\0")
    await asked
    assert proofs == []
    await link.close()
    assert proofs == [(1, 1)]


async def test_leaving_says_goodbye_after_what_is_being_stored(lines: Lines) -> None:
    begun = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        begun.set()
        await asyncio.sleep(0.1)
        delivery.reply(OK)

    lines.heard = slow
    await lines.bound()
    lines.peer.send(DELIVER_SM, 5, b"x")
    await begun.wait()
    await lines.link.close()
    await until(lambda: lines.peer.of(UNBIND))
    commands = [head.command for head, _ in lines.peer.seen]
    assert commands.index(RESPONSE | DELIVER_SM) < commands.index(UNBIND)
    assert lines.proofs == [(1, 1)], "the answer to the goodbye proves the answers before it"
    with pytest.raises(NotBound):
        await lines.link.submit(b"x", within_seconds=0.01)


async def test_leaving_does_not_wait_for_a_delivery_that_hangs(lines: Lines) -> None:
    async def hang(delivery: Delivery) -> None:
        await asyncio.Event().wait()

    lines.heard = hang
    await lines.bound()
    lines.peer.send(DELIVER_SM, 5, b"x")
    await until(lambda: lines.peer.of(ENQUIRE_LINK))
    async with asyncio.timeout(2.5):
        await lines.link.close()
