"""Serving: what stands in the way is said with what to do, and leaves nothing running."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from causerie.mongod import CannotStart, StoreOptions, start
from causerie.options import Options, ServerOptions
from causerie.progress import silent
from causerie.serve import serve, serve_many


async def test_a_port_that_is_taken_is_named_with_a_hint_and_the_database_is_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    store = StoreOptions(folder=str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"server.port: 127.0.0.1:{port}: .* CAUSERIE_SERVER__PORT"):
            await serve(Options(server=ServerOptions(port=port)), store, silent, said.append)
    assert said == []
    again = await start(store)  # the folder is free
    await again.stop()


async def test_signals_during_the_start_of_workers_do_not_end_the_process_on_the_spot(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def furnish(_: str) -> None:
        for name in (signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), name)
        reached.set()
        await asyncio.Event().wait()

    options, store = Options(server=ServerOptions(port=0)), StoreOptions(folder=str(tmp_path))
    starting = asyncio.create_task(serve_many(2, ["serve"], options, store, silent, furnish))
    await asyncio.wait_for(reached.wait(), 60)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    for told in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(told)
