"""A rule's message with a link, read in a real chat: the link is ours, leads to the shop, and what comes back is learned."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from profiles.calendar import utc_now
from profiles.snapshot import Changes, Work
from profiles.timeline import Event
from rules.options import RulesOptions
from tests.stories.town import OnTelegram, Town, town
from tests.waiting import until

RULE = """
rule: basket
state: live
class: transactional
tracking: {utm: shop}
when: {event: cart.updated, key: event.cart, again: ignore}
steps:
  - send: {channel: preferred, template: basket}
    id: first
  - wait until: {any: [clicked("first")], at most: 2d}
    reached:
      - set: {contact.came_back: 1}
"""
TEMPLATE = """
fr: {text: "Votre panier vous attend : https://shop.example/panier?n={{ event.cart }}."}
"""
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"}


@pytest.fixture
async def place(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Town]:
    (tmp_path / "basket.yml").write_text(RULE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "basket.yml").write_text(TEMPLATE)
    async with town(mongo_url, database_name, free_port, rules=RulesOptions(str(tmp_path))) as opened:
        yield opened


async def test_a_link_in_telegram_counts_its_click_moves_the_run_and_teaches(place: Town) -> None:
    anna = OnTelegram(place.telegram)
    await anna.says("bonjour")
    await until(lambda: anna.heard)
    (profile,) = await place.store.find("profiles", {})
    event = Event("e1", profile["_id"], "cart.updated", utc_now(), properties={"cart": 7})
    await place.writer.commit(Work(lambda snapshot: Changes(events=(event,))))
    said = await anna.hears("Votre panier vous attend")
    before, _, token = said.partition(f"{place.url}/l/")
    assert before == "Votre panier vous attend : " and token.endswith(".") and len(token) == 33
    link = f"{place.url}/l/{token[:-1]}"

    async with aiohttp.ClientSession(headers={"User-Agent": "TelegramBot (like TwitterBot)"}) as preview:
        assert (await preview.get(link, allow_redirects=False)).status == 302
    await place.store.change_many("messages", {"metadata.rule": "basket"}, _an_hour_ago())
    async with aiohttp.ClientSession(headers=PHONE) as browser:
        answer = await browser.get(link, allow_redirects=False)
        target = "https://shop.example/panier?n=7&utm_source=shop&utm_medium=telegram&utm_campaign=basket"
        assert (answer.status, answer.headers["Location"]) == (302, target)
        assert (await browser.get(f"{place.url}/l/{token[:-2]}x", allow_redirects=False)).status == 404

    async def has_learned() -> dict[str, Any] | None:
        known = await place.store.get("profiles", profile["_id"])
        return known if known and "reactivity" in known and "came_back" in known["attributes"] else None

    known = await until(has_learned)
    assert known["reactivity"]["channels"] == {"telegram": {"sent": 1.0, "reacted": 1.0}}
    names = [
        row["name"]
        for row in await place.store.find("events", {"name": {"$regex": "^message"}}, sort=[("happened_at", 1)])
    ]
    assert names == ["message.scanned", "message.clicked"]


def _an_hour_ago() -> dict[str, Any]:
    at = utc_now() - timedelta(hours=1)
    return {"$set": {"delivery.times.sent": at, "at": at}}


async def test_a_reply_in_the_chat_answers_the_rules_message(place: Town) -> None:
    anna = OnTelegram(place.telegram)
    await anna.says("bonjour")
    await until(lambda: anna.heard)
    (profile,) = await place.store.find("profiles", {})
    event = Event("e1", profile["_id"], "cart.updated", utc_now(), properties={"cart": 7})
    await place.writer.commit(Work(lambda snapshot: Changes(events=(event,))))
    await anna.hears("Votre panier vous attend")
    await anna.says("merci, j'arrive")

    async def is_told() -> bool:
        return await place.store.count("events", {"name": "message.answered", "properties.rule": "basket"}) == 1

    await until(is_told)
