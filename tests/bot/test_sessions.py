"""A session begins with the first message and ends by the clock; the bot may begin it in its own way."""

from datetime import timedelta

import pytest

from bot.brain import ActionResult, Brain, Heard, Known, perform
from tests.bot.conftest import START

DOMAIN = """
intents: [greet, order, inform]
entities: [size]
slots:
  size: {type: text, mappings: [{type: from_entity, entity: size}]}
  town: {type: text, mappings: [{type: custom}]}
forms: {order_form: {required_slots: [town]}}
responses:
  utter_first: [{text: Welcome}]
  utter_hi: [{text: "Hi {size}"}]
  utter_ask_town: [{text: "Which town?"}]
  utter_done: [{text: Done}]
  utter_default: [{text: Lost}]
"""
RULES = """
rules:
- rule: first
  conversation_start: true
  steps: [{intent: greet}, {action: utter_first}]
- rule: hi
  steps: [{intent: greet}, {action: utter_hi}]
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: ordered
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_done}]
"""
OWN = "actions: [action_session_start]\n"
LISTENS = {"event": "action", "name": "action_listen"}


@pytest.fixture
def load(write_bot):
    def load(more=""):
        return Brain.load(write_bot(domain=DOMAIN + more, data__rules=RULES, handover="after_misunderstandings: 0"))

    return load


class Begins:
    """Begins sessions with this."""

    def __init__(self, result):
        self.result = result

    async def run(self, call):
        return self.result


async def said(brain, *lines, actions=None):
    """Return what the bot says to each line; a number is minutes that pass."""
    memory, answers, now = None, [], START
    for number, line in enumerate(lines):
        if isinstance(line, int):
            now += timedelta(minutes=line)
            continue
        turn = await perform(brain, memory, Heard(f"m{number}", line, "t", now), Known("p", None, {}, "c"), actions)
        memory = turn.tracker
        answers.append(" ".join(content.text for content in turn.says))
    return answers


async def test_after_an_hour_a_new_session_begins(load):
    assert await said(load(), "/greet", "/greet", 61, "/greet") == ["Welcome", "Hi ", "Welcome"]


async def test_within_the_hour_it_is_the_same_session_however_long_it_lasts(load):
    assert await said(load(), "/greet", 59, "/greet", 59, "/greet") == ["Welcome", "Hi ", "Hi "]


async def test_a_session_without_end(load):
    brain = load("session_config: {session_expiration_time: 0}\n")
    assert await said(brain, "/greet", 100_000, "/greet") == ["Welcome", "Hi "]


@pytest.mark.parametrize(("carries", "answer"), [("true", "Hi large"), ("false", "Hi ")])
async def test_slots_are_carried_over_where_the_domain_says_so(load, carries, answer):
    brain = load(f"session_config: {{carry_over_slots_to_new_session: {carries}}}\n")
    lines = ['/greet{"size": "large"}', 61, "/greet", "/greet"]
    assert (await said(brain, *lines))[-1] == answer


async def test_a_form_ends_with_its_session(load):
    assert await said(load(), "/order", "/inform", 61, "/inform") == ["Which town?", "Lost", "Lost"]
    assert await said(load(), "/order", 61, "/greet") == ["Which town?", "Welcome"]


async def test_a_bot_may_begin_a_session_with_words_and_slots(load):
    start = ActionResult(
        events=({"event": "session_started"}, {"event": "slot", "name": "size", "value": "small"}, LISTENS),
        responses=({"text": "Good day."},),
    )
    answers = await said(load(OWN), "/greet", "/greet", 61, "/greet", actions=Begins(start))
    assert answers == ["Good day. Welcome", "Hi small", "Good day. Welcome"]


@pytest.mark.parametrize("result", [ActionResult("failed", problem="raised"), ActionResult("rejected"), ActionResult()])
async def test_a_session_start_that_fails_does_not_silence_the_bot(load, result):
    answers = await said(load(OWN), "/greet", "/order", actions=Begins(result))
    assert answers[-1] == "Which town?" and answers[0]
