"""What a message mentions: the bot's own words and patterns."""

from datetime import date

import pytest

from bot.brain import Brain
from bot.finders import Here

HERE = Here(date(2026, 11, 21))
FILES = {
    "domain": "intents: [ask]\nentities: [colour, code, city, email]\nresponses:\n  utter_a: [{text: x}]",
    "data__rules": "rules:\n- rule: a\n  steps: [{intent: ask}, {action: utter_a}]",
    "data__nlu": """
nlu:
- intent: ask
  examples: |
    - in [red](colour) please
    - in [crimson](colour:red)
    - to [NYC]{"entity": "city", "value": "New York"}
- synonym: red
  examples: |
    - scarlet
- lookup: colour
  examples: |
    - bleu pétrole
    - scarlet
- regex: code
  examples: |
    - \\b[A-Z]{2}\\d{3}\\b
- lookup: city
  examples: |
    - Bordeaux
    - Clermont-Ferrand
    - Nice
- lookup: undeclared
  examples: |
    - please
""",
}


@pytest.fixture
def mentions(write_bot):
    entities = Brain.load(write_bot(**FILES)).understanding.entities
    return lambda text: [(found["entity"], found["value"]) for found in entities.find(text, HERE)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in red", [("colour", "red")]),
        ("Crimson, thanks", [("colour", "red")]),
        ("SCARLET", [("colour", "red")]),
        ("du bleu petrole svp", [("colour", "bleu pétrole")]),
        ("infrared", []),
        ("nyc", [("city", "New York")]),
        ("code ab123 in red", [("code", "ab123"), ("colour", "red")]),
        ("write to a@b.fr, in red", [("email", "a@b.fr"), ("colour", "red")]),
        ("please", []),
        ("", []),
    ],
)
def test_words_patterns_and_synonyms_are_found(mentions, text, found):
    got = mentions(text)
    wanted = [(name, "bleu petrole" if value == "bleu pétrole" else value) for name, value in found]
    assert got == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bordaux", [("city", "Bordeaux")]),
        ("de Clermont-Ferand !", [("city", "Clermont-Ferrand")]),
        ("crimsonn", [("colour", "red")]),
        ("bleu pétrol", [("colour", "bleu pétrole")]),
        ("bordxyux", []),
        ("nide", []),
        ("please", []),
    ],
)
def test_a_slip_of_the_keyboard_in_a_listed_word_is_forgiven(mentions, text, found):
    assert mentions(text) == found


def test_a_word_that_the_bot_knows_is_no_slip_of_another(write_bot):
    nlu = FILES["data__nlu"].replace("- in [red](colour) please", "- in [red](colour) please, Bordeau")
    entities = Brain.load(write_bot(**{**FILES, "data__nlu": nlu})).understanding.entities
    assert entities.find("bordeau", HERE) == []


def test_places_are_those_in_the_text(write_bot):
    entities = Brain.load(write_bot(**FILES)).understanding.entities
    (found,) = entities.find("je veux du bleu pétrole", HERE)
    assert "je veux du bleu pétrole"[found["start"] : found["end"]] == "bleu pétrole"
