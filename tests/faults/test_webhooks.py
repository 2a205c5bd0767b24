"""Webhooks as providers really send them: copies at once to two servers, out of order, a week late, forged, cut short."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from motor.motor_asyncio import AsyncIOMotorClient

from profiles.store import Store
from tests.faults.crowd import Crowd, kept
from tests.faults.figures import Figures
from tests.faults.load import SECRET_HEADER, stored_id, update
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.servers import SECRET, Nursery, Server, server

MESSAGES, COPIES, PEOPLE, AT_ONCE = 150, 3, 20, 24
FIRST = 760_000_000
LAST_WEEK, NOW = 1_794_395_200, 1_795_000_000
Answers = Counter[int]


async def test_copies_in_any_order_to_two_servers_are_stored_once_and_answered_once(
    nursery: Nursery, folder: Path, store: Store, chance: random.Random, figures: Figures
) -> None:
    posts = [(number, chance.choice([LAST_WEEK, NOW])) for number in range(1, MESSAGES + 1)] * COPIES
    chance.shuffle(posts)
    async with _two(nursery, folder, store) as servers:
        answers: Answers = Counter()

        async def post(session: aiohttp.ClientSession, left: list[tuple[int, int]]) -> None:
            while left:
                number, date = left.pop()
                body = update(number, FIRST + number % PEOPLE, "Bonjour", date=date)
                answers[await _posted(session, chance.choice(servers), body)] += 1

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(post(session, posts) for _ in range(AT_ONCE)))
        crowd = Crowd(folder / "none", [{"number": n, "person": FIRST + n % PEOPLE} for n in range(1, MESSAGES + 1)])
        found = await kept(store, crowd)
        inbound = await store.count("messages", {"direction": "inbound"})
    figures.add(webhooks=MESSAGES * COPIES, **{"stored twice": inbound - MESSAGES})
    assert answers == {200: MESSAGES * COPIES}
    assert (inbound, found.lost, found.gaps, found.unanswered, found.doubly_answered) == (MESSAGES, 0, 0, 0, 0), found


async def test_what_is_forged_or_broken_is_refused_and_leaves_nothing(
    nursery: Nursery, folder: Path, store: Store
) -> None:
    whole = update(1, FIRST, "Bonjour")
    wrong = [
        (whole, {}, 403),
        (whole, {SECRET_HEADER: SECRET + "x"}, 403),
        (whole, {SECRET_HEADER: ""}, 403),
        (b"{", {}, 403),  # who is not let in is told nothing of what they wrote
        (whole[:-20], {SECRET_HEADER: SECRET}, 400),
        (b"[]", {SECRET_HEADER: SECRET}, 400),
        (b'{"update_id": 1, "message": {"message_id": "x"}}', {SECRET_HEADER: SECRET}, 400),
        (b" " * 1_100_000, {SECRET_HEADER: SECRET}, 413),
    ]
    async with _two(nursery, folder, store) as (one, _), aiohttp.ClientSession() as session:
        for body, headers, status in wrong:
            assert await _posted(session, one, body, headers) == status, (body[:40], headers)
        assert await store.count("messages", {}) == 0 and await store.count("profiles", {}) == 0
        assert await _posted(session, one, whole) == 200
        assert await store.get("messages", stored_id(1, FIRST))


async def test_control_who_looks_first_and_then_inserts_stores_copies_twice(
    mongo_url: str, chance: random.Random, figures: Figures
) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo_url)
    messages = client["finding"]["messages"]

    async def take(number: int) -> None:
        if await messages.find_one({"provider_id": number}) is None:
            await messages.insert_one({"provider_id": number})

    posts = [*range(MESSAGES)] * COPIES
    for first in range(0, MESSAGES, AT_ONCE):
        some = [number for number in posts if first <= number < first + AT_ONCE]
        chance.shuffle(some)
        await asyncio.gather(*(take(number) for number in some))
    extra = await messages.count_documents({}) - MESSAGES
    await client.drop_database("finding")
    client.close()
    figures.add_control(webhooks=MESSAGES * COPIES, **{"stored twice": extra})
    assert extra > 0, "this test can not see a message that is stored twice"


@asynccontextmanager
async def _two(nursery: Nursery, folder: Path, store: Store) -> AsyncIterator[tuple[Server, Server]]:
    """Within the block two servers work on one database."""
    async with provider(folder / "provider.journal") as telegram:
        how = {"database_url": store.url, "database": store.name, "provider": telegram.url}
        one, other = (server(nursery, folder / name, name=name, **how) for name in ("one", "other"))
        await one.start()
        await other.start()
        try:
            yield one, other
            await until(lambda: _is_quiet(store))
        finally:
            await one.stop()
            await other.stop()


async def _is_quiet(store: Store) -> bool:
    return await store.count("conversations", {"pending": {"$exists": True}}) == 0


async def _posted(
    session: aiohttp.ClientSession, server: Server, body: bytes, headers: dict[str, str] | None = None
) -> int:
    shown = {SECRET_HEADER: SECRET} if headers is None else headers
    url = f"{server.url}/channels/telegram/webhook"
    async with session.post(url, data=body, headers={"Content-Type": "application/json", **shown}) as answer:
        return answer.status
