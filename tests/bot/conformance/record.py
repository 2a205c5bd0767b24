"""Records random dialogues with a real Rasa 3.6 server; tests/bot/test_conformance.py replays them through our engine.

    python tests/bot/conformance/record.py hotel club desk --rasa ~/rasa-3.6/bin/rasa --dialogues 200 --seed 7

Needs a `rasa` program of its own environment (rasa 3.6.21 wants Python 3.10), the recording of our tests does not. For
each bot it trains, starts Rasa's action server and Rasa itself, and plays its NLU: what each sentence means stands in
the bot's said.yml, so that dialogues are compared and not classifiers. The result is <bot>/recorded.jsonl.gz, one
dialogue a line, told by tests/bot/conformance/transcript.py.
"""

import argparse
import asyncio
import gzip
import logging
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import ClientError, ClientSession, web
from ruamel.yaml import YAML

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.bot.conformance.transcript import SAID, meaning_of, written  # noqa: E402

log = logging.getLogger("record")

START_SECONDS = 300.0
FAIR = 0.7
"""Of the session's length. Rasa counts it from the last message that was neither taken back nor an answer to a form, we
from the last message, on purpose; so a dialogue without a pause must be much shorter than a session, and a pause comes
only after a message that both count."""
TALKING_AT_ONCE = 3


async def record(bot: str, rasa: str, dialogues: int, seed: int) -> None:
    """Record so many dialogues of a bot."""
    script = YAML(typ="safe").load((HERE / bot / SAID).read_text(encoding="utf-8"))
    domain = YAML(typ="safe").load((HERE / bot / "domain.yml").read_text(encoding="utf-8"))
    session = float(domain.get("session_config", {}).get("session_expiration_time", 60)) * 60
    async with _served(bot, rasa, script) as url, ClientSession() as http:
        turn = asyncio.Semaphore(TALKING_AT_ONCE)

        async def one(number: int) -> list[dict[str, Any]]:
            async with turn:
                rng = Random(f"{seed}:{bot}:{number}")
                return await _converse(http, url, f"{seed}-{number}", script, rng, session)

        told = await asyncio.gather(*(one(number) for number in range(dialogues)))
    kept = [turns for turns in told if turns]
    if not kept:
        raise SystemExit(f"{bot}: every dialogue was too slow to be fair; is the machine busy?")
    lines = "\n".join(written(turns) for turns in kept)
    with gzip.GzipFile(HERE / bot / "recorded.jsonl.gz", "wb", mtime=0) as file:
        file.write(lines.encode() + b"\n")
    log.info("%s: %d dialogues, %d turns, seed %d", bot, len(kept), sum(map(len, kept)), seed)


async def _converse(
    http: ClientSession, url: str, sender: str, script: list[dict[str, Any]], rng: Random, session: float
) -> list[dict[str, Any]]:
    """Return the turns of one dialogue; none at all when it went too slowly to be fair (FAIR)."""
    turns: list[dict[str, Any]] = []
    buttons: list[str] = []
    route: list[str] = []
    began, rested = time.monotonic(), 0.0
    for _ in range(rng.randint(6, 14)):
        line = _next_line(script, buttons, route, rng)
        if "wait" in line:
            if not turns or not await _counts(http, url, sender, turns[-1]["meaning"]["text"]):
                continue
            await asyncio.sleep(float(line["wait"]))
            rested = time.monotonic() - began
            continue
        at = time.monotonic() - began
        if session and at - rested > session * FAIR:
            return []
        answers = await _say(http, url, sender, line)
        async with http.get(f"{url}/conversations/{sender}/tracker?include_events=NONE") as response:
            tracker = await response.json()
        buttons = [button["payload"] for answer in answers for button in answer.get("buttons") or ()]
        turns.append(
            {
                "at": round(at, 3),
                **{key: line[key] for key in ("say", "trigger") if key in line},
                "meaning": meaning_of(line, script),
                "says": [
                    [answer.get("text"), [[b["title"], b["payload"]] for b in answer.get("buttons") or ()]]
                    for answer in answers
                ],
                "slots": {name: value for name, value in tracker["slots"].items() if value is not None},
                "loop": (tracker["active_loop"] or {}).get("name"),
            }
        )
        if tracker["paused"]:  # people answer from here on, in our product as well
            turns[-1]["paused"] = True
            break
    return turns


async def _counts(http: ClientSession, url: str, sender: str, text: str) -> bool:
    """Whether the message was neither taken back nor swallowed by a form."""
    async with http.get(f"{url}/conversations/{sender}/tracker?include_events=APPLIED") as response:
        events = (await response.json())["events"]
    return next((event["text"] for event in reversed(events) if event["event"] == "user"), None) == text


def _next_line(script: list[dict[str, Any]], buttons: list[str], route: list[str], rng: Random) -> dict[str, Any]:
    """Go on with the route that was taken, press a button, or say anything at all."""
    if route and rng.random() < 0.85:
        return {"say": route.pop(0)}
    if buttons and rng.random() < 0.25:
        return {"say": rng.choice(buttons)}
    line: dict[str, Any] = rng.choices(script, [line.get("weight", 1) for line in script])[0]
    if "route" in line:
        route[:] = line["route"]
        return {"say": route.pop(0)}
    return line


async def _say(http: ClientSession, url: str, sender: str, line: dict[str, Any]) -> list[dict[str, Any]]:
    if "trigger" in line:
        body = {"name": line["trigger"], "entities": line.get("entities", {})}
        async with http.post(f"{url}/conversations/{sender}/trigger_intent", json=body) as response:
            return list((await response.json())["messages"])
    async with http.post(f"{url}/webhooks/rest/webhook", json={"sender": sender, "message": line["say"]}) as response:
        return list(await response.json())


@asynccontextmanager
async def _served(bot: str, rasa: str, script: list[dict[str, Any]]) -> AsyncIterator[str]:
    """Train the bot, serve its actions, its NLU and itself, and give the address to talk to."""
    core, actions, nlu = _free_port(), _free_port(), _free_port()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / bot
        shutil.copytree(HERE / bot, place)
        (place / "endpoints.yml").write_text(
            f"action_endpoint: {{url: 'http://127.0.0.1:{actions}/webhook'}}\nnlu: {{url: 'http://127.0.0.1:{nlu}'}}\n"
        )
        (place / "credentials.yml").write_text("rest:\n")
        # Validation refuses a condition on a slot that a form asks for only sometimes; Rasa itself serves it.
        await _run(place, rasa, "train", "--quiet", "--skip-validation", "--out", "models")
        listening = await _play_nlu(nlu, script)
        started = [
            await _start(place, rasa, "run", "actions", "--actions", "actions", "--port", str(actions)),
            await _start(place, rasa, "run", "--enable-api", "--port", str(core), "--endpoints", "endpoints.yml",
                         "--credentials", "credentials.yml"),
        ]  # fmt: skip
        try:
            await _until_up(f"http://127.0.0.1:{actions}/health")
            await _until_up(f"http://127.0.0.1:{core}/status")
            yield f"http://127.0.0.1:{core}"
        finally:
            for process in started:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            await listening.cleanup()


async def _play_nlu(port: int, script: list[dict[str, Any]]) -> web.AppRunner:
    async def parse(request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        return web.json_response(meaning_of({"say": text}, script))

    app = web.Application()
    app.router.add_post("/model/parse", parse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def _start(place: Path, *command: str) -> asyncio.subprocess.Process:
    # A model of rules and stories needs no second core, and Rasa reports home unless told not to.
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    with (place / "rasa.log").open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, cwd=place, env=environment, stdout=output, stderr=asyncio.subprocess.STDOUT
        )


async def _run(place: Path, *command: str) -> None:
    process = await _start(place, *command)
    if await process.wait():
        raise SystemExit((place / "rasa.log").read_text(errors="replace")[-4000:])


async def _until_up(url: str) -> None:
    async with asyncio.timeout(START_SECONDS), ClientSession() as http:
        while True:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except ClientError:
                pass
            await asyncio.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Record what the command line says."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("bots", nargs="+")
    reader.add_argument("--rasa", default=shutil.which("rasa"), help="the rasa program; default: the one on PATH")
    reader.add_argument("--dialogues", type=int, default=200)
    reader.add_argument("--seed", type=int, default=7)
    asked = reader.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for bot in asked.bots:
        asyncio.run(record(bot, asked.rasa, asked.dialogues, asked.seed))


if __name__ == "__main__":
    main()
