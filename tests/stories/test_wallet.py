"""A customer keeps the loyalty card in their phone; an order reported by the shop adds points, and the lock screen says so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from admin.keys import create_key
from causerie.app import STORE, build
from causerie.options import Options, ServerOptions
from channels import wallet
from profiles.calendar import utc_now
from profiles.personal_links import PersonalLinks
from profiles.store import Store
from rules.options import RulesOptions, folder_of
from tests.cast import anna
from tests.channels.wallet_device import Device, fields
from tests.channels.wallet_stage import put_person
from tests.waiting import until

ORDER = """
rule: points-for-orders
about: A point for each euro
state: live
class: service
when: {event: order.paid}
steps:
  - add: {contact.points: start.total}
  - wallet: {pass: loyalty, set: {offer: "Merci {{ contact.first_name }} : {{ event.total | number }} points de plus"}}
"""
THANKS = """
rule: thanks
about: Thank them on the card
state: live
class: transactional
when: {event: order.shipped}
steps:
  - send: {channel: wallet, template: thanks}
"""


@dataclass
class Shop:
    """The whole server with a wallet, and what the back office reports."""

    url: str
    store: Store
    http: aiohttp.ClientSession

    async def reports(self, name: str, id: str, **properties: object) -> None:
        key = await create_key(self.store, f"shop {id}", ["events:write"], now=utc_now())
        event = {
            "id": id,
            "name": name,
            "identity": {"space": "email", "address": "anna@example.com"},
            "properties": properties,
        }
        headers = {"Authorization": f"Bearer {key}"}
        async with self.http.post(f"{self.url}/api/v1/events", json=event, headers=headers) as answer:
            assert answer.status == 201, await answer.text()

    async def has_changed(self, name: str, value: object) -> bool:
        """Whether the only pass says this: phones are told of it by Apple, who is not here."""
        (row,) = await self.store.find("passes", {})
        return row.get(name) == value


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "orders.yml").write_text(ORDER, encoding="utf-8")
    (tmp_path / "thanks.yml").write_text(THANKS, encoding="utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "thanks.yml").write_text("fr: {text: Votre commande est partie}\n", encoding="utf-8")
    shipped = folder_of(RulesOptions()) / "passes"
    (tmp_path / "passes" / "images").mkdir(parents=True)
    (tmp_path / "passes" / "loyalty.yml").write_text((shipped / "loyalty.yml").read_text(encoding="utf-8"))
    for picture in (shipped / "images").iterdir():
        (tmp_path / "passes" / "images" / picture.name).write_bytes(picture.read_bytes())
    return tmp_path


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int, book: Path) -> AsyncIterator[Shop]:
    options = Options(
        server=ServerOptions(port=free_port),
        rules=RulesOptions(str(book)),
        channels={"wallet": wallet.Options(enabled=True, organisation="Atelier Nord")},
        database=database_name,
    )
    app = await build(options, mongo_url)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", free_port).start()
    async with aiohttp.ClientSession() as http:
        yield Shop(f"http://127.0.0.1:{free_port}", app[STORE], http)
    await runner.cleanup()


async def test_a_card_is_downloaded_kept_up_to_date_and_written_to(shop: Shop) -> None:
    await put_person(shop.store, anna())
    secret = await shop.store.get("settings", "secret")
    assert secret
    page = PersonalLinks(bytes(secret["value"]), shop.url).wallet("anna", utc_now())
    async with shop.http.get(page, headers={"User-Agent": "Mozilla/5.0 (iPhone; ...)"}) as answer:
        assert (answer.status, "Apple Wallet" in await answer.text()) == (200, True)
    async with shop.http.get(f"{page}/loyalty.pkpass") as answer:
        assert answer.status == 200
        package = await answer.read()
    phone = Device(shop.http)
    assert await phone.install(package) == 201
    assert fields(next(iter(phone.passes.values())))["points"]["value"] == "0"

    await shop.reports("order.paid", "e1", total=80)
    await until(lambda: shop.has_changed("put", {"offer": "Merci Anna : 80 points de plus"}))
    assert await phone.wake()
    assert fields(next(iter(phone.passes.values())))["points"]["value"] == "80"
    assert "Vous avez maintenant 80 points" in phone.told
    assert [one for one in phone.told if "80 points de plus" in one]

    await shop.reports("order.shipped", "e2", order_id="o1")
    await until(lambda: shop.has_changed("message", "Votre commande est partie"))
    assert await phone.wake()
    assert phone.told[-1] == "Votre commande est partie"

    async def is_told() -> bool:
        rows = await shop.store.find("messages", {"channel": "wallet"})
        return [row["delivery"].get("state") for row in rows] == ["sent"]

    await until(is_told)
    names = {row["name"] for row in await shop.store.find("events", {})}
    assert {"pass.issued", "pass.added"} <= names
