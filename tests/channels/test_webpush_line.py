"""An answer is read whole or not at all, however it is cut up, and nothing of it is taken for the next one."""

import asyncio
from typing import Any

import pytest

from channels.webpush_line import LARGEST_BODY, Answer, Line, Lost


class Wire(asyncio.Transport):
    """What was written, and whether it was hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.is_cut = b"", False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.is_cut = True


def opened() -> tuple[Line, Wire]:
    line, wire = Line(), Wire()
    line.connection_made(wire)
    return line, wire


async def asked(line: Line) -> "asyncio.Task[Answer]":
    task = asyncio.create_task(line.ask(b"POST / HTTP/1.1\r\n\r\n"))
    await asyncio.sleep(0)
    return task


WHOLE = {
    "length": (b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nLocation: https://a/1\r\n\r\nhello", 201, b"hello"),
    "empty": (b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", 201, b""),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "chunks": (b"HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n3;x=y\r\n!!!\r\n0\r\n\r\n", 410, b"gone!!!"),
    "trailer": (b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nA: b\r\n\r\n", 400, b"no"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Wait\r\nContent-Length: 1\r\n\r\nx", 429, b"x"),
}  # fmt: skip


@pytest.mark.parametrize(("heard", "status", "body"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_an_answer_is_read_however_it_is_cut_up(heard: bytes, status: int, body: bytes, size: int) -> None:
    line, wire = opened()
    task = await asked(line)
    for at in range(0, len(heard), size):
        assert not task.done()
        line.data_received(heard[at : at + size])
    answer = await task
    assert (answer.status, answer.body) == (status, body)
    assert line.is_open and not wire.is_cut


async def test_a_line_is_used_again_and_says_each_answer_to_its_own_request() -> None:
    line, wire = opened()
    for number in (200, 404, 201):
        task = await asked(line)
        line.data_received(f"HTTP/1.1 {number} X\r\nContent-Length: 0\r\n\r\n".encode())
        assert (await task).status == number
    assert wire.written.count(b"POST") == 3


NO_HTTP = {
    "other words": b"220 mail.example ESMTP\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "long length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "large chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4_000,
    "endless body": b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * (LARGEST_BODY + 20_000),
}


@pytest.mark.parametrize("heard", NO_HTTP.values(), ids=NO_HTTP)
async def test_what_is_no_answer_ends_the_line(heard: bytes) -> None:
    line, wire = opened()
    task = await asked(line)
    line.data_received(heard)
    with pytest.raises(Lost) as lost:
        await task
    assert lost.value.heard and wire.is_cut and not line.is_open


async def test_a_line_that_ends_says_whether_anything_was_heard() -> None:
    for heard, is_heard in ((b"", False), (b"HTTP/1.1 2", True)):
        line, _ = opened()
        task = await asked(line)
        if heard:
            line.data_received(heard)
        line.connection_lost(ConnectionResetError())
        with pytest.raises(Lost) as lost:
            await task
        assert lost.value.heard is is_heard


async def test_a_body_without_a_length_ends_with_its_line() -> None:
    line, _ = opened()
    task = await asked(line)
    line.data_received(b"HTTP/1.1 410 Gone\r\n\r\nno such")
    assert not task.done()
    line.connection_lost(None)
    assert (await task).body == b"no such"


@pytest.mark.parametrize("heard", [
    b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 X\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n",
    b"HTTP/1.1 201 X\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n",
    b"HTTP/1.0 201 X\r\nContent-Length: 0\r\n\r\n",
])  # fmt: skip
async def test_a_line_that_says_more_than_its_answer_or_farewell_is_not_used_again(heard: bytes) -> None:
    line, wire = opened()
    task = await asked(line)
    line.data_received(heard)
    assert (await task).status in (201, 204)
    assert wire.is_cut and not line.is_open


async def test_words_that_nobody_asked_for_end_the_line() -> None:
    line, wire = opened()
    line.data_received(b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n")
    assert wire.is_cut


async def test_who_is_called_off_hangs_up() -> None:
    line, wire = opened()
    task = await asked(line)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.is_cut and not line.is_open
