"""The page of a person's cards: the right button for each device, a pass that verifies, and nothing for whoever guesses links."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from admin.centre import Centre
from admin.own_export import written
from admin.preferences import preferences
from admin.wallet import phone_of, wallet_pages
from channels.wallet import Options
from channels.wallet_google import SAVE
from channels.wallet_setup import PAPERS
from profiles.consents import Consents
from profiles.ledgers import Ledgers
from profiles.passes import Pass
from profiles.permits import Permits
from profiles.personal_links import PersonalLinks
from profiles.profile import Profile
from profiles.record import from_document, to_document
from rules.policy import Policy
from rules.vocabulary_file import Words
from tests.admin.office import Office
from tests.cast import boris
from tests.channels.wallet_device import MIME, opened, verified
from tests.channels.wallet_stage import SECRET, Hall, hall, put_person
from tests.needed import openssl
from tests.peers.google import ISSUER, Google

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"
APPLE, GOOGLE = "Ajouter à Apple Wallet", "Ajouter à Google Wallet"


class Page:
    """The page on a real port."""

    def __init__(self, shop: Hall, server: TestServer) -> None:
        self.shop, self.base = shop, f"http://127.0.0.1:{server.port}"
        self.links = PersonalLinks(SECRET, self.base)

    def link(self, profile: str = "anna") -> str:
        return self.links.wallet(profile, self.shop.now)

    async def get(self, address: str, agent: str = DESKTOP, **headers: str) -> tuple[int, str, Any]:
        async with self.shop.http.get(
            address, headers={"User-Agent": agent, **headers}, allow_redirects=False
        ) as answer:
            content = await answer.read()
            is_text = answer.content_type.startswith("text/")
            return answer.status, content.decode() if is_text else "", {**answer.headers, "content": content}


@asynccontextmanager
async def opened_page(shop: Hall) -> AsyncIterator[Page]:
    """Serve the page of a shop."""
    ledgers = Ledgers(shop.store)
    permits = Permits(shop.store, ledgers, clock=shop.clock)
    links = PersonalLinks(SECRET, "https://shop.example")
    consents = Consents(shop.store, ledgers, permits)
    centre = Centre(shop.store, shop.writer, shop.clock, links, consents, ledgers, policy=Policy, words=Words)
    app = web.Application()
    app.add_subapp("/p", preferences(centre))
    app.add_subapp("/w", wallet_pages(centre, shop.wallet))
    async with TestServer(app) as server:
        yield Page(shop, server)
    await permits.close()


@pytest.fixture
async def page(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Page]:
    async with hall(mongo_url, database_name, free_port) as shop, opened_page(shop) as found:
        yield found


async def test_an_iphone_downloads_a_pass_that_verifies_and_is_issued_with_it(page: Page, tmp_path: Path) -> None:
    status, text, _ = await page.get(page.link(), IPHONE)
    assert status == 200
    assert APPLE in text
    assert GOOGLE not in text
    assert "Carte de fidélité" in text
    assert "120" in text
    assert await page.shop.store.count("passes", {}) == 0, "looking issues nothing"
    status, _, headers = await page.get(f"{page.link()}/loyalty.pkpass", IPHONE)
    assert (status, headers["Content-Type"]) == (200, MIME)
    files = opened(headers["content"])
    papers = await page.shop.store.get("settings", PAPERS)
    assert papers
    verified(openssl(), files, papers["above"].encode(), tmp_path)
    assert json.loads(files["pass.json"])["serialNumber"] == (await page.shop.held()).id
    await page.get(f"{page.link()}/loyalty.pkpass", IPHONE)
    assert await page.shop.store.count("passes", {}) == 1


async def test_a_computer_sees_a_code_for_the_phone(page: Page) -> None:
    _, text, _ = await page.get(page.link(), DESKTOP)
    assert APPLE in text
    assert "data:image/svg+xml," in text
    assert "Scannez ce code" in text
    _, text, _ = await page.get(page.link(), IPHONE)
    assert "data:image/svg+xml," not in text


async def test_an_android_phone_without_google_gets_the_file(page: Page) -> None:
    _, text, _ = await page.get(page.link(), ANDROID)
    assert APPLE in text
    assert GOOGLE not in text
    assert "qui lit les .pkpass" in text


@pytest.mark.parametrize(
    ("agent", "phone"), [(IPHONE, "apple"), (ANDROID, "google"), (DESKTOP, "none"), (MAC, "none"), ("", "none")]
)
def test_whose_wallet_a_device_has(agent: str, phone: str) -> None:
    assert phone_of(agent) == phone


async def test_coupons_and_tickets_are_offered_once_a_rule_issued_them(page: Page) -> None:
    status, text, _ = await page.get(f"{page.link()}/welcome_offer.pkpass", IPHONE)
    assert status == 404
    await page.shop.keep(card="welcome_offer")
    _, text, _ = await page.get(page.link(), IPHONE)
    assert "Offre de bienvenue" in text
    assert (await page.get(f"{page.link()}/welcome_offer.pkpass", IPHONE))[0] == 200
    await page.shop.keep(card="welcome_offer", ends=True)
    assert "Offre de bienvenue" not in (await page.get(page.link(), IPHONE))[1]
    assert (await page.get(f"{page.link()}/welcome_offer.pkpass", IPHONE))[0] == 404


async def test_both_languages_and_the_persons_own_first(page: Page) -> None:
    _, text, _ = await page.get(page.link(), IPHONE, **{"Accept-Language": "en"})
    assert "Vos cartes" in text, "Anna speaks French"
    _, text, _ = await page.get(f"{page.link()}?lang=en", IPHONE)
    assert "Add to Apple Wallet" in text
    assert "Loyalty card" in text


@pytest.mark.parametrize("token", ["x", "Li4.Li4", "é"])
async def test_a_link_that_is_not_ours_opens_nothing(page: Page, token: str) -> None:
    for path in (f"/w/{token}", f"/w/{token}/loyalty.pkpass", f"/w/{token}/loyalty/google"):
        assert (await page.get(f"{page.base}{path}", IPHONE))[0] == 404


async def test_a_link_of_another_page_and_one_whose_time_is_over_open_nothing(page: Page) -> None:
    other = page.links.preferences("anna", page.shop.now).replace("/p/", "/w/")
    assert (await page.get(other, IPHONE))[0] == 404
    link = page.link()
    page.shop.later(days=61)
    assert (await page.get(link, IPHONE))[0] == 410
    assert (await page.get(f"{link}/loyalty.pkpass", IPHONE))[0] == 410


async def test_the_link_of_one_person_gives_nobody_elses_card(page: Page) -> None:
    await put_person(page.shop.store, boris())
    _, _, headers = await page.get(f"{page.link('boris')}/loyalty.pkpass", IPHONE)
    assert b"Boris" in opened(headers["content"])["pass.json"]
    assert (await page.shop.held()).profile == "boris"
    assert (await page.get(page.link("nobody"), IPHONE))[0] == 404


async def test_who_pulls_too_often_waits(page: Page) -> None:
    statuses = [(await page.get(f"{page.link()}/loyalty.pkpass", IPHONE))[0] for _ in range(32)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    page.shop.later(minutes=1)
    assert (await page.get(f"{page.link()}/loyalty.pkpass", IPHONE))[0] == 200


async def test_a_pass_that_can_not_be_built_says_one_moment(page: Page, tmp_path: Path) -> None:
    page.shop.door.cards.images = tmp_path
    status, text, _ = await page.get(f"{page.link()}/loyalty.pkpass", IPHONE)
    assert (status, "Un instant" in text) == (503, True)


async def test_the_page_is_private_and_its_colours_are_the_cards(page: Page) -> None:
    _, text, headers = await page.get(page.link(), IPHONE)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "script" not in headers["Content-Security-Policy"]
    sheets = [part.split('"')[0] for part in text.split('rel="stylesheet" href="')[1:]]
    assert len(sheets) == 3
    for sheet in sheets:
        status, style, headers = await page.get(f"{page.base}{sheet}")
        assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/css")
    assert ".pass-loyalty { background: #1f6f5c; color: #ffffff; }" in style


async def test_what_a_name_says_is_text_and_no_markup(page: Page) -> None:
    await page.shop.learn(first_name="<script>alert(1)</script>")
    _, text, _ = await page.get(page.link(), IPHONE)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


# -- with Google


@pytest.fixture
async def both(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path
) -> AsyncIterator[tuple[Page, Google]]:
    openssl()
    peer = Google()
    await peer.start()
    options = Options(
        True, "Atelier Louise", issuer=ISSUER, service_account=str(peer.account(tmp_path)), google_url=peer.url
    )  # fmt: skip
    async with hall(mongo_url, database_name, free_port, options) as shop, opened_page(shop) as found:
        yield found, peer
    await peer.stop()


async def test_an_android_phone_is_led_to_google_which_has_the_pass_by_then(both: tuple[Page, Google]) -> None:
    page, peer = both
    _, text, _ = await page.get(page.link(), ANDROID)
    assert GOOGLE in text
    assert text.index(GOOGLE) < text.index(APPLE), "the other phone's button stands below"
    status, _, headers = await page.get(f"{page.link()}/loyalty/google", ANDROID)
    assert status == 302
    assert headers["Location"].startswith(SAVE)
    said = peer.read(headers["Location"].removeprefix(SAVE))
    (asked,) = said["payload"]["loyaltyObjects"]
    assert f"loyaltyObject/{asked['id']}" in peer.things
    _, text, _ = await page.get(page.link(), DESKTOP)
    assert APPLE in text
    assert GOOGLE in text


async def test_a_google_that_does_not_answer_is_one_moment(both: tuple[Page, Google]) -> None:
    page, peer = both
    peer.troubles = [(429, {"Retry-After": "7"})]
    status, text, headers = await page.get(f"{page.link()}/loyalty/google", ANDROID)
    assert (status, headers["Retry-After"], "Un instant" in text) == (503, "7", True)
    assert (await page.get(f"{page.link()}/loyalty/google", ANDROID))[0] == 302


# -- in the console


async def test_the_panel_shows_the_cards_and_what_became_of_them(shop: Office) -> None:
    now = shop.clock()
    held = Pass("f" * 32, "anna", "loyalty", now, now, 1, devices=2, saved=True, trouble="apple: 503")
    await shop.desk.store.insert("passes", to_document(held))
    caller = await shop.signed_in(await shop.agent(language="en"))
    panel = await (await caller.get("/people/anna")).text()
    for words in ("Wallet cards", "on 2 Apple devices, in Google Wallet", "not told yet", "apple: 503"):
        assert words in panel
    assert "Their page of cards" not in panel, "no wallet is switched on here"
    await shop.desk.store.change("passes", {"_id": held.id}, {"$set": {"state": "expired"}})
    assert "Ended" in await (await caller.get("/people/anna")).text()
    assert "Wallet cards" not in await (await caller.get("/people/boris")).text()


async def test_the_cards_are_in_what_the_person_may_take_away(shop: Office) -> None:
    now = shop.clock()
    held = Pass("f" * 32, "anna", "loyalty", now, now, 1, message="Bonjour", put={"offer": "−20 %"})
    await shop.desk.store.insert("passes", to_document(held))
    ledgers = Ledgers(shop.desk.store)
    consents = Consents(shop.desk.store, ledgers, Permits(shop.desk.store, ledgers, clock=shop.clock))
    document = await shop.desk.store.get("profiles", "anna")
    assert document
    anna = from_document(Profile, document)
    told = json.loads(b"".join([piece async for piece in written(shop.desk.store, consents, ledgers, anna)]))
    (card,) = told["wallet_cards"]
    assert (card["card"], card["message"], card["set"]) == ("loyalty", "Bonjour", {"offer": "−20 %"})
