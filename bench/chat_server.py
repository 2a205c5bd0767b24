"""`python -m bench.chat_server`: the product with its web chat, in a process of its own; it prints its port."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvloop
from aiohttp import web

from causerie.app import build
from causerie.garbage import collect_seldom
from causerie.options import Options, ServerOptions
from causerie.threads import switch_soon
from channels import webchat

ORIGIN = "https://shop.example"
READY_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 30.0


class Served(NamedTuple):
    """A web chat that is ready."""

    pid: int
    port: int

    @property
    def socket(self) -> str:
        """Return the address that a widget opens."""
        return f"http://127.0.0.1:{self.port}/channels/webchat/socket"


@asynccontextmanager
async def chat_server(url: str, database: str) -> AsyncIterator[Served]:
    """Within the block the server runs. The database's address goes over stdin: it holds the password."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.chat_server", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps([url, database]).encode() + b"\n")
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the server under test did not start; see its error above")
        yield Served(process.pid, int(line))
    finally:
        process.stdin.close()  # the sign to stop
        try:
            async with asyncio.timeout(STOPS_WITHIN_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    url, database = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    chat = webchat.Options(enabled=True, sockets_per_address=1_000_000)  # the benchmark's visitors have one address
    options = Options(server=ServerOptions(public_url=ORIGIN), channels={"webchat": chat}, database=database)
    runner = web.AppRunner(await build(options, url), access_log=None)
    collect_seldom()  # as `causerie serve` does
    switch_soon()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(_serve())
