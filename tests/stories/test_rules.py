"""A marketer drops files into the rule book, an order is reported through the API, and the customer reads of it where they chat."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from admin.keys import create_key
from profiles.calendar import utc_now
from rules.options import RulesOptions
from tests.stories.town import OnTelegram, Town, Visitor, town
from tests.waiting import until

TOPICS = """
offers:
  title: {fr: Offres, en: Offers}
  wording: {fr: Oui aux offres, en: Yes to offers}
"""
CONFIRMATION = """
rule: order-confirmation
about: Say that an order was received
state: live
class: transactional
when: {event: order.paid, key: event.number, again: ignore}
steps:
  - send: {channel: preferred, template: order_paid}
"""
OFFER = """
rule: after-order
state: live
topic: offers
when: {event: order.paid}
steps:
  - send: {channel: preferred, template: offer}
"""
TEMPLATES = {
    "order_paid": """
fr: {text: "Merci {{ contact.first_name | default('à vous') }}, commande {{ event.number }} payée : {{ event.total | money }}."}
en: {text: "Thank you, your order {{ event.number }} is paid."}
""",
    "offer": "fr: {text: Une offre pour vous}\n",
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "topics.yml").write_text(TOPICS)
    (tmp_path / "confirmation.yml").write_text(CONFIRMATION)
    (tmp_path / "after-order.yml").write_text(OFFER)
    (tmp_path / "templates").mkdir()
    for name, text in TEMPLATES.items():
        (tmp_path / "templates" / f"{name}.yml").write_text(text)
    return tmp_path


@pytest.fixture
async def place(mongo_url: str, database_name: str, free_port: int, book: Path) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port, rules=RulesOptions(str(book))) as opened:
        yield opened


async def order_paid(place: Town, id: str, identity: dict[str, str], **properties: object) -> int:
    """Report an order through the API, as a shop's back office does."""
    key = await create_key(place.store, f"shop {id}", ["events:write"], now=utc_now())
    event = {"id": id, "name": "order.paid", "identity": identity, "properties": properties}
    shop = aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"})
    async with shop, shop.post(f"{place.url}/api/v1/events", json=event) as answer:
        return answer.status


async def test_an_order_is_confirmed_where_the_customer_chats_and_no_offer_comes_without_a_yes(place: Town) -> None:
    anna = OnTelegram(place.telegram)
    await anna.says("bonjour")
    await until(lambda: anna.heard)
    where = {"space": "telegram", "address": "5"}
    assert await order_paid(place, "o1", where, number="A-1042", total=80) == 201
    await anna.hears("A-1042", "80,00")
    rows = []

    async def told() -> bool:
        rows[:] = await place.store.find("decisions", {})
        return len(rows) == 2

    await until(told)
    assert {(row["rule"], row["reason"]) for row in rows} == {
        ("order-confirmation", "sent"),
        ("after-order", "no_consent:topic:offers"),
    }
    assert await order_paid(place, "o1", where, number="A-1042", total=80) == 200, "the same event again"
    assert sum("A-1042" in said for said in anna.heard) == 1


async def test_a_visitor_of_the_web_chat_reads_it_in_the_same_thread(place: Town) -> None:
    visitor = await Visitor(place.url).opens()
    await visitor.says("bonjour")
    await until(lambda: visitor.messages)
    (thread,) = await place.store.find("conversations", {"channel": "webchat"})
    address = str(thread["address"])
    assert await order_paid(place, "o2", {"space": "webchat", "address": address}, number="B-7", total=12) == 201
    await until(lambda: any("B-7" in str(frame) for frame in visitor.messages.values()))
    await visitor.leaves()
