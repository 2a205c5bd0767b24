"""kill -9 in the middle of a conversation, and on after the restart: nothing lost, nothing twice."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.stories.town import Visitor
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `causerie serve` on this data folder until it is killed or the block ends."""
    settings = {"CAUSERIE_STORE__FOLDER": str(folder), "CAUSERIE_SERVER__PORT": str(port)}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "causerie", "serve", "--demo", cwd=ROOT, env={**os.environ, **settings},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: _ready(port), within_seconds=60)
        yield server
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            await server.wait()


async def _ready(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.parametrize("answers_before_the_kill", [0, 1, 3])
async def test_a_conversation_survives_kill_minus_nine(
    tmp_path: Path, free_port: int, answers_before_the_kill: int
) -> None:
    lines = ["bonjour", "quels sont vos horaires ?", "où est ma commande ?", "87654321"]
    visitor = Visitor(f"http://127.0.0.1:{free_port}")
    async with serving(tmp_path, free_port) as server:
        await visitor.opens()
        for line in lines[:-1]:
            await visitor.says(line)
        await until(lambda: len(visitor.acked) >= answers_before_the_kill)
        server.kill()
        await server.wait()
    await visitor.leaves()
    acknowledged = set(visitor.acked)

    async with serving(tmp_path, free_port):
        await visitor.opens()
        await until(lambda: not visitor.unacked)
        await visitor.says(lines[-1])
        await visitor.hears("87654321")
        await visitor.leaves()

    said = [text for author, text in visitor.transcript if author == "customer"]
    assert said == lines, "each message once, in the order it was said"
    assert acknowledged <= visitor.acked
    seqs = sorted(visitor.messages)
    assert seqs == list(range(1, len(seqs) + 1)), "no gap in what the visitor sees"
    answers = [text for author, text in visitor.transcript if author == "bot"]
    assert len(answers) == len(lines), "one answer each"
