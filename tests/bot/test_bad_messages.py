"""Whatever a stranger sends, the bot answers or says it did not understand; it never breaks and stores only what can be."""

import json
import random
from time import process_time

import pytest

from bot.brain import Heard, Known, finish
from tests.bot.conftest import START

KNOWN = Known("p1", None, {}, "c1")

BAD = [
    "",
    " \n\t ",
    "\x00\x00\x00",
    "bonjour\x00 monde",
    "lone \ud800 surrogate \udfff",
    "🤷" * 500,
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "\u202e\u0634\u0643\u0631\u0627 \u05e9\u05dc\u05d5\u05dd",
    "a" * 1_000_000,
    "où est ma commande ? " * 50_000,
    "1" * 100_000,
    "/" * 10_000,
    "/restart",
    "/session_start",
    "/back",
    "/restart{}",
    "/order_status{bad json",
    '/order_status{"a": ' + "[" * 900 + "]" * 900 + "}",
    '/order_status{"order_number": ' + "9" * 400 + "}",
    '/order_status{"order_number": NaN, "x.y": 1, "$where": "1"}',
    '/order_status{"order_number": {"$gt": ""}}',
    "/order_status[]",
    "/nothing_like_it",
    "/admin{}",
    "{points} {order_number} {__class__}",
    "{{ 7 * 7 }} {% for x in y %}",
    "<img src=x onerror=alert(1)>",
    "' OR 1=1 --",
    "%s %n %(x)s",
]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:30]))
@pytest.mark.parametrize("before", [None, "où est ma commande ?", "je veux retourner un article"])
def test_a_bad_message_is_answered_and_leaves_a_storable_memory(shop, text, before):
    memory = finish(shop.turn(None, Heard("m0", before, "sms", START), KNOWN)).tracker if before else None
    for more in ({}, {"payload": text}):
        turn = finish(shop.turn(memory, Heard("m1", text, "sms", START, **more), KNOWN))
        assert turn.says or text == "/session_start"  # as in Rasa: a session begins without a word
        _assert_storable(turn.tracker)
        _assert_storable({"says": [content.text for content in turn.says], "learned": list(turn.learned)})


def _assert_storable(value):
    json.dumps(value, allow_nan=False).encode("utf-8")
    _walk(value)


def _walk(value):
    if isinstance(value, dict):
        for key, item in value.items():
            assert isinstance(key, str) and not key.startswith("$") and "." not in key and "\x00" not in key
            _walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _walk(item)
    elif isinstance(value, str):
        value.encode("utf-8")  # fails on a lone surrogate, as BSON does
        assert len(value) <= 1_000
    else:
        assert value is None or isinstance(value, bool | float) or -(2**63) <= value < 2**63


def test_a_megabyte_costs_no_more_than_a_page(shop):
    text = "où est ma commande numéro " * 40_000
    began = process_time()
    finish(shop.turn(None, Heard("m1", text, "sms", START), KNOWN))
    assert process_time() - began < 0.1


def test_random_conversations_never_break(shop):
    draw = random.Random(7)
    words = [example.text for example in shop.script.project.training.examples] + BAD[:8] + ["1", "12345678", "demain"]
    for number in range(30):
        memory = None
        for turn_number in range(25):
            text = draw.choice(words)
            turn = finish(shop.turn(memory, Heard(f"{number}:{turn_number}", text, "telegram", START), KNOWN))
            assert turn.says, text
            memory = turn.tracker
        _assert_storable(memory)
