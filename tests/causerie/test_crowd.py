"""Pages that are open to all, asked for too often by one address, by many, and from our own network."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from causerie.crowd import AT_ONCE, PER_SECOND, crowd

FAR, FARTHER = {"X-Forwarded-For": "9.9.9.9"}, {"X-Forwarded-For": "8.8.4.4"}


class Clock:
    """Seconds that pass by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[crowd(1, seconds=clock)])
    app.router.add_get("/{rest:.*}", answer)
    async with TestClient(TestServer(app)) as asking:
        yield asking


async def test_one_address_is_asked_to_wait_and_others_are_not(client: TestClient, clock: Clock) -> None:  # type: ignore[type-arg]
    seen = [(await client.get("/l/token", headers=FAR)).status for _ in range(int(AT_ONCE) + 1)]
    assert seen == [200] * int(AT_ONCE) + [429]
    refused = await client.get("/p/token", headers=FAR)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert (await client.get("/p/token", headers=FARTHER)).status == 200
    clock.now += 2 / PER_SECOND
    assert (await client.get("/q/code", headers=FAR)).status == 200


async def test_a_path_written_in_percents_is_counted_as_well(client: TestClient) -> None:  # type: ignore[type-arg]
    written = URL("/%6c/token", encoded=True)
    assert [(await client.get(written, headers=FAR)).status for _ in range(int(AT_ONCE) + 1)][-1] == 429


async def test_who_invents_addresses_before_the_proxys_is_counted_as_one(client: TestClient) -> None:  # type: ignore[type-arg]
    invented = ({"X-Forwarded-For": f"1.2.3.{number % 200}, 9.9.9.9"} for number in range(int(AT_ONCE) + 1))
    assert [(await client.get("/u/token", headers=one)).status for one in invented][-1] == 429


async def test_who_has_a_line_of_many_addresses_is_counted_as_one(client: TestClient) -> None:  # type: ignore[type-arg]
    many = ({"X-Forwarded-For": f"2a01:e0a:1:2::{number:x}"} for number in range(int(AT_ONCE) + 1))
    assert [(await client.get("/u/token", headers=one)).status for one in many][-1] == 429


async def test_a_port_behind_an_address_hides_nobody(client: TestClient) -> None:  # type: ignore[type-arg]
    many = ({"X-Forwarded-For": f"9.9.9.9:{number}"} for number in range(int(AT_ONCE) + 1))
    assert [(await client.get("/u/token", headers=one)).status for one in many][-1] == 429


@pytest.mark.parametrize(
    ("path", "who"), [("/channels/telegram/hook", FAR), ("/l/token", {"X-Forwarded-For": "10.0.0.9"})]
)
async def test_webhooks_and_our_own_network_are_not_counted(client: TestClient, path: str, who: dict[str, str]) -> None:  # type: ignore[type-arg]
    assert {(await client.get(path, headers=who)).status for _ in range(int(AT_ONCE) + 1)} == {200}
