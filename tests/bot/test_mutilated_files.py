"""Whatever is written into a bot's files, it is refused with places and hints, or it answers; it never breaks."""

import copy
import random

import pytest
from ruamel.yaml import YAML

from bot.brain import Brain, ContentErrors, Heard, Known, finish
from tests.bot.conftest import SHOP, START

JUNK = [None, 3, -1.5, "x", "", [], {}, [1], {"a": 1}, [[]], [None], True, "a{b}", ["x", {"y": None}], "[", 10**30]
SAID = ["/order_status", "12345678", "/appointment", "demain", "/return_item", "/cancel", "x", "y", "/human", "/help"]
FILES = ("domain.yml", "config.yml", "validation.yml", "profile.yml", "handover.yml", "titles.yml", "data/rules.yml")


@pytest.fixture(scope="module")
def written():
    loaded = {name: YAML(typ="safe").load((SHOP / name).read_text(encoding="utf-8")) for name in FILES}
    return {**loaded, "data/nlu.en.yml": {"nlu": [{"intent": "greet", "examples": "- hello\n- good day\n"}]}}


@pytest.mark.parametrize("seed", range(80))
def test_a_file_with_junk_in_it_is_refused_or_harmless(written, tmp_path, seed):
    draw = random.Random(seed)
    files = copy.deepcopy(written)
    name = draw.choice(sorted(files))
    files[name] = _mutilated(files[name], draw)
    for file, value in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        with (tmp_path / file).open("w", encoding="utf-8") as out:
            YAML(typ="safe").dump(value, out)
    try:
        brain = Brain.load(tmp_path)
    except ContentErrors as refused:
        assert [str(e) for e in refused.errors if str(e).startswith("?")] == []
        assert all(".yml:" in str(error) or "expected a bot's folder" in str(error) for error in refused.errors)
        return
    memory = None
    for number, said in enumerate(SAID):
        turn = finish(brain.turn(memory, Heard(f"m{number}", said, "sms", START), Known("p", None, {}, "c")))
        memory = turn.tracker if turn else None


def _mutilated(document, draw):
    path = draw.choice(list(_paths(document)))
    junk = copy.deepcopy(draw.choice(JUNK))
    if not path:
        return junk
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = junk
    return document


def _paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))
