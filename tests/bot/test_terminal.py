"""Talking to the bot in a terminal."""

from bot.terminal import converse
from tests.bot.conftest import START


class _NoActions:
    async def run(self, call):
        raise AssertionError(call)


async def _talk(brain, *lines, **more):
    written = []
    await converse(brain, _NoActions(), lines, written.append, clock=lambda: START, **more)
    return written


async def test_a_conversation_with_numbered_buttons(shop):
    written = await _talk(shop, "hello", "1", "12345678")
    assert "  1. Track my order" in written
    assert any("What is your order number" in line for line in written)
    assert "order 12345678" in written[-2]


async def test_times_are_shown_when_asked_for(shop):
    written = await _talk(shop, "//time", "what are your hours?")
    assert "ms of CPU" in written[-1] and "opening_hours" in written[-1]


async def test_a_handover_shows_what_the_agent_will_read(shop):
    written = await _talk(shop, "what are your hours?", "talk to a human")
    assert any("[handed over: asked" in line for line in written)
    assert any("Asked about: Opening hours" in line for line in written)


async def test_what_is_learned_and_recorded_is_shown(shop):
    written = await _talk(shop, "hello, I am anna@example.fr", "unsubscribe me")
    assert "  [profile: email = anna@example.fr (declared)]" in written
    assert any("[event consent.withdrawn" in line for line in written)


async def test_a_new_conversation_and_the_end(shop):
    written = await _talk(shop, "where is my order?", "//new", "//state", "//quit", "hello")
    assert written[-1] == "null" and "A new conversation." in written
