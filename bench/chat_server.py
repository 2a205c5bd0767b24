"""`python -m bench.chat_server`: the product with its web chat, in a process of its own; it prints its port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvloop
from aiohttp import web

from bench.under_test import serve_as_ordered, under_test
from causerie.app import build
from causerie.options import Options, ServerOptions
from channels import webchat

ORIGIN = "https://shop.example"


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
    """Within the block the server runs."""
    async with under_test("bench.chat_server", order=[url, database]) as (pid, port):
        yield Served(pid, port)


async def _chat(order: list[str]) -> web.Application:
    url, database = order
    chat = webchat.Options(enabled=True, sockets_per_address=1_000_000)  # the benchmark's visitors have one address
    return await build(
        Options(server=ServerOptions(public_url=ORIGIN), channels={"webchat": chat}, database=database), url
    )


if __name__ == "__main__":
    uvloop.run(serve_as_ordered(_chat))
