"""Custom actions written against rasa_sdk, run in process."""

import asyncio
import subprocess
import sys
from time import monotonic

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import ActionCall, Heard, Known, finish
from tests.bot.conftest import PIZZA, START

pytestmark = pytest.mark.filterwarnings("ignore:No method:UserWarning")  # rasa_sdk on slots without extract_x


def _heard(text):
    return Heard("m1", text, "webchat", START)


KNOWN = Known("p1", None, {}, "c1")


def test_a_turn_that_needs_an_action_says_so_and_one_that_does_not_never_yields(pizza):
    assert finish(pizza.turn(None, _heard("/crash"), KNOWN)) is None
    assert finish(pizza.turn(None, _heard("hello"), KNOWN)).says[0].text == "Welcome to the pizzeria"


def test_a_call_carries_rasas_tracker_and_domain(pizza):
    call = next(pizza.turn(None, _heard("/crash"), KNOWN))
    assert call.name == "action_crash"
    assert call.tracker["sender_id"] == "c1" and call.tracker["latest_input_channel"] == "webchat"
    assert call.tracker["latest_message"]["intent"]["name"] == "crash"
    assert "pizza_form" in call.domain["forms"]


def test_a_form_validated_by_an_action_asks_again_after_a_rejection(pizzeria):
    told = pizzeria() >> "I want a pizza" << "Which size?"
    told >> "small" << "Which topping?"
    told >> "pineapple" << "No pineapple here" << "Which topping?"
    told >> "HAM" << "things before" << "One small pizza with ham, 9.5 euros"
    assert told.slots["price"] == 9.5 and told.slots["size"] == "small"


def test_required_slots_can_depend_on_what_was_said(pizzeria):
    told = pizzeria() >> "one large pizza please" << "Which topping?"
    told >> "ham" << "Extra cheese?"
    told >> "yes" << "things before" << "One large pizza"
    assert told.slots["extra_cheese"] is True


def test_a_question_inside_a_validated_form_is_answered_and_the_form_asks_again(pizzeria):
    told = pizzeria() >> "I want a pizza" << "Which size?"
    told >> "how much is it" << "Small 8, large 12" << "Which size?"
    told >> "big" << "Which topping?"


def test_an_actions_buttons_reach_the_customer(pizzeria):
    told = pizzeria() >> "a small pizza with ham"
    assert told.turn.says[0].buttons[0].title == "Pay"


def test_an_action_that_raises_counts_as_run_and_is_reported(pizzeria):
    told = pizzeria() >> "/crash" << "Anything else?"
    assert told.turn.failed == ("action_crash: raised RuntimeError",)


def test_an_action_that_takes_too_long_is_given_up_and_the_customer_hears_so(pizzeria):
    began = monotonic()
    told = pizzeria(seconds=0.2) >> "/slow" << "something went wrong"
    assert told.turn.failed == ("action_slow: took longer than 0.2 s",)
    assert monotonic() - began < 10


def test_an_action_nobody_wrote_is_reported(pizzeria):
    told = pizzeria() >> "/lookup" << "something went wrong"
    assert "action_missing" in told.turn.failed[0]


def test_a_plain_run_leaves_the_event_loop(pizzeria):
    pizzeria() >> "/block" << "in thread bot-action"


def test_a_paused_conversation_is_handed_over(pizzeria):
    told = pizzeria() >> "/human_please" << "A person will come"
    assert told.turn.handover[0] == "action"
    told >> "hello" << "Welcome"  # and answers again when it comes back


def test_actions_that_cannot_be_imported_fail_without_taking_the_server_down(tmp_path):
    (tmp_path / "actions.py").write_text("import nothing_like_this\n")
    actions = Actions(BotOptions(folder=str(tmp_path)))
    result = asyncio.run(actions.run(ActionCall("action_x", {}, {"slots": {}})))
    assert result.outcome == "failed" and "nothing_like_this" in result.problem


def test_why_actions_cannot_be_imported_is_one_line(tmp_path):
    (tmp_path / "actions.py").write_text("raise ValueError('a\\n\\n  b' + 'x' * 1000)\n")
    actions = Actions(BotOptions(folder=str(tmp_path)))
    assert asyncio.run(actions.load()) == ()
    assert "ValueError: a b" in actions.problem and "\n" not in actions.problem and len(actions.problem) < 400


def test_actions_may_read_yaml_as_in_rasas_own_environment(tmp_path):
    (tmp_path / "actions.py").write_text(
        "import ruamel.yaml\n"
        "from rasa_sdk import Action\n"
        "SETTINGS = ruamel.yaml.safe_load('a: [1, yes]')\n"
        "assert SETTINGS == {'a': [1, 'yes']}\n"
        "class Read(Action):\n"
        "    def name(self): return 'action_read'\n"
        "    def run(self, dispatcher, tracker, domain): return []\n"
    )
    assert asyncio.run(Actions(BotOptions(folder=str(tmp_path))).load()) == ("action_read",)


def test_two_bots_keep_their_actions_apart(tmp_path):
    (tmp_path / "actions.py").write_text(
        "from rasa_sdk import Action\n"
        "class Other(Action):\n"
        "    def name(self): return 'action_other'\n"
        "    def run(self, dispatcher, tracker, domain): return []\n"
    )

    async def names():
        return [await Actions(BotOptions(folder=str(folder))).load() for folder in (PIZZA, tmp_path)]

    pizza, other = asyncio.run(names())
    assert "action_price" in pizza and other == ("action_other",)


def test_what_an_action_answers_is_made_storable(tmp_path, write_bot, tell):
    from bot.brain import Brain

    folder = write_bot(
        domain="intents: [go]\nslots:\n  odd: {type: any, mappings: [{type: controlled}]}\nactions: [action_odd]",
        data__rules="rules:\n- rule: go\n  steps: [{intent: go}, {action: action_odd}]",
    )
    (folder / "actions.py").write_text(
        "from rasa_sdk import Action\n"
        "from rasa_sdk.events import SlotSet\n"
        "class Odd(Action):\n"
        "    def name(self): return 'action_odd'\n"
        "    def run(self, dispatcher, tracker, domain):\n"
        "        dispatcher.utter_message(text='lone \\ud800 surrogate')\n"
        "        return [SlotSet('odd', {'$where': 2**70, 'when': {1, 2}})]\n"
    )
    told = tell(Brain.load(folder), Actions(BotOptions(folder=str(folder)))) >> "/go" << "lone \ufffd surrogate"
    assert told.slots["odd"] == {"where": str(2**70), "when": [1, 2]}


def test_rasa_sdk_is_not_imported_for_a_bot_without_actions():
    code = (
        "import sys; from bot.actions import Actions; from bot.answering import BotOptions, load_brain;"
        "load_brain(BotOptions()); Actions(BotOptions()); assert 'rasa_sdk' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
