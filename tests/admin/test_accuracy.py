"""How well the bot tells its intents apart: counted right, drawn without styles in the page, and mended by one click."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from admin.accuracy import measure
from tests.admin.classroom import classroom, workshop
from tests.admin.office import Caller, Office


@pytest.fixture
async def school(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with classroom(mongo_url, database_name, tmp_path) as office:
        yield office


@pytest.fixture
async def noor(school: Office) -> Caller:
    return await school.signed_in(await school.agent("Noor Aziz", "supervisor"))


async def test_every_sentence_is_counted_once_and_each_fault_stands_in_its_pair(school: Office) -> None:
    brain = workshop(school).brain
    measured = measure(brain)
    examples = brain.script.project.training.examples
    assert measured.whole.total == len(examples) == sum(one.total for one in measured.intents)
    assert {one.name: one.total for one in measured.languages} == {
        language: sum(example.language == language for example in examples) for language in ("fr", "en")
    }
    wrong = measured.whole.total - measured.whole.right
    assert 0 < sum(len(pair.trials) for pair in measured.pairs) <= wrong
    sizes = [len(pair.trials) for pair in measured.pairs]
    assert sizes == sorted(sizes, reverse=True)
    assert [one.percent for one in measured.intents] == sorted(one.percent for one in measured.intents)


async def test_the_bars_are_as_long_as_the_figures_beside_them(school: Office, noor: Caller) -> None:
    page = await noor.page("/learning/accuracy")
    drawn = re.findall(
        r'<rect class="bar-full[^"]*" width="(\d+)" height="8"/></svg></td><td class="bar-number">(\d+)\s?%', page
    )
    assert len(drawn) == len(measure(workshop(school).brain).intents) and all(one == other for one, other in drawn)
    assert "style=" not in page


async def test_a_sentence_at_fault_is_moved_with_one_click(school: Office, noor: Caller) -> None:
    page = await noor.page("/learning/accuracy")
    forms = re.findall(r'action="/console/learning/accuracy">(.*?)</form>', page, re.S)
    assert forms
    for form in forms:  # the first that no test dialogue of the bot objects to
        fields = dict(re.findall(r'name="(text|language|source|target)" value="([^"]*)"', form))
        fields = {name: value.replace("&#39;", "'") for name, value in fields.items()}
        answer = await noor.post("/learning/accuracy", form=fields)
        if answer.status == 303:
            break
    assert answer.status == 303
    examples = workshop(school).brain.script.project.training.examples
    assert [one.intent for one in examples if one.written == fields["text"] and one.language == fields["language"]] == [
        fields["target"]
    ]


async def test_a_sentence_that_is_gone_is_not_moved(school: Office, noor: Caller) -> None:
    fields = {"text": "nobody wrote this", "language": "fr", "source": "greet", "target": "goodbye"}
    answer = await noor.post("/learning/accuracy", form=fields)
    assert answer.status == 422 and "not there any more" in await answer.text()
