"""Where a page would be and is not: a person gets one that says so, a program what it got before."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin.refusal_page import refusals_shown

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "fr-FR,fr;q=0.9"}
Client = TestClient[web.Request, web.Application]


async def _forbidden(request: web.Request) -> web.Response:
    raise web.HTTPForbidden(text="Ce formulaire n’est plus valable. <b>")


async def _busy(request: web.Request) -> web.Response:
    return web.json_response({"error": "unavailable"}, status=503, headers={"Retry-After": "2"})


async def _own(request: web.Request) -> web.Response:
    return web.Response(status=404, text="<p>own words</p>", content_type="text/html")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[refusals_shown])
    app.add_routes([web.get("/forbidden", _forbidden), web.get("/busy", _busy), web.get("/own", _own)])
    async with TestClient(TestServer(app)) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nothing", 404, "Il n’y a rien ici"),
        ("/busy", 503, "Un instant"),
        ("/forbidden", 403, "Ce formulaire n’est plus valable. &lt;b&gt;"),
        ("/own", 404, "<p>own words</p>"),
    ],
)
async def test_a_browser_is_told_in_its_language(client: Client, path: str, status: int, said: str) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert (answer.status, answer.content_type) == (status, "text/html")
    text = await answer.text()
    assert said in text and "Causerie" not in text  # customers need not know what answers them
    assert "/console" not in text  # it may be closed to the outside


async def test_what_the_answer_said_beside_its_words_stays(client: Client) -> None:
    answer = await client.get("/busy", headers=BROWSER)
    assert answer.headers["Retry-After"] == "2" and "style-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_an_agent_is_led_back_to_the_console(client: Client) -> None:
    text = await (await client.get("/console/nothing", headers=BROWSER | {"Accept-Language": "en"})).text()
    assert "Nothing here" in text and 'href="/console"' in text


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/nothing", {"Accept": "*/*"}), ("/nothing", BROWSER | {"X-Fragment": "1"}), ("/api/v1/nothing", BROWSER)],
)
async def test_programs_scripts_and_the_api_get_no_page(client: Client, path: str, headers: dict[str, str]) -> None:
    answer = await client.get(path, headers=headers)
    assert (answer.status, answer.content_type, await answer.text()) == (404, "text/plain", "404: Not Found")
