"""Somebody edits the bot's files while customers talk with it: nobody waits, and the next answer is the new one."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.answering import BotOptions
from causerie.app import BRAIN
from tests.bot.conftest import SHOP
from tests.stories.town import Town, Visitor, town
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(SHOP, tmp_path / "shop")


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int, folder: Path) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port, BotOptions(folder=str(folder))) as place:
        yield place


async def test_an_edited_answer_is_said_in_the_conversation_that_runs(here: Town, folder: Path) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    try:
        await visitor.says("what are your opening hours?")
        await visitor.hears("Monday to Saturday")
        domain = folder / "domain.yml"
        domain.write_text(domain.read_text(encoding="utf-8").replace("Monday to Saturday", "Tuesday to Saturday"))
        before = here.app[BRAIN].current
        await until(lambda: here.app[BRAIN].current is not before, within_seconds=90)
        await visitor.says("and when are you open?")
        await visitor.hears("Tuesday to Saturday")
    finally:
        await visitor.leaves()


async def test_a_broken_edit_is_told_and_the_bot_goes_on(here: Town, folder: Path) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    try:
        rules = folder / "data" / "rules.yml"
        rules.write_text(rules.read_text(encoding="utf-8") + "\n- rule: oops\n  steps: [{intent: nobody}]\n")
        live = here.app[BRAIN]
        await until(lambda: not live.lesson.is_under_way and live.lesson.errors, within_seconds=90)
        assert live.lesson.errors[0].at.file == "data/rules.yml"
        await visitor.says("what are your opening hours?")
        await visitor.hears("Monday to Saturday")
    finally:
        await visitor.leaves()
