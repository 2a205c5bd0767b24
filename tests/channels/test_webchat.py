"""The web chat's socket against the real front door and database: what is said is kept once, what is kept is seen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels.channel import Door, Inbound, Outbound, Sent
from channels.shedding import BACK_IN_SECONDS
from channels.webchat import Options, connect
from profiles.answer import nobody
from profiles.calendar import utc_now
from profiles.live import Feed
from profiles.secret import Secret
from profiles.timeline import Content
from tests.channels.webchat_shop import Shop, browse, open_shop, welcomed
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, origins=("https://shop.example",)) as running:
        yield running


# -- saying and hearing


async def test_a_visitor_says_hello_and_is_answered(shop: Shop) -> None:
    async with browse(shop, language="fr", page=f"{shop.url}/host?secret=1#x") as anna:
        await welcomed(anna)
        await anna.send(type="say", id="m0000001", text="Bonjour")
        assert await anna.messages_until("You said: Bonjour") == ["Bonjour", "You said: Bonjour"]
    kept = (await shop.said())[0]
    assert kept["content"]["text"] == "Bonjour"
    assert kept["metadata"]["page"] == f"{shop.url}/host", "query and fragment are nobody's business"


async def test_an_impatient_double_click_stores_one_message_and_both_are_acknowledged(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        for _ in range(2):
            await anna.send(type="say", id="m0000001", text="quiet twice")
        seqs = [(await anna.next("ack"))["seq"] for _ in range(2)]
    assert seqs == [1, 1]
    assert len(await shop.said()) == 1


async def test_a_message_typed_in_one_tab_appears_in_the_other(shop: Shop) -> None:
    async with browse(shop) as first:
        await welcomed(first)
        async with browse(shop, token=first.token) as second:
            assert (await welcomed(second))["address"] == first.address
            await first.says("quiet here", id="m0000001")
            frame = await second.next("message")
    assert (frame["id"], frame["text"], frame["author"]) == ("m0000001", "quiet here", "customer")


async def test_after_a_lost_connection_only_what_was_missed_comes(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.send(type="say", id="m0000001", text="one")
        await anna.messages_until("You said: one")
    await shop.agent_says(anna.conversation, "Are you still there?")
    async with browse(shop, token=anna.token, last_seq=2) as back:
        await welcomed(back)
        assert await back.messages_until("Are you still there?") == ["Are you still there?"]
        assert not [frame for frame in back.frames if frame["type"] == "history"]


async def test_a_browser_that_missed_more_than_a_replay_gets_the_last_page_and_asks_for_the_rest(shop: Shop) -> None:
    shop.answer = nobody
    await shop.restart()
    async with browse(shop) as anna:
        await welcomed(anna)
    for number in range(1, 5):
        async with browse(shop, token=anna.token) as more:
            await welcomed(more)
            await _say_many(shop, more.address, 60, start=number * 1000)
    async with browse(shop, token=anna.token, last_seq=1) as back:
        await welcomed(back)
        page = await back.next("history")
        assert (page["reset"], page["more"]) == (True, True)
        assert [m["seq"] for m in page["messages"]] == list(range(191, 241))
        await back.send(type="earlier", before=page["first"])
        earlier = await back.next("history")
    assert [m["seq"] for m in earlier["messages"]] == list(range(141, 191))
    assert earlier["reset"] is False


async def test_a_commit_that_this_process_never_heard_of_is_read_from_the_database(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("quiet one", id="m0000001")
        stop, shop.channel._stop_hearing = shop.channel._stop_hearing, lambda: None
        stop()  # another process commits this one
        await shop.agent_says(anna.conversation, "from elsewhere")
        shop.channel._stop_hearing = shop.channel._door.feed.hear(shop.channel._hear)
        await shop.agent_says(anna.conversation, "from here")
        texts = await anna.messages_until("from here")
    assert texts[-2:] == ["from elsewhere", "from here"]


async def test_a_server_restart_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("quiet before", id="m0000001")
        code, _ = await asyncio.gather(anna.closed(), shop.restart())
        assert code == 1012
    async with browse(shop, token=anna.token, last_seq=1) as back:
        await welcomed(back)
        assert (await back.says("quiet before", id="m0000001"))["seq"] == 1
        assert (await back.says("quiet after", id="m0000002"))["seq"] == 2
    assert [message["content"]["text"] for message in await shop.said()] == ["quiet before", "quiet after"]


async def test_a_database_that_is_away_asks_the_browser_to_say_it_again(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        shop.away = True
        await anna.send(type="say", id="m0000001", text="quiet")
        assert (await anna.next("retry"))["id"] == "m0000001"
        shop.away = False
        assert (await anna.says("quiet", id="m0000001"))["seq"] == 1
    assert len(await shop.said()) == 1


async def test_a_server_that_is_asked_too_much_tells_the_widget_when_to_say_it_again(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        shop.busy = True
        await anna.send(type="say", id="m0000001", text="quiet")
        wait = await anna.next("retry")
        assert (wait["id"], BACK_IN_SECONDS[0] <= wait["after"] <= BACK_IN_SECONDS[1]) == ("m0000001", True)
        shop.busy = False
        assert (await anna.says("quiet", id="m0000001"))["seq"] == 1


async def test_a_mistake_of_ours_closes_with_a_code_and_stores_nothing(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        shop.broken = True
        await anna.send(type="say", id="m0000001", text="quiet")
        assert await anna.closed() == 1011
    assert await shop.said() == []


async def test_private_notes_never_leave(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("quiet one", id="m0000001")
        await shop.agent_notes(anna.conversation, "looks like fraud")
        await shop.agent_says(anna.conversation, "Hello")
        assert "looks like fraud" not in await anna.messages_until("Hello")
    async with browse(shop, token=anna.token) as again:
        await welcomed(again)
        page = await again.next("history")
    assert [message["text"] for message in page["messages"]] == ["quiet one", "Hello"]


async def test_the_visitor_sees_who_writes_and_that_an_agent_has_seen_their_message(shop: Shop) -> None:
    await shop.store.insert("agents", {"_id": "lea", "name": "Léa Martin", "email": "lea@example.com"})
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("quiet one", id="m0000001")
        await shop.agent_takes(anna.conversation, unread=1)
        await shop.agent_takes(anna.conversation, unread=0)
        assert (await anna.next("seen"))["seq"] == 1
        shop.channel.typing(anna.conversation, "Léa")
        assert (await anna.next("typing"))["name"] == "Léa"
        await shop.agent_says(anna.conversation, "Hello")
        frame = await anna.next("message")
    assert (frame["author"], frame["name"]) == ("agent", "Léa Martin")


async def test_what_the_visitor_read_is_remembered(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.send(type="say", id="m0000001", text="hello")
        await anna.messages_until("You said: hello")
        await anna.send(type="read", seq=2)

        async def read() -> Any:
            found = await shop.store.get("conversations", anna.conversation)
            return found and found.get("customer_read_seq") == 2

        await until(read)
        await anna.send(type="read", seq=999_999)
        await anna.says("quiet", id="m0000002")
    async with browse(shop, token=anna.token) as again:
        assert (await welcomed(again))["read"] == 2, "nobody reads what was not yet said"


async def test_a_sent_message_is_delivered_when_a_page_is_open(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        outbound = Outbound("m", anna.address, Content("hi"), anna.conversation, 1)
        assert await shop.channel.send(outbound) == Sent(delivered=True)
    await until(lambda: shop.channel.open_sockets() == 0)
    assert await shop.channel.send(outbound) == Sent(delivered=False)


# -- buttons


async def test_a_button_says_what_was_offered(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.send(type="say", id="m0000001", text="menu")
        menu = await anna.next("message")
        while "buttons" not in menu:
            menu = await anna.next("message")
        assert [button["title"] for button in menu["buttons"]] == ["Lamps", "Opening hours"]
        await anna.send(type="say", id=f"button-{menu['seq']}-0", payload="/lamps", seq=menu["seq"])
        assert (await anna.messages_until("You chose /lamps"))[-2:] == ["Lamps", "You chose /lamps"]


async def test_a_payload_that_nobody_offered_is_refused(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("menu", id="m0000001")
        for number, (payload, seq) in enumerate([("/refund_all", 2), ("/lamps", 1), ("/lamps", 99)]):
            await anna.send(type="say", id=f"forged-{number}", payload=payload, seq=seq)
            refused = await anna.next("refused")
            assert (refused["id"], refused["reason"]) == (f"forged-{number}", "gone")
    assert len(await shop.said()) == 1


# -- options


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"origins": ("shop.example",)}, "https://shop.example"),
        ({"origins": ("https://*.example",)}, "no wildcard"),
        ({"origins": ("https://shop.example/path",)}, "no path"),
        ({"identity_secret": Secret("short")}, "32 characters"),
        ({"identity_secret": Secret("x" * 32), "previous_identity_secret": Secret("short")}, "32 characters"),
        ({"previous_identity_secret": Secret("x" * 32)}, "identity_secret beside it"),
        ({"largest_file_megabytes": 50}, "1 to 15"),
        ({"proxies": -1}, "0 or more"),
    ],
)
async def test_options_that_can_not_work_stop_the_start(wrong: dict[str, Any], hint: str) -> None:
    door: Any = Door(None, "http://127.0.0.1:1", utc_now, None, None, Feed(), b"s" * 32)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=".*") as error:
        await connect(Options(enabled=True, **wrong), door)
    assert hint in str(error.value)


async def test_without_a_signing_secret_nothing_starts() -> None:
    door: Any = Door(None, "http://127.0.0.1:1", utc_now, None, None, Feed(), b"")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="signing secret"):
        await connect(Options(enabled=True), door)


async def _say_many(shop: Shop, address: str, count: int, *, start: int) -> None:
    await asyncio.gather(
        *(
            shop._front.receive(Inbound("webchat", address, f"{address}:many-{start + number}", Content(f"{number}")))
            for number in range(count)
        )
    )
