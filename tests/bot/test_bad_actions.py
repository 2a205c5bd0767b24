"""An action that hangs, exits, raises or returns garbage: the customer is answered, the log has it, and the server goes on."""

import asyncio
import json
from typing import Any

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain, Heard, Known, Turn, perform
from tests.bot.conftest import START

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")

DOMAIN = """
intents: [go, hello]
slots:
  city: {type: text, mappings: [{type: controlled}]}
actions: [action_go]
responses:
  utter_hi: [{text: Hi}]
"""
RULES = """
rules:
- rule: go
  steps: [{intent: go}, {action: action_go}]
- rule: hello
  steps: [{intent: hello}, {action: utter_hi}]
"""
ACTION = """
import asyncio, os, sys, time
from rasa_sdk import Action

class Go(Action):
    def name(self):
        return "action_go"

    {run} run(self, dispatcher, tracker, domain):
{body}
"""


@pytest.fixture
def play(write_bot):
    """Return a function: what the customer gets from an action with this body, and then from a plain question."""

    async def of(body: str, run: str = "async def", seconds: float = 5.0) -> Turn:
        folder = write_bot(domain=DOMAIN, data__rules=RULES)
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        (folder / "actions.py").write_text(ACTION.replace("{run}", run).replace("{body}", lines), encoding="utf-8")
        brain, actions = Brain.load(folder), Actions(BotOptions(folder=str(folder), action_seconds=seconds))
        known = Known("p1", "en", {}, "c1")
        try:
            turn = await perform(brain, None, Heard("m1", "/go", "webchat", START), known, actions)
            json.dumps(turn.tracker, allow_nan=False)
            after = await perform(brain, turn.tracker, Heard("m2", "/hello", "webchat", START), known, actions)
            assert [content.text for content in after.says] == ["Hi"], "the conversation goes on"
        finally:
            await actions.close()
        return turn

    return of


FAILING = [
    ("sys.exit(3)", "raised RuntimeError"),
    ("raise SystemExit", "raised RuntimeError"),
    ("raise asyncio.CancelledError", "raised RuntimeError"),
    ("raise KeyError('x')", "raised KeyError"),
    ("raise RecursionError", "raised RecursionError"),
    ("raise MemoryError", "raised MemoryError"),
    ("return 5", "raised TypeError"),
]


@pytest.mark.parametrize("run", ["def", "async def"])
@pytest.mark.parametrize(("body", "problem"), FAILING)
async def test_what_breaks_is_answered_with_an_apology(play: Any, body: str, problem: str, run: str) -> None:
    turn = await play(body, run)
    assert [content.text[:5] for content in turn.says] == ["Sorry"]
    assert len(turn.failed) == 1 and turn.failed[0].startswith(f"action_go: {problem}")


@pytest.mark.parametrize(
    ("body", "run"),
    [
        ("await asyncio.sleep(60)", "async def"),
        ("await asyncio.shield(asyncio.sleep(60))", "async def"),
        ("while True: await asyncio.sleep(0)", "async def"),
        ("time.sleep(1)", "def"),
    ],
)
async def test_what_hangs_is_given_up_at_its_deadline(play: Any, body: str, run: str) -> None:
    turn = await play(body, run, seconds=0.2)
    assert [content.text[:5] for content in turn.says] == ["Sorry"]
    assert turn.failed == ("action_go: took longer than 0.2 s",)


GARBAGE = [
    "return [5]",
    "return 'text'",
    "return {'event': 'slot', 'name': 'city', 'value': 'Lyon'}",
    "return [None, {}, {'event': None}, {'event': 5}]",
    "return [{'event': 'no_such_event', 'x': 1}]",
    "return [{'event': 'slot'}]",
    "return [{'event': 'slot', 'name': None, 'value': object()}]",
    "return [{'event': 'slot', 'name': 'no.such$slot', 'value': 1}]",
    "return [{'event': 'followup', 'name': 'action_no_such'}]",
    "return [{'event': 'followup'}]",
    "return [{'event': 'active_loop', 'name': 'no_such_form'}]",
    "return [{'event': 'active_loop'}]",
    "return [{'event': 'action'}]",
    "return [{'event': 'user'}]",
    "return [{'event': 'user', 'text': 5, 'parse_data': 'x'}]",
    "return [{'event': 'bot'}]",
    "return [{'event': 'bot', 'text': None, 'data': 'x'}]",
    "return [{'event': 'reminder', 'date_time': 'yesterday-ish', 'intent': 5, 'name': None}]",
    "return [{'event': 'rewind'}] * 50",
    "return [{'event': 'action_execution_rejected'}]",
    "return [{'event': 'slot', 'name': 'city', 'value': 'x' * 10_000_000}]",
    "return [{'event': 'slot', 'name': 'city', 'value': float('nan')}]",
    "x = []; x.append(x); return [{'event': 'slot', 'name': 'city', 'value': x}]",
    "return [{'event': 'slot', 'name': f's{n}', 'value': n} for n in range(5000)]",
    "dispatcher.utter_message(text='x' * 5_000_000)",
    "dispatcher.utter_message(text=5)",
    "dispatcher.utter_message(text='ok', buttons='not a list')",
    "dispatcher.utter_message(text='ok', buttons=[5, {'title': None}, {'payload': '/go'}])",
    "dispatcher.utter_message(response='utter_no_such')",
    "dispatcher.messages.append('not a message')",
    "dispatcher.messages.append({'text': {'a': 1}, 'buttons': {'a': 1}, 'image': 5, 'attachment': []})",
    "[dispatcher.utter_message(text=str(n)) for n in range(10_000)]",
    "tracker.slots = None; tracker.events.clear(); domain.clear()",
]


@pytest.mark.parametrize("body", GARBAGE)
async def test_garbage_leaves_an_answerable_conversation(play: Any, body: str) -> None:
    turn = await play(body)
    assert len(json.dumps(turn.tracker)) < 200_000
    assert sum(len(content.text) for content in turn.says) < 300_000 and len(turn.says) <= 100


async def test_an_action_cannot_stop_the_loop_it_runs_on(play: Any) -> None:
    alive = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, alive.set)
    await play("sys.exit(1)")
    await asyncio.wait_for(alive.wait(), 5)


FORM = """
intents: [order]
slots:
  size: {type: text, mappings: [{type: from_text, conditions: [{active_loop: order_form, requested_slot: size}]}]}
forms:
  order_form: {required_slots: [size]}
actions: [validate_order_form]
responses:
  utter_ask_size: [{text: Which size?}]
  utter_done: [{text: "Done: {size}"}]
"""
FORM_RULES = """
rules:
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: done
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_done}]
"""
CHECKS = """
from rasa_sdk.forms import FormValidationAction

class Check(FormValidationAction):
    def name(self):
        return "validate_order_form"

    def validate_size(self, value, dispatcher, tracker, domain):
        return {"size": int(value)}
"""


async def test_an_answer_whose_validation_breaks_is_not_taken_and_the_form_waits_for_another(write_bot: Any) -> None:
    folder = write_bot(domain=FORM, data__rules=FORM_RULES)
    (folder / "actions.py").write_text(CHECKS, encoding="utf-8")
    brain, actions = Brain.load(folder), Actions(BotOptions(folder=str(folder)))
    said, memory = [], None
    for number, text in enumerate(("/order", "large", "42")):
        heard = Heard(f"m{number}", text, "webchat", START)
        turn = await perform(brain, memory, heard, Known("p1", "en", {}, "c1"), actions)
        memory = turn.tracker
        said += [content.text for content in turn.says]
    await actions.close()
    assert [said[0], said[1][:5], *said[2:]] == ["Which size?", "Sorry", "Done: 42"]
