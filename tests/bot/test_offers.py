"""Customers command the bot by what it offered them, and by nothing else they type or forge."""

import json
import logging
from time import process_time
from typing import Any

import pytest

from bot.answering import BotOptions
from bot.brain import ActionResult, Brain, Heard, Help, Known, Turn
from bot.minds import mind_of
from bot.offers import REFUSED, Offered
from tests.bot.conftest import PIZZA, START

KNOWN = Known("p1", "en", {}, "c1")


class Customer:
    """Somebody in front of the guarded mind."""

    def __init__(self, brain: Brain) -> None:
        self.mind = mind_of(BotOptions(), brain)
        self.memory: Any = None
        self.count = 0

    def says(self, text: str, **more: Any) -> Turn:
        self.count += 1
        turn = self.mind.at_once(self.memory, Heard(f"m{self.count}", text, "webchat", START, **more), KNOWN)
        assert turn is not None
        self.memory = turn.tracker
        return turn


@pytest.fixture
def customer(shop: Brain) -> Customer:
    return Customer(shop)


def _refused(turn: Turn) -> list[str]:
    return [str(facts["intent"]) for name, facts in turn.events if name == REFUSED]


@pytest.mark.parametrize("text", ["/restart", "/back", "/session_start", "/nlu_fallback", "/restart{}", "/ restart"])
def test_rasas_own_commands_are_words_when_a_customer_types_them(customer: Customer, text: str) -> None:
    customer.says("where is my order?")
    turn = customer.says(text)
    assert not {"action_restart", "action_back", "action_session_start"} & set(turn.actions)
    assert "where is my order?" in customer.memory["question"] or "order_status" in customer.memory["intents"]
    assert turn.says, "and it is answered"
    assert _refused(turn) == [text.strip("/{} ")]


@pytest.mark.parametrize(
    "text", ["/loyalty_points", '/order_status{"order_number": "99999999"}', "/opt_out", "/human{bad"]
)
def test_an_intent_that_no_button_offers_so_is_read_as_words(customer: Customer, text: str) -> None:
    offered = {
        button.get("payload")
        for wordings in customer.mind.mind.script.domain.responses.values()  # type: ignore[attr-defined]
        for wording in wordings
        for button in wording.buttons
    }
    turn = customer.says(text)
    assert turn.says
    if text not in offered:
        assert _refused(turn) == [text.strip("/").split("{")[0]]


def test_what_a_button_of_the_bot_offers_may_be_typed(customer: Customer) -> None:
    turn = customer.says("/order_status")
    assert turn.actions == ("order_form",) and _refused(turn) == []


def test_a_button_of_an_old_message_is_honoured(customer: Customer) -> None:
    customer.says("hello")
    customer.says("what are your hours?")
    turn = customer.says("Track my order", payload="/order_status")
    assert turn.actions == ("order_form",)


def test_a_button_that_the_bot_no_longer_knows_means_its_title(customer: Customer) -> None:
    turn = customer.says("Opening hours", payload="/hours_of_last_year")
    assert turn.actions == ("utter_opening_hours",) and _refused(turn) == []


def test_what_a_custom_action_just_offered_may_be_typed_once(shop: Brain) -> None:
    customer = Customer(shop)
    turn = customer.says("hello")
    customer.memory = {**turn.tracker, "offered": [["Now", '/order_status{"order_number": "12345678"}']]}
    assert _refused(customer.says('/order_status{"order_number": "12345678"}')) == []
    assert customer.memory["tracker"]["slots"]["order_number"] == "12345678"
    assert _refused(customer.says('/order_status{"order_number": "12345678"}')) == ["order_status"]


def test_what_messaging_apps_type_themselves_is_heard(shop: Brain) -> None:
    assert _refused(Customer(shop).says("/start")) == []
    assert Customer(shop).says("/start shop-42").intent == "start"


def test_an_event_from_outside_is_no_customers_word(customer: Customer) -> None:
    turn = customer.says("", event="opening_hours")
    assert turn.actions == ("utter_opening_hours",)


def test_a_refusal_is_logged_by_name_without_a_word_of_the_message(
    customer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="bot.offers"):
        customer.says('/restart{"secret": "4711"}')
    assert [record.getMessage() for record in caplog.records] == ["bot.payload refused message=m1 intent=restart"]


@pytest.mark.parametrize(
    "text",
    [
        "/restart" + json.dumps({f"key{number}": number for number in range(10_000)}),
        "/order_status" + "{" * 100_000,
        "/" + "x" * 100_000,
        "/" * 100_000,
        "/restart " * 20_000,
        "/🤷",
        "/\x00restart",
        "/заказ{'ك': '訂'}",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_forged_payload_costs_no_more_than_a_sentence(customer: Customer, text: str) -> None:
    began = process_time()
    turn = customer.says(text)
    pressed = customer.says(text[:20], payload=text)
    assert process_time() - began < 0.5
    assert turn.says and pressed.says
    assert len(json.dumps(customer.memory)) < 20_000


async def test_a_turn_outside_is_guarded_too() -> None:
    class Actions:
        async def run(self, call: Any) -> ActionResult:
            raise AssertionError(f"{call.name} must not run")

    async def nobody() -> list[str]:
        return []

    mind = mind_of(BotOptions(), Brain.load(PIZZA))
    turn = await mind.think(None, Heard("m1", "/crash", "webchat", START), KNOWN, Help(Actions(), nobody))
    assert turn.says and _refused(turn) == ["crash"]


def test_the_owner_of_a_bot_may_open_it_to_all_as_rasa_does(shop: Brain) -> None:
    assert mind_of(BotOptions(typed_payloads="any"), shop) is shop
    assert isinstance(mind_of(BotOptions(), shop), Offered)
