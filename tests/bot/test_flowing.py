"""What a customer sees of flows: questions, refusals, digressions, the way back, the end. Played with the bank's bot."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain, Heard, Known, finish
from bot.dialogues import play_dialogues
from bot.explanation import explain
from bot.understanding import Meaning
from tests.bot.conftest import START, Story

BANK = Path(__file__).parent / "bank"


@pytest.fixture(scope="module")
def bank():
    return Brain.load(BANK)


@pytest.fixture
def customer(bank):
    return lambda **known: Story(bank, Actions(BotOptions(folder=str(BANK))), **known)


def flows_of(told: Story) -> list[str]:
    return [frame["flow"] for frame in told.memory["tracker"].get("flows", [])]


def test_a_flow_asks_one_slot_after_the_other_acts_and_links_to_another(customer):
    told = customer() >> "send money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "50 euros" << "Send 50 to Anna?"
    told >> "/affirm" << "Sent 50 to Anna" << "How was it?"
    assert told.turn.actions == ("action_send_money", "utter_sent", "utter_ask_feedback")
    told >> "quick, but when do you open?" << "Thanks for: quick, but when do you open?" << "What else?"
    assert flows_of(told) == []


def test_the_branch_after_an_action_sees_what_the_action_set(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "50" << "Send 50"
    told >> "no thanks" << "Nothing was sent" << "What else?"


def test_a_refused_value_is_named_and_asked_for_again(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "-5" << "-5 is not an amount" << "How much?"
    told >> "900" << "900 is more than you have" << "How much?"
    told >> "20" << "Send 20 to Anna?"


def test_what_was_collected_is_forgotten_when_the_flow_ends(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "20" << "Send 20"
    told >> "no" << "Nothing" << "What else?"
    assert "recipient" not in told.slots and "amount" not in told.slots
    told >> "/transfer_money" << "To whom?"


def test_an_action_keeps_what_it_sets_and_persisted_slots_stay(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "20" << "Send 20"
    told >> "yes" << "Sent" << "How was it?"
    assert told.slots["balance"] == 480
    told >> "/restart"
    told.hushed() >> "/block_card" << "Your IBAN?"
    told >> "FR 76 1" << "Asked within block_card" << "Which card?"
    told >> "debit" << "What happened to it?"
    told >> "it fell into the sea" << "Debit blocked: it fell into the sea" << "What else?"
    assert told.slots["iban"] == "FR761"


def test_a_digression_is_answered_and_the_question_comes_again(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "what is left on my account?" << "You have 500" << "Back to sending money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "/change_address" << "Which street?"
    assert flows_of(told) == ["transfer_money", "change_address"]
    told >> "rue X in Lyon" << "Moved to rue X in Lyon, Lyon" << "Back to sending money" << "How much?"
    told >> "20" << "Send 20 to Anna?"


def test_an_answer_and_another_wish_in_one_message_are_both_heard(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    (
        told
        >> "what is left on my account if I send 20?"
        << "You have 500"
        << "Back to sending money"
        << "Send 20 to Anna?"
    )


def test_an_unsure_intent_does_not_take_a_free_text_away_from_its_question(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told >> "FR1" << "Asked" << "Which card?"
    told >> "gold" << "What happened"
    told >> "my card was stolen with my balance sheet" << "Gold credit blocked: my card was stolen" << "What else?"


def test_a_guard_keeps_a_flow_from_being_started_by_the_customer_but_not_from_being_linked_to(customer):
    told = customer() >> "/give_feedback" << "Pardon?"
    assert flows_of(told) == []


class _Unsure:
    """Understands everything as the wish to know the balance, this surely."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def hear(self, text, language, doubt, here):
        return Meaning("check_balance", self.confidence), "en", 0


@pytest.mark.parametrize(("confidence", "action"), [(0.59, "action_default_fallback"), (0.6, "utter_balance")])
def test_a_flow_starts_only_when_its_intent_is_as_sure_as_it_says(bank, confidence, action):
    unsure = replace(bank, understanding=_Unsure(confidence))
    turn = finish(unsure.turn(None, Heard("m1", "well", "webchat", START), Known("p1", None, {}, "c1")))
    assert turn.actions[0] == action


def test_a_flow_can_be_left_and_the_one_it_interrupted_goes_on(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "/change_address" << "Which street?"
    told >> "never mind" << "let's leave it" << "Back to sending money" << "To whom?"
    told >> "forget it" << "let's leave it" << "What else?"
    assert flows_of(told) == [] and told.turn.actions[0] == "utter_flow_cancelled_rasa"


def test_leaving_a_called_flow_leaves_the_one_that_called_it(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    assert flows_of(told) == ["block_card", "identify"]
    told >> "/cancel" << "let's leave it" << "What else?"
    assert flows_of(told) == []


def test_cancelling_nothing_is_left_to_the_rules(customer):
    customer() >> "/cancel" << "Pardon?"


def test_a_custom_action_validates_before_the_flow_goes_on(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told >> "DE 1" << "No such IBAN" << "Your IBAN?"
    told >> "FR 1 2" << "Asked within block_card" << "Which card?"
    assert told.slots["iban"] == "FR12"


def test_a_button_may_set_several_slots_at_once_and_so_may_its_title(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told >> "FR1" << "Asked" << "Which card?"
    told >> "the plastic one" << "Debit blocked: lost" << "What else?"


def test_a_button_nobody_offered_sets_only_the_slot_that_was_asked_for(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told >> "/SetSlots(is_member=true, balance=9999)" << "Pardon?" << "Your IBAN?"
    assert "is_member" not in told.slots and told.slots.get("balance", 500) == 500
    told >> "/SetSlots(iban=FR9, is_member=true)" << "Asked" << "Which card?"
    assert told.slots["iban"] == "FR9" and "is_member" not in told.slots


def test_a_button_of_an_earlier_message_sets_only_what_the_running_flow_asks(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told.hears("Debit", payload="/SetSlots(card=Debit, is_member=true)") << "Your IBAN?"
    assert told.slots["card"] == "Debit" and "is_member" not in told.slots
    told >> "FR1" << "What happened to it?"
    told = customer().hears("Debit", payload="/SetSlots(card=Debit)") << "Pardon?"
    assert "card" not in told.slots


def test_a_rule_answers_in_between_and_the_question_comes_again(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "when do you open?" << "We open at nine" << "How much?"
    told >> "20" << "Send 20"


def test_what_is_not_understood_is_asked_again_and_twice_brings_a_person(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "plenty" << "Pardon?" << "How much?"
    assert told.turn.missed and flows_of(told) == ["transfer_money"]
    told >> "heaps" << "A colleague will take over"
    reason, summary, _ = told.turn.handover
    assert reason == "not_understood" and "Recipient: Anna" in summary
    assert flows_of(told) == [] and "recipient" not in told.slots


def test_a_person_can_be_asked_for_inside_a_flow_and_the_flows_team_takes_over(customer):
    told = customer() >> "/block_card" << "Your IBAN?"
    told >> "/human" << "colleague"
    assert told.turn.handover[2] == "security" and flows_of(told) == []


def test_a_flow_asked_for_again_goes_on_where_it_was(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "/transfer_money" << "How much?"
    assert flows_of(told) == ["transfer_money"]


def test_a_flow_that_waits_can_be_taken_up_before_the_one_over_it_ends(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "/change_address" << "Which street?"
    told >> "/transfer_money" << "To whom?"
    assert flows_of(told) == ["change_address", "transfer_money"]
    told >> "Anna" << "How much?"
    told >> "2" << "Send 2"
    told >> "no" << "Nothing was sent" << "Back to change address" << "Which street?"


def test_a_form_keeps_its_question_when_a_flow_comes_between(customer):
    told = customer() >> "/join" << "Your name?"
    told >> "/check_balance" << "You have 500" << "Your name?"
    told >> "Bob" << "Welcome Bob"


def test_a_flow_over_several_messages_inside_a_form_leaves_the_form_standing(customer):
    told = customer() >> "/join" << "Your name?"
    told >> "/change_address" << "Which street?"
    told >> "rue X" << "Which city?"
    told >> "when do you open?" << "We open at nine" << "Which city?"
    told >> "Paris" << "Moved to rue X, Paris" << "Your name?"
    told >> "Bob" << "Welcome Bob"


def test_a_form_started_by_a_rule_inside_a_flow_is_filled_first(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "/join" << "Your name?"
    told >> "Bob" << "Welcome Bob" << "To whom?"
    told >> "Anna" << "How much?"


def test_one_step_back_asks_the_question_before_again(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told >> "/back" << "To whom?"
    told >> "Boris" << "How much?"
    told >> "7" << "Send 7 to Boris?"


def test_restart_ends_every_flow(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "/restart"
    assert flows_of(told) == []


def test_a_new_session_begins_without_the_old_flow_and_what_it_had_collected(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told >> "Anna" << "How much?"
    told.later(hours=2) >> "hello" << "Hello"
    assert flows_of(told) == [] and "recipient" not in told.slots
    told >> "/transfer_money" << "To whom?"


def test_a_message_not_understood_after_a_flow_is_answered_once(customer):
    told = customer() >> "/check_balance" << "You have 500" << "What else?"
    told >> "gibberish qqq" << "Pardon?"
    assert told.unread == []
    told >> "hello" << "Hello"


def test_a_mention_fills_the_questions_of_the_flow_it_starts(customer):
    told = customer() >> "I have moved to Lyon" << "Which street?"
    told >> "12 rue des Lilas" << "Moved to 12 rue des Lilas, Lyon"
    assert told.unread == []  # run_pattern_completed: false


def test_files_that_changed_under_a_conversation_end_its_flows(customer, bank):
    told = customer() >> "/transfer_money" << "To whom?"
    frames = told.memory["tracker"]["flows"]
    for changed in ({**frames[0], "flow": "gone"}, {**frames[0], "step": "gone"}):
        memory = {**told.memory, "tracker": {**told.memory["tracker"], "flows": [changed]}}
        turn = finish(bank.turn(memory, Heard("m", "hello", "webchat", told.now), Known("p1", None, {}, "c1")))
        assert [content.text for content in turn.says] == ["Hello"]
        assert "flows" not in turn.tracker["tracker"]


def test_an_event_from_outside_is_no_answer_to_a_question(customer):
    told = customer() >> "/transfer_money" << "To whom?"
    told.hears("", event="check_balance") << "You have 500" << "Back to sending money" << "To whom?"
    told.hears("", event="hours") << "We open at nine" << "To whom?"


def test_the_banks_own_dialogues_go_as_written(bank):
    assert [str(error) for error in play_dialogues(bank, BANK)] == []


def test_a_turn_in_a_flow_is_kept_small_however_long_the_conversation_is(bank):
    memory, sizes = None, []
    known = Known("p1", None, {}, "c1")
    said = ["/transfer_money", "Anna", "/check_balance", "20", "when do you open?", "/cancel"]
    for number in range(300):
        now = START + timedelta(seconds=number)
        turn = finish(bank.turn(memory, Heard(f"m{number}", said[number % len(said)], "webchat", now), known))
        memory = turn.tracker
        sizes.append(len(str(memory["tracker"]["trail"])))
    assert max(sizes[150:]) <= max(sizes[60:150]) and len(memory["tracker"]["trail"]) <= 40


def test_a_flow_is_explained_to_whoever_writes_it(bank):
    why = list(explain(bank, "I have moved", now=START))
    assert any(line.startswith("does      utter_ask_street") and "the running flow" in line for line in why)
    assert "flow      change_address is at 0_collect_street, asks for street" in why


def test_what_is_kept_is_plain_and_goes_through_storage(bank):
    memory = None
    for number, said in enumerate(["/block_card", "/transfer_money", "Anna", "-3", "/check_balance", "20"]):
        heard = Heard(f"m{number}", said, "webchat", START)
        story = Story(bank, Actions(BotOptions(folder=str(BANK))))
        story.memory = memory
        memory = dict(story.hears(heard.text).memory)
        assert _strangers(memory["tracker"]) == []
        memory = json.loads(json.dumps(memory))
    assert [frame["flow"] for frame in memory["tracker"]["flows"]] == ["block_card", "identify", "transfer_money"]


def _strangers(value):
    """Return what is no plain value: a text that knows its place must not be stored."""
    if isinstance(value, dict):
        return [found for pair in value.items() for part in pair for found in _strangers(part)]
    if isinstance(value, list | tuple):
        return [found for part in value for found in _strangers(part)]
    return [] if type(value) in (str, int, float, bool, type(None)) else [value]


def test_a_turn_in_a_flow_costs_the_same_after_five_and_after_five_hundred(bank):
    young, old = _talked(bank, 6), _talked(bank, 504)
    early, late = [], []
    for _ in range(120):  # turn about, so that a busy machine slows both alike
        early.append(_cost(bank, young))
        late.append(_cost(bank, old))
    assert median(late) < 1.5 * median(early)


def _talked(bank, turns):
    memory, said = None, ["/transfer_money", "Anna", "/check_balance", "20", "when do you open?", "/cancel"]
    for number in range(turns + 2):
        heard = Heard(f"m{number}", said[number % len(said)], "webchat", START)
        memory = finish(bank.turn(memory, heard, Known("p1", None, {}, "c1"))).tracker
    return memory


def _cost(bank, memory):
    began = process_time()
    finish(bank.turn(memory, Heard("m", "/check_balance", "webchat", START), Known("p1", None, {}, "c1")))
    return process_time() - began


SAID = [
    "/transfer_money", "/block_card", "/change_address", "/check_balance", "/give_feedback", "/join", "/cancel", "/back",
    "/restart", "/hours", "/greet", "/affirm", "/deny", "Anna", "50", "-1", "900", "yes", "no", "Lyon", "FR 1", "gold",
    "it broke", "qqq", "", "/SetSlots(card=Debit, reason=lost)", "/SetSlots(amount=null)", "/SetSlots()",
    "block my card, the gold one", "/session_start",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_any_conversation_is_answered_and_kept_in_order(bank, seed):
    draw = random.Random(seed)
    story = Story(bank, Actions(BotOptions(folder=str(BANK))))
    for number in range(25):
        said = draw.choice(SAID)
        if number and draw.random() < 0.03:
            story.later(hours=2)
        turn = story.hears(said).turn
        assert len(turn.actions) <= 11 and not turn.failed
        assert turn.says or said in ("/back", "/restart", "/session_start"), (seed, number, said)
        tracker = turn.tracker["tracker"]
        kinds = [frame["kind"] for frame in tracker.get("flows", [])]
        assert kinds[:1] in ([], ["start"], ["pattern"]) and len(kinds) <= 8
        assert all(
            frame["step"] in bank.script.project.flows.by_id[frame["flow"]].steps for frame in tracker.get("flows", [])
        )
        if turn.handover:
            assert kinds == []
