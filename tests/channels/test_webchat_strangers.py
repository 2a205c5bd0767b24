"""What does not come from our widget: foreign pages, floods, silence, half-open sockets, odd frames. Nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from channels.webchat_beat import ASK_AFTER, GONE_AFTER
from tests.channels.webchat_shop import Browser, Shop, browse, knock, open_shop, welcomed
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, origins=("https://shop.example",)) as running:
        yield running


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "http://shop.example",
                                    "https://shop.example:8443", "null", "", "https://user@shop.example:99999"])  # fmt: skip
async def test_a_foreign_origin_is_refused_before_the_socket_opens(shop: Shop, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await knock(shop, origin=origin)
    assert refused.value.status == 403


@pytest.mark.parametrize("origin", ["https://shop.example", "https://SHOP.example:443", "http://localhost:{port}"])
async def test_an_allowed_origin_gets_in(shop: Shop, origin: str) -> None:
    async with browse(shop, origin=origin.format(port=shop.port)) as anna:
        await welcomed(anna)


async def test_a_flood_is_closed_with_a_code_and_nothing_acknowledged_is_lost(shop: Shop) -> None:
    async with browse(shop) as flooder:
        await welcomed(flooder)
        for number in range(10_000):
            try:
                await flooder.send(type="say", id=f"flood-{number:05d}", text=f"quiet {number}")
            except ConnectionError:
                break
        acked = set[str]()
        while True:
            message = await flooder.ws.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            frame = message.json()
            if frame["type"] == "ack":
                acked.add(frame["id"])
    await until(lambda: shop.channel.open_sockets() == 0)
    kept = {message["_id"].rpartition(":")[2] for message in await shop.said()}
    assert acked <= kept
    assert len(kept) <= 41
    async with browse(shop, token=flooder.token) as back:
        await welcomed(back)
        assert (await back.says("quiet now", id="after-the-flood"))["seq"] == len(kept) + 1


async def test_the_flood_is_named_to_a_browser_that_listens(shop: Shop) -> None:
    async with browse(shop) as flooder:
        await welcomed(flooder)
        for _ in range(60):
            await flooder.send(type="ping")
        assert await flooder.closed() == 4429


async def test_a_slow_reader_is_let_go_and_others_do_not_wait(shop: Shop) -> None:
    async with browse(shop) as slow:
        await welcomed(slow)
        await slow.says("quiet", id="m0000001")
        transport = slow.ws._response.connection.transport
        transport.pause_reading()
        for number in range(400):
            shop.channel.typing(slow.conversation, f"{number} " + "x" * 60_000)
            if number % 50 == 0:
                await asyncio.sleep(0)
        await until(lambda: shop.channel.open_sockets() == 0, within_seconds=5)
        async with browse(shop) as quick:
            await welcomed(quick)
            await quick.says("quiet", id="m0000001")
        transport.resume_reading()


async def test_one_who_says_goodbye_and_does_not_read_holds_no_connection(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.webchat.GOODBYE_SECONDS", 0.05)
    async with browse(shop) as slow:
        await welcomed(slow)
        assert shop._runner and shop._runner.server
        transport, server = slow.ws._response.connection.transport, shop._runner.server
        transport.pause_reading()
        for _ in range(200):
            shop.channel.typing(slow.conversation, "x" * 60_000)
        await until(lambda: _is_stuck(shop))
        await slow.ws._writer.close(1000)
        await until(lambda: shop.channel.open_sockets() == 0)
        await until(lambda: not server.connections)
        transport.resume_reading()


async def test_a_silent_page_is_asked_and_one_that_does_not_answer_is_let_go(shop: Shop) -> None:
    async with browse(shop) as anna, browse(shop) as boris:
        await welcomed(anna)
        await welcomed(boris)
        shop.channel._beat.stop()  # time is ours
        transport = boris.ws._response.connection.transport
        transport.pause_reading()
        await until(lambda: all(one._listens for one in shop.channel._all()))
        reading = asyncio.create_task(anna.closed())  # a browser answers by itself while it reads
        await asyncio.sleep(0)
        for _ in range(ASK_AFTER):
            shop.channel._beat.tick()
        await until(lambda: sorted(one._silent for one in shop.channel._all())[0] == 0)
        for _ in range(GONE_AFTER - ASK_AFTER):
            shop.channel._beat.tick()
        await until(lambda: shop.channel.open_sockets() == 1)
        transport.resume_reading()
        assert (await boris.closed(), reading.done()) == (1013, False)
        reading.cancel()


async def test_pings_of_the_protocol_may_come_before_the_hello_and_too_many_are_a_flood(shop: Shop) -> None:
    anna = await knock(shop)
    await anna.ws.ping(b"are you there")
    await anna.ws.pong(b"nobody asked")
    await anna.send(type="hello")
    await welcomed(anna)
    for _ in range(60):
        await anna.ws.ping(b"again")
    assert await anna.closed() == 4429
    await anna.leave()


async def test_a_hello_that_does_not_come_closes_the_socket(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.webchat.HELLO_WITHIN_SECONDS", 0.1)
    silent = await knock(shop)
    assert await silent.closed() == 4408
    await silent.leave()


NO_HELLO = [
    "{",
    "[]",
    '"hello"',
    '{"type": "say", "id": "m0000001", "text": "hi"}',
    '{"type": {"$gt": ""}}',
    '{"type": "hello", "token": {"$gt": ""}}',
    '{"type": "hello", "last_seq": 1e400}',
    "[" * 30_000,
]


@pytest.mark.parametrize("raw", NO_HELLO)
async def test_anything_but_a_hello_first_is_refused(shop: Shop, raw: str) -> None:
    stranger = await knock(shop)
    await stranger.ws.send_str(raw)
    assert await stranger.closed() == 4400
    await stranger.leave()


async def test_a_frame_above_64_kB_closes_the_socket(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.send(type="say", id="m0000001", text="x" * 1_000_000)
        assert await anna.closed() == 1009
    assert await shop.said() == []


async def test_odd_texts_are_kept_as_they_are_and_too_long_ones_refused(shop: Shop) -> None:
    texts = ["🦊", "مرحبا بكم", "<img src=x onerror=alert(1)>", "a\u0000b\u0007", "line\nline", "x" * 4000]
    async with browse(shop) as anna:
        await welcomed(anna)
        for number, text in enumerate(texts):
            await anna.says(f"quiet {text}"[:4000], id=f"odd-{number:05d}")
        for id, text, reason in [("long-0001", "x" * 4001, "too_long"), ("empty-001", " \u0000\n", "empty")]:
            await anna.send(type="say", id=id, text=text)
            refused = await anna.next("refused")
            assert (refused["id"], refused["reason"]) == (id, reason)
    kept = [message["content"]["text"].removeprefix("quiet ") for message in await shop.said()]
    assert kept[:5] == ["🦊", "مرحبا بكم", "<img src=x onerror=alert(1)>", "ab", "line\nline"]


async def test_one_address_holds_so_many_sockets_and_no_more(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    async with open_shop(mongo_url, database_name, free_port, sockets_per_address=2, proxies=1) as shop:
        mine = {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}
        first, second = [await knock(shop, headers=mine) for _ in range(2)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await knock(shop, headers={"X-Forwarded-For": "8.8.8.8, 198.51.100.1"})  # the left part is a lie
        assert refused.value.status == 429
        other = await knock(shop, headers={"X-Forwarded-For": "198.51.100.2"})
        await first.leave()
        third = await until(lambda: _try_knock(shop, mine))
        for browser in (second, other, third):
            await browser.leave()


async def test_a_visitor_who_says_more_than_one_a_second_for_a_minute_is_asked_to_wait(shop: Shop) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        shop.channel._says.take(anna.address, asyncio.get_running_loop().time(), 59)
        await anna.says("quiet, the last of the minute", id="m0000001")
        await anna.send(type="say", id="m0000002", text="quiet, too much")
        wait = await anna.next("retry")
    assert (wait["id"], 0 < wait["after"] <= 1.0) == ("m0000002", True)


async def test_a_plain_request_to_the_socket_is_told_what_it_is(shop: Shop) -> None:
    async with aiohttp.ClientSession() as session:
        address = f"{shop.url}/channels/webchat/socket"
        async with session.get(address, headers={"Origin": shop.url}) as answer:
            assert answer.status == 426
        async with session.post(address, headers={"Origin": shop.url}) as answer:
            assert answer.status == 405


def _is_stuck(shop: Shop) -> bool:
    """Whether something waits in our own memory for a reader."""
    (socket,) = shop.channel._all()
    transport = socket._ws._req.transport  # type: ignore[union-attr]
    return bool(transport and transport.get_write_buffer_size())


async def _try_knock(shop: Shop, headers: dict[str, str]) -> Browser | None:
    try:
        return await knock(shop, headers=headers)
    except aiohttp.WSServerHandshakeError:
        return None
