"""The versions of a taught bot: listed with who and what, compared line by line, and the way back."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from admin.bot_versions import MOST_LINES, Line, compare
from bot.content import read_content
from tests.admin.classroom import classroom, workshop
from tests.admin.office import Caller, Office

EXAMPLE = {"language": "fr", "text": "vous ouvrez à quelle heure demain", "intent": "opening_hours"}
ANSWER = {
    "language": "fr", "title": "Livraison en Corse", "text": "livrez-vous la Corse", "says_fr": "Oui.", "as": "answer"
}  # fmt: skip


@pytest.fixture
async def school(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with classroom(mongo_url, database_name, tmp_path) as office:
        yield office


@pytest.fixture
async def noor(school: Office) -> Caller:
    return await school.signed_in(await school.agent("Noor Aziz", "supervisor"))


async def test_who_taught_what_stands_in_the_list_and_the_lines_in_the_version(school: Office, noor: Caller) -> None:
    await noor.post("/learning/examples", form=EXAMPLE)
    await noor.post("/learning/answers", form=ANSWER)
    page = await noor.page("/learning/versions")
    assert "Made a new answer: Livraison en Corse" in page and "Added an example: Opening hours" in page
    assert page.count("Noor Aziz") >= 2 and page.count("Answers now") == 1
    one = await noor.page("/learning/versions/2")
    came = re.findall(r'<li class="came">.*?<code>(.*?)</code>', one)
    assert came == ["    - vous ouvrez à quelle heure demain"] and 'class="went"' not in one


async def test_one_click_goes_back_and_another_forth(school: Office, noor: Caller) -> None:
    before = read_content(workshop(school).folder)
    await noor.post("/learning/examples", form=EXAMPLE)
    await noor.post("/learning/answers", form=ANSWER)
    answer = await noor.post("/learning/versions/1", form={"seen": "3"})
    assert answer.status == 303 and read_content(workshop(school).folder) == before
    assert "Went back to a version: 1" in await noor.page("/learning/versions")
    assert (await noor.post("/learning/versions/3", form={"seen": "4"})).status == 303
    assert "livraison_en_corse" in workshop(school).brain.script.domain.intents
    row = await school.desk.store.first("audit", {"act": "bot.restored"})
    assert row and row["by"] == "noor"


async def test_who_has_not_seen_the_latest_version_is_told_so(school: Office, noor: Caller) -> None:
    await noor.post("/learning/examples", form=EXAMPLE)
    await noor.post("/learning/answers", form=ANSWER)
    answer = await noor.post("/learning/versions/1", form={"seen": "2"})
    assert answer.status == 422 and "Somebody changed the bot meanwhile" in await answer.text()
    assert "livraison_en_corse" in workshop(school).brain.script.domain.intents


@pytest.mark.parametrize("number", ["0", "9", "-1", "x", "9999999999", "²"])
async def test_a_version_that_is_none_is_not_found(school: Office, noor: Caller, number: str) -> None:
    await noor.post("/learning/examples", form=EXAMPLE)
    assert (await noor.get(f"/learning/versions/{number}")).status == 404
    assert (await noor.post(f"/learning/versions/{number}", form={"seen": "2"})).status == 404


async def test_an_agent_looks_but_does_not_go_back(school: Office, noor: Caller) -> None:
    await noor.post("/learning/examples", form=EXAMPLE)
    maya = await school.signed_in(await school.agent("Maya Lindqvist", "agent"))
    assert "Go back to this version" not in await maya.page("/learning/versions/1")
    assert "Go back to this version" in await noor.page("/learning/versions/1")
    assert (await maya.post("/learning/versions/1", form={"seen": "2"})).status == 403


def test_files_are_compared_by_line_with_two_around_and_a_bound() -> None:
    before = {"a.yml": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b.yml": "same\n", "gone.yml": "x\n"}
    after = {"a.yml": "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "b.yml": "same\n", "new.yml": "y\n"}
    found = {one.path: one.lines for one in compare(before, after)}
    assert [line.sign for line in found["a.yml"]] == [" ", " ", "-", "+", " ", " "]
    assert found["gone.yml"] == (Line("-", "x"),) and found["new.yml"] == (Line("+", "y"),) and "b.yml" not in found
    many = compare({"a": ""}, {"a": "line\n" * 2_000, "b": "line\n"})
    assert sum(len(one.lines) for one in many) == MOST_LINES
