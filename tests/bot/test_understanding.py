"""The bot's ear: held-out sentences in French and English, typos, strangers, and confidence that means what it says."""

from datetime import date
from pathlib import Path

import pytest

from bot.finders import Here
from bot.understanding import Understanding

HERE = Here(date(2026, 11, 21))
FOLDER = Path(__file__).parent


def _rows(name: str) -> list[tuple[str, str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines]


@pytest.fixture
def ear(shop) -> Understanding:
    return shop.understanding


def _share_right(ear: Understanding, rows: list[tuple[str, str]], language: str) -> float:
    right = [intent for intent, text in rows if ear.hear(text, language, 0, HERE)[0].intent == intent]
    return len(right) / len(rows)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_nine_of_ten_unseen_sentences_are_understood(ear, shop, language):
    rows = _rows(f"heldout.{language}.txt")
    seen = {example.text.casefold() for example in shop.script.project.training.examples}
    unseen = [(intent, text) for intent, text in rows if text.casefold() not in seen]
    assert len(unseen) >= 50
    assert _share_right(ear, unseen, language) >= 0.9


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_slip_of_the_keyboard_in_each_long_word_costs_little(ear, language):
    rows = [(intent, _slip(text)) for intent, text in _rows(f"heldout.{language}.txt")]
    assert _share_right(ear, rows, language) >= 0.75


def _slip(text: str) -> str:
    """Swap two letters in the middle of every word of six letters or more."""
    words = []
    for word in text.split():
        middle = len(word) // 2
        swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
        words.append(swapped if len(word) >= 6 else word)
    return " ".join(words)


def test_strangers_are_turned_away(ear):
    rows = _rows("strangers.txt")
    refused = [
        text
        for language, text in rows
        if ear.hear(text, language, 0, HERE)[0].intent in ("out_of_scope", "nlu_fallback")
    ]
    assert len(refused) / len(rows) >= 0.8


def test_confidence_is_about_the_share_that_is_right(ear):
    heard = [
        (ear.hear(text, language, 0, HERE)[0].ranking[0], intent)
        for language in ("fr", "en")
        for intent, text in _rows(f"heldout.{language}.txt")
    ]
    mean = sum(confidence for (_, confidence), _ in heard) / len(heard)
    right = sum(best == intent for (best, _), intent in heard) / len(heard)
    assert abs(mean - right) < 0.15


def test_the_language_of_unseen_sentences_is_found(ear):
    right = total = 0
    for language in ("fr", "en"):
        for _, text in _rows(f"heldout.{language}.txt"):
            if len(text.split()) >= 3:
                total += 1
                right += ear.hear(text, None, 0, HERE)[1] == language
    assert right / total >= 0.95


def test_accents_and_capitals_make_no_difference(ear):
    plain, _, _ = ear.hear("ou est ma commande", "fr", 0, HERE)
    shouted, _, _ = ear.hear("OÙ EST MA COMMANDE", "fr", 0, HERE)
    assert plain.intent == shouted.intent == "order_status"


@pytest.mark.parametrize("text", ["", "🤷🎉", "...", "你好", "\u202eשלום", "12345"])
def test_text_without_a_known_word_is_not_understood_rather_than_guessed(ear, text):
    meaning, _, _ = ear.hear(text, "fr", 0, HERE)
    assert meaning.intent in ("nlu_fallback", "out_of_scope")


def test_the_same_seed_learns_the_same(shop):
    from bot.understanding import learn

    again = learn(shop.script.project, 0)
    for language, (_, model) in shop.understanding.models.items():
        assert (again.models[language][1].weights == model.weights).all()


def test_what_was_heard_before_is_heard_the_same_and_little_is_remembered(ear, monkeypatch):
    monkeypatch.setattr("bot.understanding._REMEMBERED", 20)
    rows = [text for _, text in _rows("heldout.fr.txt")]
    ear.remembered.clear()
    first = [ear.hear(text, "fr", 0, HERE) for text in rows]
    assert [ear.hear(text, "fr", 0, HERE) for text in rows] == first
    assert 0 < len(ear.remembered) <= 20
    assert all(len(words) <= 9 for words in ear.remembered)
