"""Somebody opens a web chat and never reads: they are let go, the server's memory stays bounded, and nobody else waits."""

import asyncio
import socket
from pathlib import Path

import aiohttp

from admin.keys import SCOPES, create_key
from bench import cpu
from profiles.calendar import utc_now
from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.patience import until
from tests.faults.servers import Nursery, Server, server
from tests.stories.town import Visitor

SLOW, MESSAGES, LONG = 20, 400, "x" * 3_500
GROWS_AT_MOST_MB = 60.0


async def test_who_never_reads_is_let_go_and_the_others_do_not_wait(
    nursery: Nursery, folder: Path, mongo_url: str, database_name: str, figures: Figures
) -> None:
    store = Store(mongo_url, database_name)
    chat = {"CAUSERIE_CHANNELS__WEBCHAT__ENABLED": "true", "CAUSERIE_CHANNELS__WEBCHAT__DEMO": "true",
            "CAUSERIE_CHANNELS__WEBCHAT__SOCKETS_PER_ADDRESS": "100"}  # fmt: skip
    here = await server(nursery, folder, database_url=mongo_url, database=database_name, **chat).start()
    slow: list[socket.socket] = []
    try:
        key = await create_key(store, "a shop", list(SCOPES), now=utc_now())
        anna = await Visitor(here.url).opens()
        await anna.says("bonjour")
        await until(lambda: anna.acked)
        slow = [await asyncio.to_thread(_opens_and_never_reads, here, anna.token) for _ in range(SLOW)]
        before = cpu.resident_mb(here.pid)
        (thread,) = await store.find("conversations", {"channel": "webchat"})
        began = now()
        await _say_much(here, key, str(thread["_id"]))
        await until(lambda: len(anna.messages) >= MESSAGES)
        figures.took("a page beside twenty that never read", (now() - began) / MESSAGES)
        grown = cpu.resident_mb(here.pid) - before
        await until(lambda: all(_is_let_go(one) for one in slow))
        assert grown < GROWS_AT_MOST_MB, f"{SLOW} pages that never read cost {grown:.0f} MB"
        await anna.leaves()
    finally:
        for one in slow:
            one.close()
        await here.stop()
        await store.close()


async def _say_much(here: Server, key: str, thread: str) -> None:
    """Write many long messages as the shop."""
    path = f"{here.url}/api/v1/conversations/{thread}/messages"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        for number in range(MESSAGES):
            while True:
                async with session.post(path, json={"text": f"{number} {LONG}"}) as answer:
                    if answer.status == 429:
                        await asyncio.sleep(float(answer.headers["Retry-After"]) / 4)
                        continue
                    assert answer.status in (200, 201), await answer.text()
                    break


def _opens_and_never_reads(here: Server, token: str) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    one.connect(("127.0.0.1", here.port))
    one.sendall(
        f"GET /channels/webchat/socket HTTP/1.1\r\nHost: 127.0.0.1:{here.port}\r\nOrigin: {here.url}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b" 101 " in one.recv(200)
    hello = (
        f'{{"type":"hello","token":"{token}","identity":"","last_seq":0,"language":"fr","page":"{here.url}"}}'.encode()
    )
    one.sendall(b"\x81" + bytes([0x80 | 126]) + len(hello).to_bytes(2, "big") + b"\0\0\0\0" + hello)
    return one


def _is_let_go(one: socket.socket) -> bool:
    """Return whether the server has hung up, once all that it had sent is read."""
    one.setblocking(False)
    try:
        while some := one.recv(65_536):
            del some
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True
