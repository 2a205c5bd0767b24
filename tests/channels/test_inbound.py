"""The front door over the real database: whose message, which answer, what STOP does, what comes twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.banning import ban
from channels.channel import Edited, Identified, Inbound, Limits, Reachable, Read, Receipt
from channels.floods import MOST_A_MINUTE, Floods
from channels.inbound import FrontDoor
from channels.obey import has_refused
from profiles.answer import Answer
from profiles.conversation import Conversation, take
from profiles.indexes import INDEXES
from profiles.ledger import Ledger, ledger_of, mark
from profiles.profile import Profile
from profiles.record import from_document, replace
from profiles.snapshot import Changes, Done, Duplicate, Outcome, Snapshot, Work
from profiles.store import Store, Unavailable, Unstorable
from profiles.timeline import BOT, Button, Content, Event, Message
from profiles.writer import Writer
from tests.waiting import until

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHAT = Limits(buttons=10, keywords=("stop", "start"), stop_bans=False)


def parrot(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Answer with what was said, and offer two buttons."""
    buttons = (Button("Hours", "/hours"), Button("A person", "/human"))
    return Answer(
        profile, conversation, (Content(f"You said {message.content.payload or message.content.text}", buttons),)
    )


class House:
    """A front door, and eyes on what it left behind."""

    def __init__(self, store: Store) -> None:
        self.now, self.seconds = NOON, 0.0
        self.store, self.writer = store, Writer(store, process="here", clock=lambda: self.now)
        limits = {"sms": Limits(keywords=("stop", "start", "help")), "webchat": CHAT, "telegram": CHAT}
        self.door = FrontDoor(
            self.writer, store, answer=parrot, limits=limits, language="en",
            page=lambda profile, now: f"https://shop.example/p/{profile}", floods=Floods(lambda: self.seconds),
        )  # fmt: skip

    async def says(self, text: str, id: str = "1", address: str = "+33612345678", channel: str = "sms") -> object:
        return await self.door.receive(Inbound(channel, address, id, Content(text)))

    async def conversation(self, id: str = "sms:+33612345678") -> Conversation:
        document = await self.store.get("conversations", id)
        assert document
        return from_document(Conversation, document)

    async def texts(self, id: str = "sms:+33612345678") -> list[str]:
        found = await self.store.find("messages", {"conversation": id}, sort=[("seq", 1)])
        return [document["content"]["text"] for document in found]

    async def ledger(self, profile: str) -> Ledger:
        return ledger_of(profile, await self.store.get("ledgers", profile))

    async def profiles(self) -> list[Profile]:
        return [from_document(Profile, document) for document in await self.store.find("profiles", {})]


@pytest.fixture
async def house(mongo_url: str, database_name: str) -> AsyncIterator[House]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield House(store)
    await store.close()


async def test_a_first_message_makes_a_profile_a_conversation_and_an_answer(house: House) -> None:
    assert isinstance(await house.says("hello"), Done)

    (anna,) = await house.profiles()
    assert [identity.key for identity in anna.identities] == ["sms:+33612345678"]
    assert anna.last_inbound_at == NOON
    assert await house.texts() == ["hello", "You said hello"]
    assert (await house.conversation()).seq == 2


async def test_a_profile_knows_to_the_minute_when_they_last_wrote_and_the_conversation_exactly(house: House) -> None:
    """Who writes on is not stored with their profile each time: that was a fifth of what a message costs."""
    seen = []
    for seconds in (0, 59, 60, 3_600, 3_590):  # at last, the clock was set back
        house.now = NOON + timedelta(seconds=seconds)
        await house.says("hello", id=str(seconds))
        await until(lambda: not house.door._following)  # it would share the next one's commit, and give it its hour
        (anna,) = await house.profiles()
        assert (await house.conversation()).last_inbound_at == house.now
        seen.append((anna.last_inbound_at, anna.version))
    minute, hour, back = (NOON + timedelta(seconds=seconds) for seconds in (60, 3_600, 3_590))
    assert seen == [(NOON, 1), (NOON, 1), (minute, 2), (hour, 3), (back, 4)]


async def test_who_writes_on_another_channel_within_the_minute_is_known_to_be_there(house: House) -> None:
    await house.says("hello")
    await house.door.receive(Inbound("whatsapp", "+33612345678", "w1", Content("here"), space="sms"))
    (anna,) = await house.profiles()
    assert (anna.last_channel, anna.last_inbound_at) == ("whatsapp", NOON)


@pytest.mark.parametrize("verified", [True, False])
async def test_an_address_is_proved_only_where_its_provider_vouches_for_it(house: House, verified: bool) -> None:
    await house.door.receive(Inbound("sms", "+33612345678", "1", Content("hello"), verified=verified))
    (anna,) = await house.profiles()
    assert (anna.identities[0].verified_at == NOON) is verified


async def test_the_same_message_twice_is_stored_and_answered_once(house: House) -> None:
    await house.says("hello", id="7")
    assert isinstance(await house.says("hello", id="7"), Duplicate)
    assert await house.texts() == ["hello", "You said hello"]


async def test_what_an_agent_owns_the_bot_leaves_alone(house: House) -> None:
    await house.says("hello", id="1")

    def think(snapshot: Snapshot) -> Changes:
        return Changes(conversations=(take(snapshot.conversations["sms:+33612345678"], "claire"),))

    await house.writer.commit(Work(think, conversations=("sms:+33612345678",)))
    await house.says("are you there?", id="2")

    assert (await house.texts())[-1] == "are you there?"
    conversation = await house.conversation()
    assert (conversation.unread, conversation.waiting_since) == (1, NOON)


async def test_a_stop_that_the_provider_confirmed_is_not_confirmed_again(house: House) -> None:
    told = {"answered_by_provider": True}
    await house.door.receive(Inbound("sms", "+33612345678", "1", Content("STOP"), metadata=told))
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression
    assert await house.texts() == ["STOP"]


async def test_a_stop_of_who_was_merged_away_since_is_remembered(house: House) -> None:
    await house.store.insert("identities", {"_id": "webchat:v1", "profile": "old"})
    await house.store.insert("ledgers", {"_id": "old", "into": "new"})
    await house.store.insert("ledgers", {"_id": "new", "on": {"webchat:*": False}})
    assert await has_refused(house.store, Content("START"), "webchat:v1", CHAT)


async def test_stop_suppresses_confirms_once_and_silences_the_bot(house: House) -> None:
    await house.says("Arrêt.", id="1")
    await house.says("STOP", id="2")
    await house.says("what do you sell?", id="3")

    (anna,) = await house.profiles()
    assert anna.identities[0].suppression is not None
    texts = await house.texts()
    assert len([text for text in texts if "START" in text]) == 1
    assert texts[-1] == "what do you sell?"
    proofs = await house.store.find("events", {"name": "consent.withdrawn"})
    assert [proof["properties"]["wording"] for proof in proofs] == ["Arrêt.", "STOP"]


async def test_start_after_stop_is_welcomed_and_answered_again(house: House) -> None:
    await house.says("STOP", id="1")
    await house.says("START", id="2")
    await house.says("hours?", id="3")
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression is None
    assert (await house.texts())[-1] == "You said hours?"


async def test_stop_bans_the_address_in_the_ledger_and_start_lifts_it(house: House) -> None:
    await house.says("STOP", id="1")
    (anna,) = await house.profiles()
    assert (await house.ledger(anna.id)).banned == {mark("sms:+33612345678")}
    await house.says("START", id="2")
    assert (await house.ledger(anna.id)).banned == frozenset()


async def test_whoever_writes_again_after_a_dead_address_is_no_longer_banned_in_the_ledger(house: House) -> None:
    await house.says("hello", id="1")
    (anna,) = await house.profiles()
    await house.writer.commit(ban("sms:+33612345678", "dead 30006"))
    assert (await house.ledger(anna.id)).banned
    await house.says("here I am", id="2")
    assert (await house.ledger(anna.id)).banned == frozenset()


async def test_stop_by_sms_is_proved_and_start_takes_it_back(house: House) -> None:
    await house.says("Arrêt", id="1")
    (anna,) = await house.profiles()
    assert (await house.ledger(anna.id)).on == {"sms:*": False}
    await house.says("START", id="2")
    assert (await house.ledger(anna.id)).on == {}
    proofs = await house.store.find("consents", {"profile": anna.id}, sort=[("change", -1)])
    assert [(proof["change"], proof["channel"], proof["wording"]) for proof in proofs] == [
        ("withdrawn", "sms", "Arrêt"),
        ("restored", "sms", "START"),
    ]


async def chats(house: House, *texts: str, channel: str = "telegram") -> list[str]:
    """Say these one after the other on a channel where a bot talks; return what we said."""
    for number, text in enumerate(texts):
        await house.says(text, id=str(number), channel=channel, address="v1")
    found = await house.store.find(
        "messages", {"conversation": f"{channel}:v1", "direction": "outbound"}, sort=[("seq", 1)]
    )
    return [document["content"]["text"] for document in found]


@pytest.mark.parametrize("channel", ["telegram", "webchat"])
@pytest.mark.parametrize("text", ["STOP", "Arrêt.", "stop !", "/stop", "me désabonner"])
async def test_stop_where_a_bot_talks_ends_what_rules_write_there_and_no_more(
    house: House, channel: str, text: str
) -> None:
    said = await chats(house, text, "are you there?", channel=channel)
    assert said[1:] == ["You said are you there?"]
    (visitor,) = await house.profiles()
    assert visitor.identities[0].suppression is None
    assert (await house.ledger(visitor.id)).on == {f"{channel}:*": False}
    (reply,) = await house.store.find("messages", {"metadata.lawful": "stop"})
    assert reply["content"]["buttons"] == [{"title": "Choose in detail", "url": f"https://shop.example/p/{visitor.id}"}]


async def test_stop_said_twice_is_confirmed_once(house: House) -> None:
    assert len(await chats(house, "stop", "STOP")) == 1
    assert len(await house.store.find("consents", {"change": "withdrawn"})) == 2


async def test_stop_is_confirmed_in_their_language(house: House) -> None:
    inbound = Inbound("telegram", "v1", "1", Content("stop"), language="fr")
    await house.door.receive(inbound)
    assert "Vous pouvez toujours nous écrire" in (await house.texts("telegram:v1"))[-1]


async def test_start_after_stop_takes_it_back_and_is_confirmed(house: House) -> None:
    said = await chats(house, "stop", "START", "hours?")
    assert said[1].startswith("Welcome back") and said[2] == "You said hours?"
    (visitor,) = await house.profiles()
    assert (await house.ledger(visitor.id)).on == {}


@pytest.mark.parametrize("text", ["/start", "start", "START", "yes", "cancel", "end", "help", "info", "/help"])
async def test_what_people_say_to_a_bot_is_the_bots(house: House, text: str) -> None:
    assert await chats(house, text) == [f"You said {text}"]


@pytest.mark.parametrize("text", ["/start", "yes", "cancel"])
async def test_telegrams_own_start_brings_nothing_back(house: House, text: str) -> None:
    await chats(house, "stop", text)
    (visitor,) = await house.profiles()
    assert (await house.ledger(visitor.id)).on == {"telegram:*": False}


async def test_a_button_of_the_bots_that_is_called_stop_is_the_bots(house: House) -> None:
    await house.door.receive(Inbound("telegram", "v1", "1", Content("Stop", payload="/cancel_order")))
    assert (await house.texts("telegram:v1"))[-1] == "You said /cancel_order"


async def test_a_stop_to_a_person_of_the_team_holds_too(house: House) -> None:
    await house.says("hello", id="0", channel="telegram", address="v1")

    def think(snapshot: Snapshot) -> Changes:
        return Changes(conversations=(take(snapshot.conversations["telegram:v1"], "claire"),))

    await house.writer.commit(Work(think, conversations=("telegram:v1",)))
    await house.says("stop", id="9", channel="telegram", address="v1")
    (visitor,) = await house.profiles()
    assert (await house.ledger(visitor.id)).on == {"telegram:*": False}


async def test_what_the_bot_heard_as_a_no_holds_with_its_answer(house: House) -> None:
    def unsubscribes(snapshot: Snapshot, profile: Profile, thread: Conversation, message: Message) -> Answer:
        no = Event(f"{message.id}:e1", profile.id, "consent.withdrawn", NOON, thread.id, BOT, "bot",
                   {"topic": ["offers", "loyalty"]})  # fmt: skip
        return Answer(profile, thread, (Content("Done."),), events=(no,))

    door = FrontDoor(house.writer, house.store, answer=unsubscribes, limits={}, language="en")
    await door.receive(Inbound("webchat", "v1", "1", Content("no more advertising please")))
    (visitor,) = await house.profiles()
    assert (await house.ledger(visitor.id)).on == {"*:offers": False, "*:loyalty": False}


@pytest.mark.parametrize("typed", ["2", "a person", "A PERSON "])
async def test_a_typed_number_or_title_means_the_offered_button(house: House, typed: str) -> None:
    await house.says("hello", id="1")
    await house.says(typed, id="2")
    assert (await house.texts())[-1] == "You said /human"


async def test_a_pressed_button_is_not_taken_for_another_of_its_title(house: House) -> None:
    await house.says("hello", id="1")
    await house.door.receive(Inbound("sms", "+33612345678", "2", Content("a person", payload="/other")))
    assert (await house.texts())[-1] == "You said /other"


async def test_an_edit_replaces_the_text_and_remembers_the_old_one(house: House) -> None:
    await house.says("helo", id="1", channel="webchat", address="v1")
    later = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
    await house.door.receive(Edited("webchat", "v1", "1", Content("hello"), later))
    assert (await house.texts("webchat:v1"))[0] == "hello"
    (event,) = await house.store.find("events", {"name": "message.edited"})
    assert event["properties"]["before"] == "helo"


async def test_an_edit_of_another_persons_message_is_refused(house: House) -> None:
    await house.says("mine", id="1", channel="webchat", address="v1")
    await house.says("hello", id="2", channel="webchat", address="v2")
    await house.door.receive(Edited("webchat", "v2", "1", Content("stolen"), NOON))
    assert (await house.texts("webchat:v1"))[0] == "mine"


async def test_a_block_suppresses_and_a_return_lifts_it(house: House) -> None:
    await house.says("hello")
    await house.door.receive(Reachable("sms", "+33612345678", False, NOON))
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression and anna.identities[0].suppression.reason == "blocked"
    await house.door.receive(Reachable("sms", "+33612345678", True, NOON))
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression is None


async def test_read_marks_never_go_back_and_never_past_the_end(house: House) -> None:
    await house.says("hello", channel="webchat", address="v1")
    for seq in (2, 1, 900):
        await house.door.receive(Read("webchat", "v1", seq, NOON))
    assert (await house.conversation("webchat:v1")).customer_read_seq == 2


async def test_a_visitor_who_signs_in_and_the_sms_from_that_phone_are_one_profile(house: House) -> None:
    await house.says("bonjour", channel="webchat", address="v1")
    await house.door.receive(Identified("webchat", "v1", NOON, "anna", phone="+33 6 12 34 56 78", name="Anna"))
    await house.says("c'est encore moi", id="sms-1")
    people = [profile for profile in await house.profiles() if not profile.merged_into]
    assert len(people) == 1
    assert (await house.conversation()).profile == (await house.conversation("webchat:v1")).profile


async def test_text_that_is_not_unicode_is_kept_readable(house: House) -> None:
    assert isinstance(await house.says("nul \x00 and half \ud83d a pair"), Done)
    assert (await house.texts())[0] == "nul \ufffd and half \ufffd a pair"


async def test_whoever_writes_after_a_block_can_be_answered_again(house: House) -> None:
    await house.says("hello", id="1")
    await house.door.receive(Reachable("sms", "+33612345678", False, NOON))
    await house.says("I am back", id="2")
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression is None
    assert (await house.texts())[-1] == "You said I am back"


async def test_a_receipt_that_says_the_number_is_dead_suppresses_it(house: House) -> None:
    await house.says("hello")
    sent = {"$set": {"delivery.provider_id": "sms:p1", "delivery.state": "sent"}}
    await house.store.change("messages", {"direction": "outbound"}, sent)
    for state in ("failed", "delivered"):  # the second came late: it is not believed
        await house.door.receive(Receipt("sms", "p1", state, NOON, "dead 30006" if state == "failed" else None))
    (anna,) = await house.profiles()
    assert anna.identities[0].suppression and anna.identities[0].suppression.reason == "unreachable"
    (reply,) = await house.store.find("messages", {"direction": "outbound"})
    assert (reply["delivery"]["state"], reply["delivery"]["reason"]) == ("failed", "dead 30006")


async def test_receipts_in_the_wrong_order_never_go_back(house: House) -> None:
    await house.says("hello")
    await house.store.change("messages", {"direction": "outbound"}, {"$set": {"delivery.provider_id": "sms:p1"}})
    for state in ("read", "delivered", "sent", "read"):
        await house.door.receive(Receipt("sms", "p1", state, NOON))
    (reply,) = await house.store.find("messages", {"direction": "outbound"})
    assert reply["delivery"]["state"] == "read"
    assert "lease_until" not in reply["delivery"]


async def test_what_a_machine_wrote_is_kept_and_answered_by_nobody(house: House) -> None:
    await house.door.receive(Inbound("webchat", "a1", "1", Content("STOP"), answers="nobody"))
    assert await house.texts("webchat:a1") == ["STOP"]
    [machine] = await house.profiles()
    assert await house.ledger(machine.id) == Ledger(machine.id)
    assert machine.last_inbound_at is None


async def test_what_the_bot_may_not_answer_any_more_waits_for_people(house: House) -> None:
    await house.says("hello", id="1")
    await house.door.receive(Inbound("sms", "+33612345678", "2", Content("hello"), answers="people"))
    assert await house.texts() == ["hello", "You said hello", "hello"]
    conversation = await house.conversation()
    assert (conversation.owner, conversation.waiting_since) == ("queue", NOON)
    house.now += timedelta(hours=1)
    await house.door.receive(Inbound("sms", "+33612345678", "3", Content("hello?"), answers="people"))
    assert (await house.conversation()).handover == conversation.handover, "it waits already, and why is known"


def overflowing(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Remember a number that the database has no room for."""
    return Answer(profile, replace(conversation, bot={"slots": {"number": 10**30}}), (Content("Noted."),))


async def test_what_the_database_can_not_keep_of_the_bots_costs_no_message(house: House) -> None:
    house.door = FrontDoor(house.writer, house.store, answer=overflowing, limits={}, language="en")
    await house.says("1 000 000 000 000 000 000 000", id="1")
    assert await house.texts() == ["1 000 000 000 000 000 000 000"]
    assert ((await house.conversation()).owner, (await house.conversation()).bot) == ("queue", {})


async def test_a_message_that_the_database_can_not_keep_itself_is_refused(house: House) -> None:
    with pytest.raises(Unstorable):
        await house.door.receive(Inbound("sms", "+33612345678", "1", Content("hello"), metadata={"n": 10**30}))


async def test_what_a_provider_repeats_is_no_flood(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without the database, or an answer that was lost: each repetition is the same message."""
    for _ in range(MOST_A_MINUTE + 1):
        await house.says("hello")
    commit = house.writer.commit

    async def away(work: Work, **more: Any) -> Outcome:
        raise Unavailable("told to")

    monkeypatch.setattr(house.writer, "commit", away)
    for _ in range(MOST_A_MINUTE + 1):
        with pytest.raises(Unavailable):
            await house.says("there?", id="2")
    monkeypatch.setattr(house.writer, "commit", commit)
    await house.says("there?", id="2")
    assert await house.texts() == ["hello", "You said hello", "there?", "You said there?"]


async def test_who_writes_faster_than_anybody_can_is_kept_and_left_unanswered(house: House) -> None:
    """Two machines that answer each other would never end, and each of our answers by SMS costs."""
    for number in range(MOST_A_MINUTE + 20):
        await house.says(f"beep {number}", id=f"m{number}")
    said = await house.texts()
    assert [text for text in said if text.startswith("beep")] == [f"beep {n}" for n in range(MOST_A_MINUTE + 20)]
    assert said.count("You said beep 59") == 1 and "You said beep 60" not in said
    await house.says("hello", id="a", address="+33612345679")
    assert await house.texts("sms:+33612345679") == ["hello", "You said hello"]
    await house.says("STOP", id="stop")
    assert (await house.conversation()).seq == 2 * MOST_A_MINUTE + 20 + 2, "a STOP is obeyed and confirmed"
    house.seconds += 60
    await house.says("START", id="start")
    await house.says("hello", id="again")
    assert (await house.texts())[-1] == "You said hello"
