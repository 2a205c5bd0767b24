"""Serving: what stands in the way is said with what to do, and leaves nothing running."""

import socket
from pathlib import Path

import pytest

from causerie.mongod import CannotStart, StoreOptions, start
from causerie.options import Options, ServerOptions
from causerie.progress import silent
from causerie.serve import serve


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
