"""What came back to a rule's message, told by receipts, read marks and replies; ordinary messages tell nothing."""

from datetime import timedelta

from profiles.append import begin, said
from profiles.conversation import Conversation
from profiles.reactions import MOST_FOLLOWED, READ, answered, reaction, read_to
from profiles.timeline import Content, Message
from tests.cast import NOON, anna


def thread(*sent: str, rule: bool = True) -> tuple[Conversation, list[Message]]:
    """Return Anna's thread on Telegram after these messages, a minute apart."""
    conversation = begin(
        "telegram:7001", anna(), channel="telegram", address="7001", identity="telegram:7001", now=NOON
    )
    messages = []
    for minute, id in enumerate(sent):
        metadata = {"rule": "cart", "step": "first"} if rule else {"action": "x"}
        conversation, message = said(
            conversation, Content(id), id=id, author="rule:cart" if rule else "bot",
            now=NOON + timedelta(minutes=minute), to="telegram:7001", metadata=metadata,
        )  # fmt: skip
        messages.append(message)
    return conversation, messages


def test_a_reply_answers_the_last_message_of_a_rule_and_once_only() -> None:
    conversation, _ = thread("m1", "m2")
    at = NOON + timedelta(hours=71)
    conversation, (event,) = answered(conversation, at, at)
    assert (event.name, event.profile, event.conversation) == ("message.answered", "anna", "telegram:7001")
    assert event.properties == {"message": "m2", "rule": "cart", "step": "first", "channel": "telegram"}
    assert answered(conversation, at, at) == (conversation, ())


def test_a_reply_after_three_days_answers_nothing() -> None:
    conversation, _ = thread("m1")
    late = NOON + timedelta(hours=72, seconds=1)
    assert answered(conversation, late, late)[1] == ()


def test_a_read_mark_tells_of_each_message_it_passes_once() -> None:
    conversation, _ = thread("m1", "m2", "m3")
    conversation, told = read_to(conversation, 2, NOON)
    assert [(event.name, event.properties["message"]) for event in told] == [(READ, "m1"), (READ, "m2")]
    assert read_to(conversation, 2, NOON) == (conversation, ())
    assert [event.properties["message"] for event in read_to(conversation, 3, NOON)[1]] == ["m3"]


def test_what_the_bot_says_is_not_followed() -> None:
    conversation, (message,) = thread("m1", rule=False)
    assert conversation.followed == ()
    assert read_to(conversation, 1, NOON) == (conversation, ())
    assert reaction(READ, message, NOON, id="e1") is None


def test_a_thread_follows_a_few_messages_and_only_for_as_long_as_they_can_be_answered() -> None:
    conversation, _ = thread(*(f"m{number}" for number in range(30)))
    assert [one.message for one in conversation.followed] == [f"m{number}" for number in range(30 - MOST_FOLLOWED, 30)]
    conversation, message = said(
        conversation, Content("x"), id="new", author="rule:cart", now=NOON + timedelta(days=5), to="telegram:7001",
        metadata={"rule": "cart"},
    )  # fmt: skip
    assert [one.message for one in conversation.followed] == ["new"]
    event = reaction(READ, message, NOON, id="e1")
    assert event and event.properties["channel"] == "telegram" and event.conversation == "telegram:7001"
