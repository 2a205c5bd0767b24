"""How what is said fills slots, mapping by mapping."""

import pytest

from bot.brain import Brain

DOMAIN = """
intents: [ask, yes, no, vip, order]
entities: [size, city]
slots:
  size: {type: text, mappings: [{type: from_entity, entity: size, not_intent: [no]}]}
  sizes: {type: list, mappings: [{type: from_entity, entity: size}]}
  agrees:
    type: bool
    mappings:
      - {type: from_intent, intent: yes, value: true}
      - {type: from_intent, intent: no, value: false}
  origin: {type: text, mappings: [{type: from_entity, entity: city, conditions: [{active_loop: trip_form}]}]}
  goal: {type: text, mappings: [{type: from_entity, entity: city, conditions: [{active_loop: trip_form}]}]}
  begun_by: {type: text, mappings: [{type: from_trigger_intent, intent: order, value: an order}]}
  words: {type: text, mappings: [{type: from_text, intent: vip}]}
  fixed: {type: text, initial_value: as it was, mappings: [{type: controlled}]}
forms:
  trip_form: {required_slots: [origin, goal]}
responses:
  utter_ok: [{text: ok}]
  utter_ask_origin: [{text: from?}]
  utter_ask_goal: [{text: to?}]
"""
RULES = """
rules:
- rule: order
  steps: [{intent: order}, {action: trip_form}, {active_loop: trip_form}]
- rule: done
  condition: [{active_loop: trip_form}]
  steps: [{action: trip_form}, {active_loop: null}, {action: utter_ok}]
""" + "\n".join(
    f"- rule: {name}\n  steps: [{{intent: {name}}}, {{action: utter_ok}}]" for name in ("ask", "yes", "no", "vip")
)


@pytest.fixture
def told(write_bot, tell):
    return tell(Brain.load(write_bot(domain=DOMAIN, data__rules=RULES)))


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ('/ask{"size": "large"}', {"size": "large", "sizes": ["large"]}),
        ('/ask{"size": ["s", "m"]}', {"size": "m", "sizes": ["s", "m"]}),
        ('/no{"size": "s"}', {"sizes": ["s"], "agrees": False}),
        ("/yes", {"agrees": True}),
        ("/vip", {"words": "/vip"}),
        ('/ask{"city": "paris"}', {}),
        ('/ask{"fixed": "changed"}', {}),
        ("/order", {"begun_by": "an order", "requested_slot": "origin"}),
    ],
)
def test_a_message_fills_what_its_mappings_say(told, said, slots):
    assert told.hears(said).slots == slots


def test_an_entity_that_two_slots_would_take_fills_the_one_asked_for(told):
    told.hears("/order").hushed()
    assert told.hears('/ask{"city": "paris"}').slots["origin"] == "paris"
    assert "goal" not in told.slots
    assert told.hears('/ask{"city": "rome"}').slots["goal"] == "rome"
    assert told.slots["origin"] == "paris"
