"""Where the bot meets the server: what it hears of a stored message, what a turn comes to, what happens when it fails."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.answering import BotOptions, answerer, copy_of, folder_of, load_brain, own_folder
from bot.brain import Brain
from profiles.answer import Answer
from profiles.append import begin, heard
from profiles.profile import Profile
from profiles.snapshot import Snapshot
from profiles.timeline import Attachment, Card, Content, Place

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANNA = Profile("anna", NOON, language="en")


@pytest.fixture(scope="module")
def shop() -> Brain:
    return load_brain(BotOptions())


def says(brain: Brain, content: Content, profile: Profile = ANNA) -> Answer:
    conversation = begin("webchat:v", profile, channel="webchat", address="v", identity="webchat:v", now=NOON)
    conversation, message = heard(conversation, content, id="webchat:1", now=NOON)
    return answerer(brain)(Snapshot(NOON), profile, conversation, message)


@pytest.mark.parametrize("letter", ["ß", "İ", "ffi", "<b>", "i ", "1 000 "])
def test_a_mail_of_two_hundred_thousand_letters_holds_up_nobody(shop: Brain, letter: str) -> None:
    says(shop, Content("Bonjour"))
    began = time.process_time()
    says(shop, Content((letter * 200_000)[:200_000]))
    assert time.process_time() - began < 0.08


@pytest.mark.parametrize(
    "content",
    [
        Content(attachments=(Attachment("image", remote="x"),)),
        Content(attachments=(Attachment("audio", remote="x"),)),
        Content(place=Place(48.85, 2.35)),
        Content(card=Card("Boris", "+33600000002")),
    ],
)
def test_what_is_shown_without_words_is_received_and_a_person_is_offered(shop: Brain, content: Content) -> None:
    answer = says(shop, content)
    assert "it has arrived" in answer.says[0].text
    assert [button.payload for button in answer.says[0].buttons] == ["/human"]


def test_asking_for_a_person_hands_over_in_the_same_answer(shop: Brain) -> None:
    answer = says(shop, Content("I want to talk to a human"))
    assert answer.conversation.owner == "queue"
    assert answer.conversation.handover and answer.conversation.handover.reason == "asked"
    assert [event.name for event in answer.events] == ["conversation.handed_over"]


def test_the_language_of_the_words_becomes_that_of_the_profile(shop: Brain) -> None:
    answer = says(shop, Content("bonjour, quels sont vos horaires ?"), Profile("elif", NOON))
    assert answer.profile.language == answer.conversation.language == "fr"


def test_a_bot_that_fails_hands_over_and_loses_nothing(shop: Brain, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Brain, "turn", broken)
    answer = says(shop, Content("hello"))
    assert answer.conversation.owner == "queue"
    assert answer.says == ()


def test_a_changed_copy_is_served_where_the_own_folder_is_not_ours_to_change(tmp_path: Path) -> None:
    edits, mine = tmp_path / "bot", tmp_path / "mine"
    mine.mkdir()
    shipped, own = BotOptions(), BotOptions(folder=str(mine))
    assert folder_of(shipped, edits) == own_folder(shipped)
    for options in (shipped, own):
        copy = copy_of(options, edits)
        assert copy is not None
        copy.mkdir(parents=True)
    assert folder_of(shipped, edits) == edits / "shop"
    assert folder_of(own, edits) == mine, "a folder that may be written is changed itself"
    assert folder_of(shipped) == own_folder(shipped)
    assert copy_of(own, edits) != copy_of(BotOptions(folder=str(tmp_path / "other" / "mine")), edits)
