"""A Rasa server as the brain, against a played one that has the real one's traps."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.answering import BotOptions
from bot.brain import Brain, Heard, Help, Known, Turn
from bot.breaker import Breaker
from bot.minds import mind_of
from bot.offers import Offered
from bot.rasa import Rasa
from bot.rasa_client import RasaClient, RasaUnwell, sender_of
from causerie.data_folder import free_port
from profiles.secret import Secret
from tests.peers.rasa_rest import PERSON, TOKEN, RasaRest, rasa_rest

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
CONVERSATION = "sms:+33612345678"


@pytest.fixture
async def peer() -> AsyncIterator[RasaRest]:
    async with rasa_rest() as peer:
        yield peer
        assert peer.mistakes == []


class Talking:
    """A customer in front of the mind; `agents` is what people said while they had the conversation."""

    def __init__(self, mind: Rasa) -> None:
        self.mind, self.agents = mind, list[str]()
        self.memory: Any = None
        self.count = 0

    async def says(self, text: str, **more: Any) -> Turn:
        self.count += 1
        heard = Heard(f"m{self.count}", text, "sms", NOW, **more)
        known = Known("p1", "en", {}, CONVERSATION)
        assert self.mind.at_once(self.memory, heard, known) is None, "never inside the commit"
        turn = await self.mind.think(self.memory, heard, known, Help(NotUsed(), self._agents))
        self.memory = turn.tracker
        return turn

    async def _agents(self) -> Sequence[str]:
        return self.agents


class NotUsed:
    async def run(self, call: Any) -> Any:
        raise AssertionError("Rasa runs the actions")


@pytest.fixture
async def talking(peer: RasaRest, shop: Brain) -> AsyncIterator[Talking]:
    now = [0.0]
    client = RasaClient(peer.url, Secret(TOKEN), 2.0)
    talking = Talking(Rasa(shop, client, Breaker(failures_to_open=2, open_seconds=30), seconds=lambda: now[0]))
    talking.now = now  # type: ignore[attr-defined]
    yield talking
    await talking.mind.close()


def _texts(turn: Turn) -> list[str]:
    return [content.text for content in turn.says]


async def test_an_answer_comes_back_with_its_buttons_and_what_was_understood(talking: Talking) -> None:
    turn = await talking.says("hello")
    assert _texts(turn) == ["Hello"] and turn.says[0].buttons[0].payload == "/human"
    assert (turn.intent, turn.confidence, turn.handover, turn.failed) == ("greet", 1.0, None, ())


async def test_an_image_is_a_message_of_its_own(talking: Talking) -> None:
    turn = await talking.says("goodbye")
    assert turn.says[1].attachments[0].remote == "https://shop.example/bye.png"


async def test_rasa_hears_channel_message_language_and_profile(talking: Talking, peer: RasaRest) -> None:
    await talking.says("Who", payload="hello", metadata={"page": "/shop"})
    (heard,) = peer.talk(CONVERSATION).heard
    assert (heard["message"], heard["input_channel"]) == ("hello", "sms")
    assert heard["metadata"] == {
        "page": "/shop", "message": "m1", "conversation": CONVERSATION, "profile": "p1", "language": "en", "channel": "sms",
    }  # fmt: skip


async def test_a_bot_that_pauses_hands_over(talking: Talking) -> None:
    turn = await talking.says("talk to a person")
    assert _texts(turn) == [PERSON] and turn.handover and turn.handover[0] == "action"
    assert "talk to a person" in turn.handover[1]


async def test_after_people_had_it_rasa_goes_on_and_knows_what_they_said(talking: Talking, peer: RasaRest) -> None:
    await talking.says("/human")
    talking.agents = ["Hello, Claire here.", "All done."]
    assert _texts(await talking.says("hello")) == ["Hello"]
    kinds = [(event["event"], event.get("text") or event.get("name")) for event in peer.talk(CONVERSATION).events]
    assert kinds == [
        ("bot", "Hello, Claire here."), ("bot", "All done."), ("resume", None), ("action", "action_listen"),
    ]  # fmt: skip


async def test_when_people_take_over_by_themselves_rasa_is_paused_and_wakes_on_return(
    talking: Talking, peer: RasaRest
) -> None:
    await talking.says("hello")
    await talking.mind.people_took(CONVERSATION)
    assert peer.talk(CONVERSATION).paused
    assert _texts(await talking.says("goodbye")) == ["Bye", ""]


async def test_an_empty_answer_is_an_alarm_a_line_and_a_handover(talking: Talking) -> None:
    turn = await talking.says("gibberish")
    assert "A colleague will take over" in turn.says[0].text
    assert turn.handover and turn.failed == ("rasa: said nothing",)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (500, "answered 500"),
        (302, "answered 302"),
        (b"<html>", "answered no JSON"),
        (b"\xff\xfe\x00", "answered no JSON"),
        (b"[" * 200_000, "answered no JSON"),
        (b'{"text": "hi"}', "answered no list of messages"),
        (b"[1]", "answered no list of messages"),
        (b" " * 3_000_000, "answered more than 2,000,000 bytes"),
    ],
)
async def test_whatever_goes_wrong_the_customer_hears_a_line_and_gets_people(
    talking: Talking, peer: RasaRest, fault: Any, reason: str
) -> None:
    peer.faults = [fault]
    turn = await talking.says("hello")
    assert turn.failed == (f"rasa: {reason}",) and turn.handover and turn.says
    assert _texts(await talking.says("hello")) == ["Hello"]


async def test_a_rasa_that_hangs_is_given_up_in_time(peer: RasaRest, shop: Brain) -> None:
    talking = Talking(Rasa(shop, RasaClient(peer.url, Secret(TOKEN), 0.2), Breaker()))
    peer.faults = ["hang"]
    assert (await talking.says("hello")).failed == ("rasa: took longer than 0.2 s",)
    await talking.mind.close()


async def test_a_rasa_that_is_not_there_is_out_of_reach(shop: Brain) -> None:
    talking = Talking(Rasa(shop, RasaClient(f"http://127.0.0.1:{free_port()}", Secret(), 2.0), Breaker()))
    assert "out of reach" in (await talking.says("hello")).failed[0]
    await talking.mind.close()


async def test_after_failures_in_a_row_rasa_rests_and_one_message_later_looks(talking: Talking, peer: RasaRest) -> None:
    peer.faults = [500, 500]
    await talking.says("hello")
    await talking.says("hello")
    turn = await talking.says("hello")
    assert turn.failed == ("rasa: rests after failures",) and peer.talk(CONVERSATION).heard == []
    talking.now[0] = 31.0  # type: ignore[attr-defined]
    assert _texts(await talking.says("hello")) == ["Hello"]
    assert _texts(await talking.says("goodbye")) == ["Bye", ""]


async def test_odd_messages_are_made_storable_and_bounded(talking: Talking, peer: RasaRest) -> None:
    peer.faults = [
        b'[{"text": "lone \\ud800", "buttons": [7, {"title": 5}], "image": "javascript:x"}, {"custom": {"a": 1}}]'
    ]
    turn = await talking.says("hello")
    (content,) = turn.says
    assert content.text == "lone \ufffd" and [button.title for button in content.buttons] == ["5"]
    assert content.attachments == ()


async def test_without_the_api_it_still_answers(talking: Talking, peer: RasaRest) -> None:
    peer.has_api = False
    turn = await talking.says("hello")
    assert _texts(turn) == ["Hello"] and turn.intent is None
    await talking.mind.people_took(CONVERSATION)


async def test_a_wrong_token_is_named(peer: RasaRest) -> None:
    client = RasaClient(peer.url, Secret("wrong"), 2.0)
    with pytest.raises(RasaUnwell, match="answered 401"):
        await client.look(CONVERSATION)
    await client.close()


@pytest.mark.parametrize("conversation", ["webchat:a1", "sms:+33612345678", "user:anna@example.com"])
def test_a_plain_conversation_keeps_its_name(conversation: str) -> None:
    assert sender_of(conversation) == conversation


@pytest.mark.parametrize("conversation", ["a/b", "a b", "a%2Fb", "é", "../x", "x" * 300, "a?b#c", "\ud800"])
def test_a_name_that_a_path_can_not_hold_becomes_a_digest(conversation: str) -> None:
    assert sender_of(conversation).startswith("c-") and len(sender_of(conversation)) == 42
    assert sender_of(conversation) != sender_of(conversation + "1")


def test_the_configuration_says_who_answers(shop: Brain) -> None:
    assert _behind(BotOptions(), shop) is shop
    assert isinstance(_behind(BotOptions(brain="rasa", rasa_url="http://127.0.0.1:5005"), shop), Rasa)
    with pytest.raises(ValueError, match="rasa_url: expected http"):
        BotOptions(brain="rasa")


def _behind(options: BotOptions, shop: Brain) -> Any:
    """Return who answers behind the guard of typed payloads."""
    mind = mind_of(options, shop)
    assert isinstance(mind, Offered)
    return mind.mind


def test_a_turn_may_not_take_longer_than_others_wait_for_it() -> None:
    with pytest.raises(ValueError, match="rasa_seconds: expected at most 15"):
        BotOptions(rasa_seconds=20)
