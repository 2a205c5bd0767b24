"""A person with a telephone and the whole server: buttons, edits, files, blocking us and coming back, as the records tell it."""

from collections.abc import AsyncIterator

import pytest

from admin import acts
from admin.agents import Agent
from profiles.calendar import utc_now
from profiles.snapshot import Done, Outcome, Refusal
from profiles.timeline import Attachment, Button, Content
from tests.stories.town import OnTelegram, Town, town
from tests.waiting import until

ENDED = ["sent", "failed", "suppressed", "unknown"]
THREAD = "telegram:5"
CLAIRE = Agent(id="claire", email="claire@example.com", name="Claire", role="agent", created_at=utc_now())


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port) as place:
        yield place


@pytest.fixture
async def anna(here: Town) -> OnTelegram:
    """Somebody who has said hello."""
    person = OnTelegram(here.telegram)
    await person.says("bonjour")
    await person.hears("Bonjour")
    return person


async def offer(here: Town, content: Content) -> Outcome:
    return await here.writer.commit(acts.reply(THREAD, content, CLAIRE, client_id=content.text[:9]))


async def reply(here: Town, content: Content) -> str:
    outcome = await offer(here, content)
    assert isinstance(outcome, Done)
    return outcome.changes.messages[0].id


async def state_of(here: Town, message: str) -> str:
    """Wait for the sending to end and return how."""
    found = await until(lambda: here.store.first("messages", {"_id": message, "delivery.state": {"$in": ENDED}}))
    return str(found["delivery"]["state"])


async def test_a_button_whose_payload_no_key_could_carry_is_understood(here: Town, anna: OnTelegram) -> None:
    payload = '/order_status{"order_number": "12345678", "because": "' + "x" * 80 + '"}'
    await reply(here, Content("Laquelle ?", buttons=(Button("La dernière", payload=payload), Button("Une autre"))))
    await anna.hears("Laquelle")
    await anna.presses("La dernière")
    pressed = await until(lambda: here.store.first("messages", {"conversation": THREAD, "content.payload": payload}))
    assert (pressed["content"]["text"], pressed["author"]) == ("La dernière", "customer")
    await until(lambda: here.telegram.answered)


async def test_a_changed_message_is_changed_in_the_records(here: Town, anna: OnTelegram) -> None:
    said = await here.telegram.says("quels sont vos horaire")
    await here.telegram.edits(said, "quels sont vos horaires ?")
    id = f"{THREAD}.{said['message']['message_id']}"
    changed = await until(lambda: here.store.first("messages", {"_id": id, "edited_at": {"$exists": True}}))
    assert changed["content"]["text"] == "quels sont vos horaires ?"


async def test_a_picture_is_kept_with_the_conversation_and_one_goes_back(here: Town, anna: OnTelegram) -> None:
    id = here.telegram.file(b"\xff\xd8\xff a picture", "photos/1.jpg")
    await here.telegram.says(
        photo=[{"file_id": id, "file_unique_id": "u", "file_size": 13}], caption="Il est arrivé cassé"
    )
    stored = await until(lambda: here.store.first("messages", {"content.attachments.remote": id}))
    assert stored["content"]["text"] == "Il est arrivé cassé"

    file = {
        "_id": "f1",
        "name": "bon.pdf",
        "mime": "application/pdf",
        "size": 5,
        "bytes": b"%PDF-",
        "conversation": THREAD,
    }
    await here.store.insert("files", file)
    await reply(here, Content("Le bon", attachments=(Attachment("file", "bon.pdf", "application/pdf", 5, file="f1"),)))
    await anna.hears("Le bon")
    assert here.telegram.said[-1].file == b"%PDF-"


async def test_who_blocks_the_bot_is_left_alone_until_they_come_back(here: Town, anna: OnTelegram) -> None:
    await here.telegram.blocks()
    await until(lambda: here.store.first("profiles", {"identities.suppression.reason": "blocked"}))
    assert await offer(here, Content("Encore là ?")) == Refusal("suppressed", "blocked")

    await here.telegram.blocks(status="member")
    await until(lambda: here.store.first("profiles", {"identities.suppression": {"$exists": False}}))
    assert await state_of(here, await reply(here, Content("De retour !"))) == "sent"
    assert [text for text in anna.heard if text in ("Encore là ?", "De retour !")] == ["De retour !"]


async def test_who_blocked_the_bot_unnoticed_is_known_by_the_first_refusal(here: Town, anna: OnTelegram) -> None:
    here.telegram.fail_for(5, "blocked")
    message = await reply(here, Content("Encore là ?"))
    assert await state_of(here, message) == "failed"
    await until(lambda: here.store.first("profiles", {"identities.suppression.reason": "blocked"}))


async def test_a_text_of_many_pages_arrives_whole_and_in_order(here: Town, anna: OnTelegram) -> None:
    pages = " ".join(f"mot{number}" for number in range(1500))
    assert await state_of(here, await reply(here, Content(pages))) == "sent"
    assert " ".join(anna.heard[1:]) == pages
