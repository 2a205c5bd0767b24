"""Whoever writes by two channels has one conversation with the bot."""

from datetime import timedelta

import pytest

from bot.answering import answerer
from bot.brain import Brain
from bot.together import memory_of, remember
from profiles.conversation import Conversation
from profiles.profile import Identity, Profile
from profiles.snapshot import Snapshot
from profiles.timeline import Content, Message
from tests.bot.conftest import START

WEB, SMS = "webchat:v1", "sms:+33612345678"


class Person:
    """Somebody with two channels, in front of the bot inside the commit."""

    def __init__(self, brain: Brain, *keys: str, one_conversation: bool = True) -> None:
        identities = tuple(Identity(*key.split(":"), added_at=START) for key in keys)
        self.profile = Profile("p1", START, identities, language="en")
        self.threads = {key: Conversation(key, "p1", key.split(":")[0], key.split(":")[1], START, key) for key in keys}
        self.answer = answerer(brain, one_conversation=one_conversation)
        self.now = START

    def says(self, key: str, text: str) -> str:
        """Write by this channel and return what the bot says there."""
        self.now += timedelta(seconds=30)
        thread = self.threads[key]
        message = Message(
            f"{key}:{self.now}", "p1", key, thread.channel, "inbound", "customer", Content(text), 1, self.now
        )
        answer = self.answer(Snapshot(self.now), self.profile, thread, message)
        self.profile, self.threads[key] = answer.profile, answer.conversation
        return " ".join(content.text for content in answer.says)


def test_a_form_begun_in_the_web_chat_ends_by_sms(shop: Brain) -> None:
    person = Person(shop, WEB, SMS)
    assert "order number" in person.says(WEB, "where is my order?")
    assert "12345678" in person.says(SMS, "12345678")
    assert "loop" not in person.profile.bot["tracker"]


def test_a_choice_offered_on_one_channel_is_understood_on_the_other(shop: Brain) -> None:
    person = Person(shop, WEB, SMS)
    person.says(WEB, "hello")
    assert "order number" in person.says(SMS, "1")


def test_going_back_goes_on_from_there(shop: Brain) -> None:
    person = Person(shop, WEB, SMS)
    person.says(WEB, "where is my order?")
    person.says(SMS, "what are your hours?")
    assert "12345678" in person.says(WEB, "12345678")


def test_the_owner_of_a_bot_may_keep_channels_apart(shop: Brain) -> None:
    person = Person(shop, WEB, SMS, one_conversation=False)
    person.says(WEB, "where is my order?")
    assert "12345678" not in person.says(SMS, "12345678") and person.profile.bot == {}


def test_of_who_has_one_channel_nothing_is_kept_beside(shop: Brain) -> None:
    person = Person(shop, WEB)
    person.says(WEB, "where is my order?")
    assert person.profile.bot == {}


def test_after_the_session_a_form_is_not_gone_on_with(shop: Brain) -> None:
    person = Person(shop, WEB, SMS)
    person.says(WEB, "where is my order?")
    person.now += timedelta(days=2)
    person.says(SMS, "hello")
    assert "loop" not in person.threads[SMS].bot["tracker"]


REMINDER = {"name": "r", "intent": "EXTERNAL_r", "entities": [], "at": 99.0, "dies": False}


def test_a_reminder_stays_with_the_thread_that_asked_for_it() -> None:
    two = (Identity("webchat", "v1", added_at=START), Identity("sms", "+33612345678", added_at=START))
    asked = {"at": 2.0, "tracker": {"slots": {"a": 1}, "reminders": [REMINDER]}, "due_at": 99.0}
    profile = remember(Profile("p1", START, two), Conversation(WEB, "p1", "webchat", "v1", START), asked)
    assert profile.bot == {"at": 2.0, "tracker": {"slots": {"a": 1}}}
    other = Conversation(SMS, "p1", "sms", "+33612345678", START, bot={"at": 1.0, "tracker": {"slots": {}}})
    assert memory_of(profile, other) == profile.bot
    own = Conversation(SMS, "p1", "sms", "x", START, bot={**asked, "at": 1.0})
    assert memory_of(profile, own) == {
        "at": 2.0,
        "tracker": {"slots": {"a": 1}, "reminders": [REMINDER]},
        "due_at": 99.0,
    }


@pytest.mark.parametrize("memory", [{}, {"at": 5.0}, {"at": 5.0, "language": "fr"}])
def test_the_thread_itself_counts_unless_another_is_newer(memory: dict[str, object]) -> None:
    profile = Profile("p1", START, bot={"at": 1.0, "tracker": {}})
    thread = Conversation(SMS, "p1", "sms", "x", START, bot=memory)
    assert memory_of(profile, thread) == (memory or profile.bot)
