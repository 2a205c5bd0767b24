"""The contract of a turn: pure, bounded, storable, the same for the same inputs."""

import json

import pytest

from bot.brain import Heard, Known, finish
from tests.bot.conftest import START, Story

KNOWN = Known("p1", None, {}, "c1")


def _turn(brain, memory, text, id="m1", at=START, **more):
    return finish(brain.turn(memory, Heard(id, text, "webchat", at, **more), KNOWN))


def test_the_same_message_on_the_same_memory_comes_to_the_same_turn(shop):
    first = _turn(shop, None, "bonjour")
    assert all(_turn(shop, None, "bonjour") == first for _ in range(5))


def test_a_turn_leaves_the_memory_it_was_given_as_it_was(shop):
    memory = _turn(shop, None, "où est ma commande ?").tracker
    before = json.dumps(memory)
    _turn(shop, memory, "12345678", id="m2")
    assert json.dumps(memory) == before


def test_different_messages_get_different_wordings(shop):
    said = {_turn(shop, None, "bonjour", id=f"m{number}").says[0].text for number in range(20)}
    assert len(said) == 2


def test_memory_survives_storage(shop):
    told = Story(shop) >> "where is my order?" << "What is your order number"
    told.memory = json.loads(json.dumps(told.memory))
    told >> "12345678" << "order 12345678"


def test_memory_stays_small_however_long_the_conversation(shop):
    told = Story(shop)
    sizes = []
    for _ in range(100):
        for said in ("où est ma commande ?", "x" * 2000, "quels sont vos horaires ?", "12345678", "bonjour"):
            (told.hushed() >> said).hushed()
        sizes.append(len(json.dumps(told.memory)))
    assert max(sizes) < 30_000
    assert max(sizes[50:]) <= max(sizes[10:50]) + 200


def test_a_pressed_button_counts_as_its_payload(shop):
    told = Story(shop, language="en").hears("Track my order", payload="/order_status")
    told << "What is your order number"
    assert told.turn.confidence == 1.0


def test_typing_a_buttons_title_or_number_is_pressing_it(shop):
    told = (Story(shop) >> "hello").hushed()
    told >> "2" << "Monday to Saturday"
    told = (Story(shop) >> "hello").hushed()
    told >> "track my ORDER" << "order number"


def test_a_number_means_a_button_only_right_after_it_was_offered(shop):
    told = (Story(shop) >> "hello").hushed()
    told >> "what are your hours?" << "9 to 18"
    told >> "2"
    assert "9 to 18" not in told.unread[0]


def test_a_payload_fills_slots_by_its_entities(pizza):
    call = next(pizza.turn(None, Heard("m1", '/order{"size": "small"}', "webchat", START), KNOWN))
    assert call.name == "validate_pizza_form" and call.tracker["slots"]["size"] == "small"


@pytest.mark.parametrize(
    "payload",
    [
        '/order_status{"points": 99999}',
        '/order_status{"order_state": "delivered", "points": {"$gt": 0}}',
    ],
)
def test_a_payload_cannot_fill_what_only_the_profile_fills(shop, payload):
    told = Story(shop, language="en").hears("x", payload=payload)
    told << "What is your order number"
    assert "points" not in told.slots and "order_state" not in told.slots


@pytest.mark.parametrize("command", ["/start", "/start shop-42", "/start@the_shop_bot", "/help@bot please"])
def test_a_messaging_apps_command_is_an_intent(shop, command):
    assert (Story(shop) >> command).turn.intent in ("start", "help")


@pytest.mark.parametrize("text", ["/startle", "/ start", "/start{bad", "/start {bad json"])
def test_what_only_looks_like_a_command_is_read_as_words(shop, text):
    assert (Story(shop) >> text).turn.confidence < 1


def test_restart_forgets_what_was_said(shop):
    told = Story(shop, language="en") >> "where is my order?" << "What is your order number"
    told >> "/restart" << "start again"
    told >> "12345678"
    assert "order 12345678" not in " ".join(told.unread)


def test_a_session_ends_by_the_clock_and_the_form_with_it(shop):
    told = Story(shop, language="en") >> "where is my order?" << "What is your order number"
    told.later(minutes=61) >> "12345678"
    assert "order 12345678" not in " ".join(told.unread)


def test_a_session_does_not_end_before_its_time(shop):
    told = Story(shop, language="en") >> "where is my order?" << "What is your order number"
    told.later(minutes=59) >> "12345678" << "order 12345678"


def test_slots_are_carried_into_the_next_session(shop):
    told = Story(shop, language="en") >> "where is order 12345678?" << "order 12345678"
    (told.later(days=2) >> "hello").hushed()
    assert told.slots["order_number"] == "12345678"


def test_memory_of_another_bots_slots_and_forms_is_passed_over(shop):
    memory = {"tracker": {"slots": {"gone": 1}, "loop": "gone_form", "last": "action_gone", "trail": []}, "at": 0}
    assert _turn(shop, memory, "bonjour").says
