"""Learning under human eyes: what the bot missed, one click to teach it, agents' replies and proposals, errors shown."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from admin import questions
from admin.roles import ROLES
from bot.content import read_content
from tests.admin.classroom import MUDDLED, asks, classroom, replies, workshop
from tests.admin.office import Caller, Office


@pytest.fixture
async def school(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with classroom(mongo_url, database_name, tmp_path) as office:
        yield office


@pytest.fixture
async def noor(school: Office) -> Caller:
    return await school.signed_in(await school.agent("Noor Aziz", "supervisor"))


@pytest.fixture
async def maya(school: Office) -> Caller:
    return await school.signed_in(await school.agent("Maya Lindqvist", "agent"))


def _questions(page: str) -> list[str]:
    return re.findall(r'<p class="asked"[^>]*>(.*?)</p>', page)


def _id(page: str, number: int = 0) -> str:
    return re.findall(r'id="q-([0-9a-f]+)"', page)[number]


def _examples(office: Office, intent: str) -> list[str]:
    examples = workshop(office).brain.script.project.training.examples
    return [example.text for example in examples if example.intent == intent]


async def test_what_several_people_asked_in_other_words_is_one_question(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    await asks(school, "boris", f"bonjour, est-ce que vous {MUDDLED.replace('-vous', '')} svp")
    await asks(school, "anna", "les horaires")
    page = await noor.page("/learning")
    assert len(_questions(page)) == 1
    assert "asked 2 times" in page and "2 people" in page and "1 question" in page


async def test_the_latest_come_first_or_the_most_frequent(school: Office, noor: Caller) -> None:
    for who in ("anna", "boris"):
        await asks(school, who, MUDDLED, ago=timedelta(hours=2))
    await asks(school, "anna", "mon bidule clignote bizarrement")
    assert [text[:3] for text in _questions(await noor.page("/learning"))] == ["mon", "liv"]
    assert [text[:3] for text in _questions(await noor.page("/learning?order=often"))] == ["liv", "mon"]


async def test_a_question_is_taught_to_the_intent_whose_title_was_typed(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    page = await noor.page("/learning")
    assert '<option value="return_item">Return of an item</option>' in page
    fields = {"question": _id(page), "text": MUDDLED, "language": "fr", "intent": "other", "other": " opening Hours "}
    await noor.post("/learning/examples", form=fields)
    assert MUDDLED in _examples(school, "opening_hours")


@pytest.mark.parametrize("order", ["latest", "often"])
async def test_a_long_list_goes_on_where_it_stopped(school: Office, noor: Caller, order: str) -> None:
    for number in range(questions.PAGE + 4):
        await asks(school, f"who{number}", f"{'abcdefghijklmnopqrstuvwxyz'[number] * 3}zorglub crapouille")
    page = await noor.page(f"/learning?order={order}")
    more = re.findall(r'<li class="question"[^>]*data-more="([^"]+)"', page)[-1].replace("&amp;", "&")
    rest = await noor.get(more.removeprefix("/console"), headers={"X-Fragment": "1"})
    text = await rest.text()
    assert len(_questions(page)) == questions.PAGE and len(_questions(text)) == 4
    assert not set(_questions(page)) & set(_questions(text))


async def test_one_click_teaches_and_the_same_words_are_understood(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    page = await noor.page("/learning")
    fields = {"question": _id(page), "language": "fr", "text": MUDDLED, "intent": "faq"}
    answer = await noor.post("/learning/examples", form=fields)
    assert answer.status == 303 and answer.headers["Location"] == "/console/learning?done=2"
    assert MUDDLED in _examples(school, "faq")
    assert MUDDLED in (workshop(school).folder / "data/nlu.fr.yml").read_text()
    done = await noor.page("/learning?done=2")
    assert _questions(done) == [] and "The bot has learned this" in done
    audit = await school.desk.store.first("audit", {"act": "bot.example"})
    assert audit and audit["by"] == "noor" and audit["about"] == "bot:2"


async def test_one_sentence_that_is_too_few_is_said_to_be_so(school: Office, noor: Caller) -> None:
    unlike = {"language": "fr", "text": "horaires commande retour points", "intent": "goodbye"}
    answer = await noor.post("/learning/examples", form=unlike)
    heard = questions.meaning_of(workshop(school).brain, unlike["text"], "fr", school.clock()).intent
    assert ("unsure=yes" in answer.headers["Location"]) == (heard != "goodbye")
    assert "not sure of it yet" in await noor.page("/learning?done=2&unsure=yes")


async def test_what_was_taught_comes_back_when_the_bot_fails_on_it_again(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    fields = {
        "question": _id(await noor.page("/learning")),
        "language": "fr",
        "text": "une autre phrase",
        "intent": "faq",
    }
    await noor.post("/learning/examples", form=fields)
    assert _questions(await noor.page("/learning")) == []
    school.clock.ahead = timedelta(minutes=1)
    await asks(school, "boris", MUDDLED)
    assert len(_questions(await noor.page("/learning"))) == 1


async def test_what_was_dismissed_never_comes_back(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    await noor.post(f"/learning/questions/{_id(await noor.page('/learning'))}/dismiss", form={})
    school.clock.ahead = timedelta(minutes=1)
    await asks(school, "anna", MUDDLED)
    assert _questions(await noor.page("/learning")) == []
    school.clock.ahead = 2 * questions.LOOKED_BACK
    await asks(school, "boris", MUDDLED)
    await asks(school, "boris", "mon bidule clignote bizarrement")
    open_now = await questions.asked(school.desk, workshop(school).brain)
    assert [one.text for one in open_now.questions] == ["mon bidule clignote bizarrement"]


async def test_names_and_numbers_are_masked_before_they_are_learned(school: Office, noor: Caller) -> None:
    await asks(school, "anna", "zut crapouille c'est Martin, rappelez le 06 12 34 56 78 [x](order_number)")
    page = await noor.page("/learning")
    shown = html.unescape(re.findall(r'<textarea name="text"[^>]*>(.*?)</textarea>', page, re.S)[0])
    assert "[name]" in shown and "[number]" in shown and "06 12" not in shown and "](" not in shown
    fields = {"question": _id(page), "language": "fr", "text": shown, "intent": "human"}
    assert (await noor.post("/learning/examples", form=fields)).status == 303
    assert "zut crapouille c'est , rappelez le [x] (order_number)" in _examples(school, "human")


async def test_a_new_answer_is_made_of_what_an_agent_replied(school: Office, noor: Caller) -> None:
    await school.agent("Maya Lindqvist")
    thread = await asks(school, "anna", MUDDLED)
    await replies(school, thread, "maya", "Oui, en 3 jours, 9 € de plus.")
    page = await noor.page("/learning")
    assert "Maya Lindqvist answered:" in page and page.count("Oui, en 3 jours, 9 € de plus.") == 2
    fields = {
        "question": _id(page), "language": "fr", "title": "Livraison en Corse", "text": MUDDLED, "as": "answer",
        "says_fr": "Oui, en 3 jours, 9 € de plus.", "says_en": "Yes, in 3 days, 9 € more.",
    }  # fmt: skip
    assert (await noor.post("/learning/answers", form=fields)).status == 303
    thread = await asks(school, "boris", MUDDLED)
    message = await school.desk.store.first("messages", {"conversation": thread, "author": "bot"})
    assert message and message["content"]["text"] == "Oui, en 3 jours, 9 € de plus."


async def test_a_reply_may_become_a_passage_of_the_documents(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    fields = {
        "question": _id(await noor.page("/learning")), "language": "fr", "title": "Livraison en Corse", "text": MUDDLED,
        "as": "passage", "says_fr": "Nous livrons toute la Corse en 3 jours.",
    }  # fmt: skip
    assert (await noor.post("/learning/answers", form=fields)).status == 303
    assert "Nous livrons toute la Corse" in read_content(workshop(school).folder)["kb/fr/learned.md"]


async def test_a_reply_that_an_agent_refuses_is_not_proposed_again(school: Office, maya: Caller) -> None:
    thread = await asks(school, "anna", MUDDLED)
    await replies(school, thread, "maya", "Je regarde.")
    page = await maya.page("/learning")
    message = re.findall(r'name="message" value="([^"]+)"', page)[0]
    await maya.post(f"/learning/questions/{_id(page)}/refuse", form={"message": message})
    after = await maya.page("/learning")
    assert "Je regarde." not in after and len(_questions(after)) == 1


async def test_an_agent_proposes_and_somebody_else_decides(school: Office, maya: Caller, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    fields = {"question": _id(await maya.page("/learning")), "language": "fr", "text": MUDDLED, "intent": "faq"}
    answer = await maya.post("/learning/examples", form=fields)
    assert answer.headers["Location"] == "/console/learning?done=proposed"
    assert MUDDLED not in _examples(school, "faq")
    page = await noor.page("/learning")
    accept = re.findall(r'action="/console(/learning/proposals/[^"]+/accept)"', page)[0]
    assert "Proposed by agents" in page and "Accept" not in await maya.page("/learning")
    assert (await noor.post(accept, form={})).status == 303
    assert MUDDLED in _examples(school, "faq")
    after = await noor.page("/learning")
    assert "Proposed by agents" not in after and _questions(after) == []
    assert (await noor.post(accept, form={})).status == 404


async def test_a_proposal_may_be_refused_and_the_question_stays(school: Office, maya: Caller, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    fields = {"language": "fr", "title": "Corse", "text": MUDDLED, "says_fr": "Oui.", "as": "answer"}
    await maya.post("/learning/answers", form={"question": _id(await maya.page("/learning")), **fields})
    page = await noor.page("/learning")
    assert "Oui." in page
    await noor.post(re.findall(r'formaction="/console(/learning/proposals/[^"]+/refuse)"', page)[0], form={})
    after = await noor.page("/learning")
    assert "Proposed by agents" not in after and len(_questions(after)) == 1
    assert "corse" not in workshop(school).brain.script.domain.intents


async def test_what_a_dialogue_of_the_bot_contradicts_is_refused_with_the_place_and_the_text_kept(
    school: Office, noor: Caller
) -> None:
    before = read_content(workshop(school).folder)
    await asks(school, "anna", MUDDLED)
    id = _id(await noor.page("/learning"))
    fields = {
        "question": id,
        "language": "fr",
        "text": "bonjour à tous les lutins",
        "other": "no_such_thing",
        "intent": "other",
    }
    answer = await noor.post("/learning/examples", form=fields)
    text = await answer.text()
    assert answer.status == 422 and "There is no such intent" in text and "bonjour à tous les lutins" in text
    assert read_content(workshop(school).folder) == before and len(_questions(text)) == 1


async def test_what_would_break_the_bot_is_shown_with_file_and_line(school: Office, noor: Caller) -> None:
    rules = workshop(school).folder / "data/rules.yml"
    rules.write_text(rules.read_text().replace("utter_opening_hours", "utter_opening_hour"))
    await asks(school, "anna", MUDDLED)
    fields = {"language": "fr", "text": MUDDLED, "intent": "faq"}
    answer = await noor.post("/learning/examples", form=fields)
    text = await answer.text()
    assert answer.status == 422 and "would not work" in text and "data/rules.yml:" in text
    assert MUDDLED not in _examples(school, "faq")


async def test_a_message_that_was_erased_is_no_question_any_more(school: Office, noor: Caller) -> None:
    await asks(school, "anna", MUDDLED)
    await school.desk.store.remove("messages", {"profile": "anna"})
    assert _questions(await noor.page("/learning")) == []


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_sees_what_it_may_do(school: Office, role: str) -> None:
    await asks(school, "anna", MUDDLED)
    caller = await school.signed_in(await school.agent("Olga Petit", role))  # type: ignore[arg-type]
    page = await caller.page("/learning")
    assert ("Dismiss" in page) == (role != "agent")
    assert ("/inbox/all/webchat:anna" in page.replace("%3A", ":")) == (role != "marketer")


async def test_a_form_without_its_token_changes_nothing(school: Office, noor: Caller) -> None:
    noor.csrf = "forged"
    fields = {"language": "fr", "text": MUDDLED, "intent": "faq"}
    assert (await noor.post("/learning/examples", form=fields)).status == 403
    assert MUDDLED not in _examples(school, "faq")


async def test_the_pages_are_french_for_who_reads_french(school: Office) -> None:
    await asks(school, "anna", MUDDLED)
    caller = await school.signed_in(await school.agent("Noor Aziz", "supervisor", language="fr"))
    for path, words in (
        ("/learning", "Le bot n’a pas compris"), ("/learning/try?q=bonjour", "Ce que le bot comprend"),
        ("/learning/accuracy", "Par intention"), ("/learning/versions", "Personne n’a encore instruit"),
    ):  # fmt: skip
        assert words in await caller.page(path)
