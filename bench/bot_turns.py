"""What does a bot's turn cost, how long does training take, and does the loop feel it? All with the shipped shop, in this process.

Turns are measured cold: what was heard before is forgotten before each, so that no sentence comes from memory.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ruamel.yaml

from bench.bot_sets import shop_set
from bot.answering import BotOptions, folder_of, load_brain
from bot.brain import Brain, finish
from bot.contract import Heard, Known
from bot.live import load_live
from causerie.garbage import collect_seldom
from profiles.calendar import utc_now

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
AGES = (5, 500)
TURNS = 1_000
INTENTS, EXAMPLES = 100, 20
TICK_SECONDS = 0.001
ROUNDS = 3


def turns() -> dict[str, float]:
    """Return CPU ms of a turn, median and 99th percentile, in conversations of 5 and of 500 turns, taken turn about."""
    brain = load_brain(BotOptions())
    said = _sentences(brain)
    memories = {age: _after(brain, said, age) for age in AGES}
    costs: dict[int, list[float]] = {age: [] for age in AGES}
    for number in range(TURNS):
        for age in AGES:
            brain.understanding.remembered.clear()
            heard = Heard(f"m{number}", said[number % len(said)], "webchat", AT)
            began = time.thread_time()
            finish(brain.turn(memories[age], heard, _KNOWN))
            costs[age].append(time.thread_time() - began)
    figures = {}
    for age in AGES:
        ordered = sorted(costs[age])
        figures[f"p50_ms_after_{age}"] = round(ordered[TURNS // 2] * 1e3, 3)
        figures[f"p99_ms_after_{age}"] = round(ordered[TURNS * 99 // 100] * 1e3, 3)
    return figures


def hearing_us() -> float:
    """Return CPU us of understanding one sentence that was not heard before."""
    brain = load_brain(BotOptions())
    said = _sentences(brain)
    here = brain.script.project.validation.here(AT)
    best = []
    for _ in range(10):
        brain.understanding.remembered.clear()
        began = time.thread_time()
        for text in said:
            brain.understanding.hear(text, "fr", 0, here)
        best.append((time.thread_time() - began) / len(said) * 1e6)
    return round(sorted(best)[len(best) // 2])


async def training() -> dict[str, float]:
    """Return how long 100 intents with 20 examples each take to train in the background, and the loop's waits meanwhile."""
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as home:
        folder = Path(home) / "bot"
        _write_large_bot(folder)
        began = time.process_time()
        Brain.load(folder)
        alone = time.process_time() - began
        live = load_live(folder, Path(home) / "models", clock=utc_now)
        collect_seldom()  # as the server does when it is ready
        idle, _ = await _waits(asyncio.sleep(3))
        cached = time.perf_counter()
        load_live(folder, Path(home) / "models", clock=utc_now)
        cached = time.perf_counter() - cached
        seconds, waits, busy = [], [], []
        for number in range(ROUNDS):
            with (folder / "data" / "nlu.yml").open("a", encoding="utf-8") as file:
                file.write(f"    - something quite new number {'x' * (number + 2)}\n")
            began = time.perf_counter()
            late, held = await _waits(live.retrain())
            seconds.append(time.perf_counter() - began)
            waits += late
            busy += held
            assert not live.lesson.errors, live.lesson.errors
    return {
        "train_100x20_cpu_seconds": round(alone, 2),
        "from_kept_model_seconds": round(cached, 2),
        "background_seconds": round(sorted(seconds)[ROUNDS // 2], 2),
        "loop_wait_p99_ms_idle": _at(idle, 0.99),
        "loop_wait_worst_ms_idle": _at(idle, 1.0),
        "loop_wait_p99_ms": _at(waits, 0.99),
        "loop_wait_worst_ms": _at(waits, 1.0),
        "loop_held_worst_cpu_ms": _at(busy, 1.0),
    }


def action_import() -> dict[str, float]:
    """Return the seconds that the first message adds for a bot with actions, and that its start does (in fresh processes)."""
    bot = Path(__file__).parent.parent / "tests" / "bot" / "pizza"
    rows = [_first_message(bot) for _ in range(ROUNDS)]
    middle = ROUNDS // 2
    return {
        "actions_first_message_seconds": sorted(row["first"] for row in rows)[middle],
        "actions_start_seconds": sorted(row["start"] for row in rows)[middle],
    }


_KNOWN = Known("P1", "fr", {"points": 12, "email": "anna@example.fr"}, "webchat:1")
_FIRST = """
import asyncio, json, sys, time
from pathlib import Path
from bot.answering import BotOptions
from bot.brain import Brain
Brain.load(Path({bot!r}))
began = time.perf_counter()
from bot.actions import Actions
actions = Actions(BotOptions(folder={bot!r}))
start = time.perf_counter() - began
assert "rasa_sdk" not in sys.modules
began = time.perf_counter()
assert asyncio.run(actions.load())
print(json.dumps({{"start": round(start, 3), "first": round(time.perf_counter() - began, 3)}}))
"""


def _first_message(bot: Path) -> dict[str, float]:
    root = Path(__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", _FIRST.format(bot=str(bot))], cwd=root, capture_output=True, text=True, check=True
    )
    told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return told


def _sentences(brain: Brain) -> list[str]:
    rows = [text for language in ("fr", "en") for text, _ in shop_set(language, ()).test]
    assert rows and brain.languages
    return rows


def _after(brain: Brain, said: list[str], count: int) -> Mapping[str, Any] | None:
    memory: Mapping[str, Any] | None = None
    for number in range(count):
        turn = finish(brain.turn(memory, Heard(f"m{number}", said[number % len(said)], "webchat", AT), _KNOWN))
        assert turn is not None
        memory = turn.tracker
    return memory


async def _waits(work: Any) -> tuple[list[float], list[float]]:
    """Return by how many seconds a tick each millisecond came late while the work went on, and how much CPU the loop used between.

    The first depends on what else the machine does; the second is ours alone.
    """
    late: list[float] = []
    held: list[float] = []

    async def tick() -> None:
        while True:
            began, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            late.append(time.perf_counter() - began - TICK_SECONDS)
            held.append(time.thread_time() - used)

    ticking = asyncio.create_task(tick())
    try:
        await work
    finally:
        ticking.cancel()
    return late, held


def _at(waits: list[float], share: float) -> float:
    ordered = sorted(waits)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 2)


def _write_large_bot(folder: Path) -> None:
    """Write a bot of 100 intents with 20 examples each, made of the shop's own words so that they are no nonsense."""
    shop = load_brain(BotOptions())
    assert folder_of(BotOptions()).is_dir()
    texts = [example.text for example in shop.script.project.training.examples if example.language == "en"]
    (folder / "data").mkdir(parents=True)
    names = [f"intent_{_letters(number)}" for number in range(INTENTS)]
    yaml = ruamel.yaml.YAML()
    yaml.dump({"intents": names, "responses": {"utter_a": [{"text": "a"}]}}, folder / "domain.yml")
    yaml.dump({"rules": [{"rule": "a", "steps": [{"intent": names[0]}, {"action": "utter_a"}]}]},
              folder / "data" / "rules.yml")  # fmt: skip
    items = [
        {"intent": name, "examples": "".join(f"- {texts[(number * 7 + k * 13) % len(texts)]} {_letters(number)} {_letters(k)}\n"
                                             for k in range(EXAMPLES))}
        for number, name in enumerate(names)
    ]  # fmt: skip
    for item in items:
        item["examples"] = ruamel.yaml.scalarstring.LiteralScalarString(item["examples"])
    yaml.dump({"nlu": items}, folder / "data" / "nlu.yml")


def _letters(number: int) -> str:
    """Return a made-up word for a number."""
    return "".join("bcdfghjklm"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number:03d}")
