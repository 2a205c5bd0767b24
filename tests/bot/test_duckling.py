"""What custom actions written for Duckling read beside the value."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from bot.brain import Brain
from bot.duckling import additional_info
from bot.finders import Here

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("words", "unit"),
    [("50 €", "EUR"), ("50 euros", "EUR"), ("$50", "$"), ("50 dollars", "$"), ("£50", "£"), ("50", "unknown")],
)
def test_an_amount_has_its_unit(words, unit):
    assert additional_info("amount-of-money", 50.0, words, PARIS) == {"value": 50.0, "type": "value", "unit": unit}


def test_a_day_begins_at_midnight_where_the_bot_is():
    info = additional_info("time", "2026-11-24", "tomorrow", PARIS)
    assert (info["value"], info["grain"], info["type"]) == ("2026-11-24T00:00:00.000+01:00", "day", "value")
    assert info["values"] == [{"value": info["value"], "grain": "day", "type": "value"}]


def test_only_ducklings_own_names_get_it(write_bot):
    domain = """
intents: [pay, other]
entities: [amount, amount-of-money, number]
responses:
  utter_ok: [{text: ok}]
"""
    data = """
nlu:
- intent: pay
  examples: |
    - I pay that
    - take my money
- intent: other
  examples: |
    - something else
    - never mind
rules:
- rule: pay
  steps: [{intent: pay}, {action: utter_ok}]
- rule: other
  steps: [{intent: other}, {action: utter_ok}]
"""
    brain = Brain.load(write_bot(domain=domain, data__all=data))
    meaning, _, _ = brain.understanding.hear("I pay 50 euros", None, 0, Here(date(2026, 11, 21)))
    found = {entity["entity"]: entity.get("additional_info") for entity in meaning.entities}
    assert found["amount"] is None and found["amount-of-money"]["unit"] == "EUR" and found["number"]["value"] == 50
