"""What a model chose is believed only as far as it was offered, written by the customer, or held by a source."""

import pytest

from bot.llm_tools import Answered, Cite, Clarify, HandOver, Offer, Refused, Search, Understood, checked, tools
from bot.passages import Passage

PASSAGE = Passage(
    "kb/en/a.md#x", "en", "Delivery", "It costs €4.90. Mail help@shop.example or see https://shop.example/x."
)


@pytest.fixture
def offer(shop):
    return Offer(
        shop.script.domain, "where is order 12345678 for [email]?", "order_number", True, {PASSAGE.id: PASSAGE}
    )


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("understand", {"intent": "order_status"}, Understood("order_status", {})),
        (
            "understand",
            {"intent": "order_status", "values": {"order_number": "12345678"}},
            Understood("order_status", {"order_number": "12345678"}),
        ),
        ("answer", {"value": "12345678"}, Answered("12345678")),
        ("clarify", {"intents": ["faq", "help"]}, Clarify(("faq", "help"))),
        ("search_knowledge", {"query": "price"}, Search("price")),
        ("say", {"text": "It costs €4.90.", "sources": [PASSAGE.id]}, Cite("It costs €4.90.", (PASSAGE,))),
        ("hand_over", {}, HandOver()),
    ],
)
def test_a_choice_that_was_offered_is_a_command(offer, name, arguments, command):
    assert checked(name, arguments, offer) == command


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("understand", {"intent": "restart"}),
        ("understand", {"intent": "nlu_fallback"}),
        ("understand", {"intent": ["faq"]}),
        ("understand", {"intent": "order_status", "values": {"order_number": "87654321"}}),
        ("understand", {"intent": "order_status", "values": {"points": "1000"}}),
        ("understand", {"intent": "order_status", "values": "12345678"}),
        ("answer", {"value": "99999999"}),
        ("answer", {}),
        ("clarify", {"intents": ["faq"]}),
        ("clarify", {"intents": ["faq", "faq"]}),
        ("clarify", {"intents": "faq"}),
        ("search_knowledge", {"query": ""}),
        ("search_knowledge", {"query": "x" * 301}),
        ("say", {"text": "It costs €4.90.", "sources": []}),
        ("say", {"text": "It costs €4.90.", "sources": ["kb/made-up.md"]}),
        ("say", {"text": "It costs €3.90.", "sources": [PASSAGE.id]}),
        ("say", {"text": "See https://evil.example", "sources": [PASSAGE.id]}),
        ("say", {"text": "Write to me@evil.example", "sources": [PASSAGE.id]}),
        ("say", {"text": "x" * 701, "sources": [PASSAGE.id]}),
        ("drop_database", {}),
    ],
)
def test_a_choice_that_was_not_offered_is_refused(offer, name, arguments):
    with pytest.raises(Refused):
        checked(name, arguments, offer)


def test_nothing_can_be_said_or_answered_that_is_not_open(shop):
    closed = Offer(shop.script.domain, "hello", None, False, {})
    for name, arguments in (
        ("answer", {"value": "hello"}),
        ("say", {"text": "hi", "sources": [PASSAGE.id]}),
        ("search_knowledge", {"query": "x"}),
    ):
        with pytest.raises(Refused):
            checked(name, arguments, closed)
    offered = [tool["function"]["name"] for tool in tools(closed, (), "en")]
    assert offered == ["understand", "clarify", "hand_over"]


def test_internal_intents_are_not_shown(shop, offer):
    (understand, *_) = tools(offer, shop.script.project.training.examples, "en")
    named = understand["function"]["parameters"]["properties"]["intent"]["enum"]
    assert "order_status" in named and not {"restart", "nlu_fallback", "out_of_scope"} & set(named)
