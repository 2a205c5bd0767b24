"""Questions in other words are one question, and an answer the bot was not sure of is told to those who teach it."""

import pytest

from bot.brain import Brain
from bot.unsure import DOUBTED_BELOW, wording
from tests.bot.conftest import SHOP, Story

SAME = [
    ("Livrez-vous en Corse ?", "bonjour, est-ce que vous livrez en corse svp"),
    ("où sont mes commandes", "Où est ma COMMANDE ???"),
    ("do you ship to Corsica?", "Hello! Can you ship to corsica please"),
    ("👍", "👍"),
]
OTHER = [("livrez-vous en Corse", "livrez-vous en Bretagne"), ("🙂", "👍"), ("bonjour", "merci"), ("12", "13")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_in_other_words_is_one(one: str, other: str) -> None:
    assert wording(one) == wording(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_question_is_another(one: str, other: str) -> None:
    assert wording(one) != wording(other)


def test_the_name_of_a_wording_tells_nothing_and_takes_any_text() -> None:
    for text in ("anna.martin@example.org", "x" * 100_000, "", "\ud800", "中文 עברית"):
        assert len(wording(text)) == 16 and all(letter in "0123456789abcdef" for letter in wording(text))


@pytest.fixture(scope="module")
def shop() -> Brain:
    return Brain.load(SHOP)


def _facts(story: Story, name: str) -> list[dict]:  # type: ignore[type-arg]
    assert story.turn
    return [dict(facts) for fact, facts in story.turn.events if fact == name]


def test_a_question_without_an_answer_names_its_message_wording_and_five_nearest(shop: Brain) -> None:
    story = Story(shop, language="fr").hears("et mon bidule alors ça vient")
    (facts,) = _facts(story, "bot.unanswered")
    assert facts["message"] == "m1" and facts["wording"] == wording("mon bidule ça vient alors")
    assert len(facts["near_intents"]) == 5 and "bidule" not in str(facts)


def test_answers_the_bot_was_not_sure_of_are_told_and_sure_ones_are_not(shop: Brain) -> None:
    told = {}
    for text in ("bonjour", "aide commande", "numéro", "merci bonjour", "retour horaires", "bonjour ma commande"):
        story = Story(shop, language="fr").hears(text)
        assert story.turn
        if story.turn.intent not in ("nlu_fallback", "out_of_scope"):
            facts = _facts(story, "bot.doubted")
            told[text] = bool(facts)
            assert bool(facts) == (story.turn.confidence < DOUBTED_BELOW)
            assert not facts or (facts[0]["intent"], facts[0]["wording"]) == (story.turn.intent, wording(text))
    assert set(told.values()) == {True, False}, told


def test_a_button_and_a_forms_answer_are_never_doubted(shop: Brain) -> None:
    story = Story(shop, language="fr").hears("/order_status")
    assert not _facts(story, "bot.doubted")
    story.hushed().hears("12345678")
    assert not _facts(story, "bot.doubted") and not _facts(story, "bot.unanswered")
