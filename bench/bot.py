"""All figures of the bot, as lines for a person and as one object for a machine: what it understands, costs and replays."""

import asyncio
import logging
import time
import warnings
from pathlib import Path
from typing import Any

from bench import cpu
from bench.bot_hearing import Heard, folded_names, intents, mean_of, names
from bench.bot_sets import TESTS, IntentSet, public_names, public_sets, shop_set
from bench.bot_turns import action_import, hearing_us, training, turns
from bot.actions import Actions
from bot.answering import BotOptions, load_brain
from bot.brain import Brain
from bot.files import read
from bot.training import Mark, read_training
from profiles.findings import Findings
from tests.bot.conformance.replay import BOTS, differing
from tests.bot.conformance.transcript import read as read_dialogues

EACH = 10
DRAWS = 3  # which ten are drawn moves the accuracy by a point and more
"""Examples an intent of the small sets: as many as a young bot has."""


async def bot(data: Path | None) -> dict[str, Any]:
    """Run everything and return the figures; `data` is a folder with public sets, if there is one."""
    figures: dict[str, Any] = {"machine": cpu.machine()}
    figures["replayed"] = await replayed()
    _say("replayed", figures["replayed"])
    figures["turn"] = {**turns(), "hearing_us": hearing_us()}
    _say("turn", figures["turn"])
    figures["training"] = await training()
    _say("training", figures["training"])
    figures["actions"] = action_import()
    _say("actions", figures["actions"])
    figures["intents"] = {heard.name: heard.figures for heard in _heard(data)}
    figures["names"] = dict(_named(data))
    return figures


async def replayed() -> dict[str, int]:
    """Return how many recorded dialogues of a Rasa server were replayed, their turns, and how many dialogues differ."""
    count = said = wrong = 0
    logging.getLogger("bot.actions").setLevel(logging.CRITICAL)  # some raise on purpose
    warnings.filterwarnings("ignore", "No method", UserWarning)  # rasa_sdk on slots without extract_x
    for name in BOTS:
        folder = TESTS / "conformance" / name
        brain, actions = Brain.load(folder), Actions(BotOptions(folder=str(folder)))
        for dialogue in read_dialogues(folder / "recorded.jsonl.gz"):
            count, said = count + 1, said + len(dialogue)
            wrong += bool(await differing(brain, actions, dialogue))
            await asyncio.sleep(0)
        await actions.close()
    return {"dialogues": count, "turns": said, "differing": wrong}


def _heard(data: Path | None) -> list[Heard]:
    sets: list[tuple[tuple[IntentSet, ...], str]] = [
        ((shop_set(language, _taught(language)),), language) for language in ("fr", "en")
    ]
    for one in public_sets(data) if data else ():
        sets += [(tuple(one.few(EACH, draw) for draw in range(DRAWS)), "en"), ((one,), "en")]
    found = []
    for drawn, language in sets:
        began = time.perf_counter()
        found.append(mean_of([intents(one, language) for one in drawn]))
        print(f"{found[-1].line()} ({time.perf_counter() - began:.0f} s)", flush=True)
    return found


def _named(data: Path | None) -> list[tuple[str, dict[str, float]]]:
    found = [(f"committed {language}", folded_names(committed_names(language))) for language in ("fr", "en")]
    public = public_names(data) if data else None
    if public:
        found.append(("HWU64 fold 1", names(*public)))
    for name, row in found:
        _say(f"names, {name}", row)
    return found


def committed_names(language: str) -> list[tuple[str, tuple[Mark, ...]]]:
    """Return the marked sentences of this repository."""
    findings = Findings()
    file = read(TESTS / "mentions" / f"{language}.yml", f"{language}.yml", findings)
    return [(example.text, example.marks) for example in read_training([file], language, findings).examples]


def _taught(language: str) -> tuple[tuple[str, str], ...]:
    examples = load_brain(BotOptions()).script.project.training.examples
    return tuple(
        (one.text, one.intent) for one in examples if one.language == language and one.intent != "out_of_scope"
    )


def _say(what: str, row: dict[str, Any]) -> None:
    print(f"{what:22s} " + ", ".join(f"{name} {value:g}" for name, value in row.items()), flush=True)
