"""kill -9 in the middle of a conversation, and on after the restart: nothing lost, nothing twice."""

from pathlib import Path

import pytest

from tests.serving import serving
from tests.stories.town import Visitor
from tests.waiting import until


@pytest.mark.parametrize("answers_before_the_kill", [0, 1, 3])
async def test_a_conversation_survives_kill_minus_nine(
    tmp_path: Path, free_port: int, answers_before_the_kill: int
) -> None:
    lines = ["bonjour", "quels sont vos horaires ?", "où est ma commande ?", "87654321"]
    visitor = Visitor(f"http://127.0.0.1:{free_port}")
    async with serving(tmp_path, free_port, "--demo") as server:
        await visitor.opens()
        for line in lines[:-1]:
            await visitor.says(line)
        await until(lambda: len(visitor.acked) >= answers_before_the_kill)
        server.kill()
        await server.wait()
    await visitor.leaves()
    acknowledged = set(visitor.acked)

    async with serving(tmp_path, free_port, "--demo"):
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
