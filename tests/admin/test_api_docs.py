"""The API's documentation page: whole, in both languages, safe, and of our own making only."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest

from admin.api import ROUTES
from admin.api_docs import page
from admin.api_french import FRENCH
from admin.api_problems import SORTS
from admin.keys import SCOPES
from admin.schema import Shape, shapes_in
from tests.admin.api_client import Caller, caller_on

BASE = "https://shop.example"


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


class Anchors(HTMLParser):
    """The ids of a page, and the places within it that its links lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name == "href" and value and value.startswith("#"):
                self.links.add(value[1:])


async def test_the_page_is_served_with_a_strict_policy_and_its_own_style(caller: Caller) -> None:
    async with caller.client.get("/api/docs", headers={"Accept-Language": "fr"}) as response:
        text = await response.text()
    assert response.status == 200
    assert '<html lang="fr">' in text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    async with caller.client.get("/api/docs/style.css") as style:
        assert style.content_type == "text/css"


async def test_the_address_can_choose_the_language(caller: Caller) -> None:
    for asked, shown in (("en", "en"), ("fr", "fr"), ("<script>", "en")):
        async with caller.client.get(
            "/api/docs", params={"lang": asked}, headers={"Accept-Language": "xx"}
        ) as response:
            assert f'<html lang="{shown}">' in await response.text()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_route_and_problem_is_told_and_every_link_leads_somewhere(language: str) -> None:
    found = Anchors(page(language, BASE))
    assert {route.name for route in ROUTES} | SORTS.keys() <= set(found.ids)
    assert found.links <= set(found.ids)
    assert len(set(found.ids)) == len(found.ids)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_has_no_script_and_asks_nobody_else(language: str) -> None:
    html = page(language, BASE)
    assert "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!#|\?|/api/docs/|https://shop\.example)', html)


def test_the_french_page_says_what_the_english_one_says() -> None:
    shapes: dict[str, Shape] = {}
    said = set(SCOPES.values())
    for route in ROUTES:
        shapes |= shapes_in(route.body) | shapes_in(route.reply)
        said |= {field.about for field in route.query.values()}
    said |= {field.about for shape in shapes.values() for field in shape.fields.values()}
    assert FRENCH.keys() == said
    assert all(french != english for english, french in FRENCH.items())
    for route in ROUTES:
        assert route.summary_fr != route.summary
    for sort in SORTS.values():
        assert sort.title_fr != sort.title
