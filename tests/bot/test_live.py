"""A bot's files change while it serves: the next one is trained aside and takes over between two turns."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from bot import live
from bot.brain import Heard, Known
from bot.live import LiveBrain, load_live
from bot.models import MOST_KEPT, Models
from profiles.calendar import utc_now
from profiles.findings import ContentErrors
from tests.bot.conftest import SHOP, START
from tests.waiting import is_running, until

DOMAIN = """
intents: [greet, order{more}]
slots:
  size: {{type: text, mappings: [{{type: from_text, conditions: [{{active_loop: order_form, requested_slot: size}}]}}]}}
{forms}
responses:
  utter_hello: [{{text: "{hello}"}}]
  utter_ask_size: [{{text: "Which size?"}}]
"""
FORMS = "forms: {order_form: {required_slots: [size]}}"
NLU = """
nlu:
- intent: greet
  examples: |
    - hello
    - good morning to you
    - hi there
- intent: order
  examples: |
    - I want to order
    - place an order please
    - order something
"""
RULES = """
rules:
- rule: hello
  steps: [{intent: greet}, {action: utter_hello}]
"""
ORDER = """
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: ordered
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_hello}]
"""
KNOWN = Known("p1", None, {}, "c1")


def _write(
    folder: Path, *, hello: str = "Hello!", forms: str = FORMS, rules: str = RULES + ORDER, more: str = ""
) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "domain.yml").write_text(DOMAIN.format(hello=hello, forms=forms, more=more))
    (folder / "data" / "nlu.yml").write_text(NLU)
    (folder / "data" / "rules.yml").write_text(rules)
    (folder / "handover.yml").write_text("after_misunderstandings: 0")


@pytest.fixture
async def bot(tmp_path) -> AsyncIterator[LiveBrain]:
    folder = tmp_path / "bot"
    folder.mkdir()
    _write(folder)
    loaded = load_live(folder, tmp_path / "models", clock=utc_now)
    yield loaded
    await loaded.close()


def _say(bot: LiveBrain, text: str, memory=None):
    turn = bot.at_once(memory, Heard("m1", text, "webchat", START), KNOWN)
    return [content.text for content in turn.says], turn.tracker


async def test_what_was_edited_serves_after_a_training_in_another_process(bot):
    assert _say(bot, "hello")[0] == ["Hello!"]
    _write(bot.folder, hello="Good day!")
    before = bot.current
    training = asyncio.create_task(bot.retrain())
    await until(lambda: bot.lesson.is_under_way)
    assert _say(bot, "hello")[0] == ["Hello!"], "the old one serves meanwhile"
    lesson = await training
    assert not lesson.errors and lesson.finished_at >= lesson.started_at
    assert bot.current is not before and _say(bot, "hello")[0] == ["Good day!"]


async def test_a_broken_edit_keeps_the_old_bot_and_says_why(bot):
    _write(bot.folder, rules=RULES + "- rule: broken\n  steps: [{intent: hello}, {action: utter_nobody}]\n")
    before = bot.current
    lesson = await bot.retrain()
    assert bot.current is before and bot.lesson is lesson
    (error,) = lesson.errors
    assert str(error.at).startswith("data/rules.yml:") and "nobody" in str(error)
    _write(bot.folder, hello="Mended")
    assert not (await bot.retrain()).errors
    assert _say(bot, "hello")[0] == ["Mended"]


async def test_a_conversation_in_a_form_goes_on_when_the_form_and_its_intent_are_gone(bot):
    said, memory = _say(bot, "I want to order")
    assert said == ["Which size?"]
    _write(bot.folder, forms="", rules=RULES)
    (bot.folder / "domain.yml").write_text('intents: [greet]\nresponses:\n  utter_hello: [{text: "Hello!"}]\n')
    (bot.folder / "data" / "nlu.yml").write_text(NLU.split("- intent: order")[0])
    lesson = await bot.retrain()
    assert not lesson.errors, lesson.errors
    assert _say(bot, "hello", memory)[0] == ["Hello!"]


async def test_files_saved_on_disk_are_noticed(bot, monkeypatch):
    monkeypatch.setattr(live, "LOOK_EVERY_SECONDS", 0.05)
    seen = load_live(bot.folder, None, clock=utc_now)
    await seen.start()
    try:
        _write(bot.folder, hello="From disk")
        await until(lambda: _say(seen, "hello")[0] == ["From disk"], within_seconds=30)
    finally:
        await seen.close()


async def test_who_asks_during_a_training_is_served_with_files_read_after_asking(bot):
    _write(bot.folder, hello="First")
    first = asyncio.create_task(bot.retrain())
    await until(lambda: bot.lesson.is_under_way)
    _write(bot.folder, hello="Second")
    await asyncio.gather(first, bot.retrain())
    assert _say(bot, "hello")[0] == ["Second"]


async def test_a_folder_can_be_tried_without_serving(bot, tmp_path):
    copy = shutil.copytree(bot.folder, tmp_path / "copy")
    _write(copy, hello="Tried")
    before = bot.current
    tried = await bot.trial(copy)
    assert bot.current is before
    assert [variation.text for variation in tried.script.domain.responses["utter_hello"]] == ["Tried"]
    (copy / "domain.yml").write_text("intents: {")
    with pytest.raises(ContentErrors):
        await bot.trial(copy)


async def test_a_training_that_is_given_up_leaves_the_old_bot_and_no_process(bot, monkeypatch):
    begun = []
    begin = asyncio.create_subprocess_exec

    async def noted(*command, **how):
        begun.append(await begin(*command, **how))
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    before = bot.current
    training = asyncio.create_task(bot.retrain())
    (pupil,) = await until(lambda: begun)
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await training
    assert bot.current is before and not bot.lesson.is_under_way and bot.lesson.errors
    assert not is_running(pupil.pid)


async def test_a_process_that_dies_is_an_error_to_read(bot, monkeypatch):
    monkeypatch.setattr(live.sys, "executable", "/bin/false")
    lesson = await bot.retrain()
    assert "ended with 1" in str(lesson.errors[0])


async def test_the_brain_from_the_other_process_thinks_as_one_loaded_here(tmp_path):
    folder = shutil.copytree(SHOP, tmp_path / "shop")
    bot = load_live(folder, None, clock=utc_now)
    here = bot.current
    await bot.retrain()
    assert bot.current is not here and bot.current.understanding.hash == here.understanding.hash
    for text in (
        "où est ma commande ?",
        "what are your opening hours?",
        "42",
        "quand rouvrez-vous ?",
        "qui est le roi ?",
    ):
        heard = Heard("m1", text, "webchat", START)
        assert bot.current.at_once(None, heard, KNOWN) == here.at_once(None, heard, KNOWN)


def test_an_unchanged_bot_is_not_trained_again(bot_folder, tmp_path, monkeypatch):
    models = tmp_path / "models"
    first = load_live(bot_folder, models, clock=utc_now).current
    monkeypatch.setattr("bot.understanding.train", lambda *_: pytest.fail("trained again"))
    again = load_live(bot_folder, models, clock=utc_now).current
    assert again.understanding.hash == first.understanding.hash
    assert [trial.guess for trial in again.trials] == [trial.guess for trial in first.trials]
    heard = Heard("m1", "good morning", "webchat", START)
    assert again.at_once(None, heard, KNOWN) == first.at_once(None, heard, KNOWN)


@pytest.fixture
def bot_folder(tmp_path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    _write(folder)
    return folder


def test_a_damaged_or_foreign_model_is_made_anew(bot_folder, tmp_path):
    models = tmp_path / "models"
    first = load_live(bot_folder, models, clock=utc_now).current
    (kept,) = models.glob("*.npz")
    for damage in (b"", b"PK\x03\x04 no zip", kept.read_bytes()[:200]):
        kept.write_bytes(damage)
        again = load_live(bot_folder, models, clock=utc_now).current
        assert again.understanding.hash == first.understanding.hash
        assert len(kept.read_bytes()) > 1000


def test_models_that_nobody_uses_give_way(tmp_path):
    models = Models(tmp_path)
    for number in range(MOST_KEPT + 3):
        models.put(f"m-{number}", {"a": np.arange(3)})
        os.utime(tmp_path / f"m-{number}.npz", (time.time() - 1000 + number,) * 2)
    models.put("m-last", {"a": np.arange(3)})
    assert len(list(tmp_path.glob("*"))) == MOST_KEPT
    assert models.get("m-0") is None and models.get("m-last")["a"].tolist() == [0, 1, 2]


async def test_a_brain_that_was_tried_takes_over_with_its_folder(bot, tmp_path):
    copy = shutil.copytree(bot.folder, tmp_path / "copy")
    _write(copy, hello="Adopted")
    tried = await bot.trial(copy)
    await bot.adopt(tried, copy)
    assert bot.current is tried and bot.folder == copy.resolve() and bot.lesson.hash == tried.understanding.hash
    await bot.look()
    await bot.look()
    assert bot.current is tried, "what was adopted is not learned again"
    _write(copy, hello="Edited")
    await bot.look()
    await bot.look()
    assert _say(bot, "hello")[0] == ["Edited"]
