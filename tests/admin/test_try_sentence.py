"""Test a sentence: what is heard in it, what would be answered, and by which rule."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from admin.try_sentence import heed
from bot.brain import Brain
from profiles.calendar import utc_now
from tests.admin.classroom import SHOP, classroom, workshop
from tests.admin.office import Caller, Office

PIZZA = Path(__file__).parents[1] / "bot" / "pizza"


@pytest.fixture(scope="module")
def shop() -> Brain:
    return Brain.load(SHOP)


@pytest.fixture
async def school(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with classroom(mongo_url, database_name, tmp_path) as office:
        yield office


@pytest.fixture
async def noor(school: Office) -> Caller:
    return await school.signed_in(await school.agent("Noor Aziz", "supervisor"))


def test_a_slip_of_the_pen_is_repaired_and_said_so(shop: Brain) -> None:
    heeded = heed(shop, "où est ma comande", None, utc_now())
    assert heeded.language == "fr" and heeded.read_as == "ou est ma commande"
    assert heeded.meaning.intent == "order_status" and heeded.because[-1].action == "order_form"


def test_the_answer_comes_with_the_rule_it_is_from(shop: Brain) -> None:
    heeded = heed(shop, "what are your opening hours", "en", utc_now())
    assert "Monday to Saturday" in heeded.says[0].text
    because = heeded.because[-1]
    assert (because.by, because.rule) == ("rule", "Hours") and because.at.startswith("data/rules.yml:")


def test_what_is_not_understood_is_said_to_be_so(shop: Brain) -> None:
    heeded = heed(shop, "et mon bidule alors ça vient", "fr", utc_now())
    assert heeded.is_missed and not heeded.handed_over


def test_a_custom_action_is_named_and_not_run() -> None:
    heeded = heed(Brain.load(PIZZA), "/slow", "en", utc_now())
    assert heeded.action == "action_slow" and heeded.says == ()


async def test_the_page_shows_five_intents_at_most_and_keeps_the_sentence(school: Office, noor: Caller) -> None:
    page = await noor.page("/learning/try?q=je+voudrais+retourner+la+commande+12345678&language=fr")
    assert page.count('class="bar-full"') == 5 and "12345678" in page and "<dt>Order number</dt>" in page
    assert "What the bot understands" not in await noor.page("/learning/try")


async def test_a_rule_of_the_bot_is_named_in_the_language_of_who_reads(school: Office) -> None:
    lise = await school.signed_in(await school.agent("Lise Dubois", language="fr"))
    page = await lise.page("/learning/try?q=what+are+your+opening+hours&language=en")
    assert " Horaires <small" in page and "Hours <small" not in page


async def test_from_the_test_a_sentence_is_taught_and_tested_again(school: Office, noor: Caller) -> None:
    fields = {"text": "zut alors flûte", "language": "fr", "other": "human", "intent": "other", "back": "try"}
    answer = await noor.post("/learning/examples", form=fields)
    assert answer.headers["Location"].startswith("/console/learning/try?q=zut%20alors")
    heeded = heed(workshop(school).brain, "zut alors flûte", "fr", utc_now())
    assert heeded.meaning.intent == "human" and heeded.handed_over


@pytest.mark.parametrize("text", ["👍", "x" * 5_000, "/restart", '/order_status{"a": 1}', "<b>&", "中文", "[x](y)"])
async def test_any_text_may_be_tried(noor: Caller, text: str) -> None:
    answer = await noor.get("/learning/try", params={"q": text})
    assert answer.status == 200
