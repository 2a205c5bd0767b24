"""Custom actions that use the profile: through the whole server, from the widget to the database and back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import Actions
from bot.answering import BotOptions, heard, known, load_brain
from bot.brain import perform
from bot.office import Attended, Office
from bot.sdk import profile
from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import from_document
from profiles.timeline import Message
from tests.stories.town import Town, Visitor, town

CLUB = Path(__file__).parent / "club"


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port, BotOptions(folder=str(CLUB), typed_payloads="any")) as place:
        yield place


@pytest.fixture
async def visitor(here: Town) -> AsyncIterator[Visitor]:
    visitor = await Visitor(here.url, language="en").opens()
    yield visitor
    await visitor.leaves()


async def test_an_action_learns_tags_consents_and_notes(here: Town, visitor: Visitor) -> None:
    await visitor.says("/join")
    await visitor.hears("Welcome! refused: ['id']")
    (person,) = await here.store.find("profiles", {})
    known = {name: attribute["value"] for name, attribute in person["attributes"].items()}
    assert known == {"member_since": "2026-11-21", "points": 100, "tags": ["club", "new"]}
    (consent,) = await here.store.find("events", {"name": "consent.given"})
    assert consent["properties"]["topic"] == "club" and consent["properties"]["wording"] == "I want to join the club"
    (note,) = await here.store.find("messages", {"direction": "note"})
    assert note["content"]["text"] == "Joined by the bot." and note["author"] == "bot"
    assert "Joined" not in str(visitor.transcript), "a note is for agents alone"


async def test_what_an_action_learned_the_next_one_knows(here: Town, visitor: Visitor) -> None:
    await visitor.says("/join")
    await visitor.hears("Welcome!")
    await visitor.says("/points")
    await visitor.hears("You have 100 points")


async def test_an_action_on_a_thread_of_its_own_reaches_the_profile_too(here: Town, visitor: Visitor) -> None:
    await visitor.says("/join")
    await visitor.hears("Welcome!")
    await visitor.says("/leave")
    await visitor.hears("Bye: None ['webchat']")
    (person,) = await here.store.find("profiles", {})
    assert set(person["attributes"]) == {"points"}


async def test_an_action_hands_over_to_a_team_with_a_note_and_the_customer_is_told(
    here: Town, visitor: Visitor
) -> None:
    await visitor.says("/expert")
    await visitor.hears("colleague")
    (conversation,) = await here.store.find("conversations", {})
    assert (conversation["owner"], conversation["team"]) == ("queue", "saddles")
    (note,) = await here.store.find("messages", {"direction": "note"})
    assert note["content"]["text"] == "Wants the expert on saddles."


async def test_an_action_without_bounds_is_stopped_and_the_customer_hears_of_it(here: Town, visitor: Visitor) -> None:
    await visitor.says("/remember")
    await visitor.hears("something went wrong")
    (person,) = await here.store.find("profiles", {})
    assert len(person["attributes"]) == 20


async def test_the_same_turn_run_again_leaves_one_note_and_one_consent(here: Town, visitor: Visitor) -> None:
    """As after a crash between the action and the answer: the message is owed an answer again."""
    await visitor.says("/join")
    await visitor.hears("Welcome!")
    (conversation,) = await here.store.find("conversations", {})
    (message,) = await here.store.find("messages", {"direction": "inbound"})
    brain = load_brain(here.options.bot)
    office = Office(here.store, here.writer, conversation["_id"], message["_id"])
    person = from_document(Profile, (await here.store.find("profiles", {}))[0])
    again = Attended(Actions(here.options.bot), office)
    turn = await perform(
        brain,
        None,
        heard(from_document(Message, message)),
        known(person, from_document(Conversation, conversation)),
        again,
    )
    assert "Welcome!" in turn.says[0].text
    assert await here.store.count("messages", {"direction": "note"}) == 1
    assert await here.store.count("events", {"name": "consent.given"}) == 1


async def test_the_profile_is_out_of_reach_outside_an_action() -> None:
    with pytest.raises(RuntimeError, match="while an action runs"):
        profile(None)
