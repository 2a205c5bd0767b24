"""What every answer carries, and that a page's own say is not overwritten."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from causerie.headers import HEADERS, dress_all


@pytest.mark.parametrize("path", ["/plain", "/nowhere", "/inside/page", "/inside/nowhere"])
async def test_every_answer_has_them_also_of_what_is_mounted_and_of_what_is_not_there(path: str) -> None:
    async with TestClient(TestServer(_app(is_https=True))) as client:
        answer = await client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["Strict-Transport-Security"]
        assert answer.headers.getall("Server") == ["Causerie"]


async def test_what_a_page_says_itself_stays() -> None:
    async with TestClient(TestServer(_app(is_https=False))) as client:
        answer = await client.get("/own")
        assert answer.headers["Content-Security-Policy"] == "script-src 'self'"
        assert answer.headers.getall("Referrer-Policy") == ["no-referrer"]
        assert "Strict-Transport-Security" not in answer.headers


def _app(*, is_https: bool) -> web.Application:
    async def plain(request: web.Request) -> web.Response:
        return web.Response(text="<script>alert(1)</script>", content_type="text/html")

    async def own(request: web.Request) -> web.Response:
        said = {"Content-Security-Policy": "script-src 'self'", "Referrer-Policy": "no-referrer"}
        return web.Response(headers=said)

    inside = web.Application()
    inside.router.add_get("/page", plain)
    app = web.Application()
    app.router.add_get("/plain", plain)
    app.router.add_get("/own", own)
    app.add_subapp("/inside", inside)
    dress_all(app, is_https=is_https)
    return app
