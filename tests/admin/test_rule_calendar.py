"""What will go out, and how much went out: the calendar of clocks and of waiting contacts, and the pressure on people."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.admin.market import BIRTHDAY, WEEKLY, happens, learned, live_in
from tests.admin.office import Office


async def test_the_calendar_shows_each_firing_of_a_clock_and_the_size_of_its_audience(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await live_in(market, "anna", "FR")
    caller = await market.signed_in(await market.agent(role="marketer"))
    page = await caller.page("/calendar")
    assert 4 <= page.count('class="firing"') <= 5  # a Monday each week
    at = page.partition("/calendar/size?rule=weekly&amp;at=")[2].partition('"')[0]
    answer = await (await caller.get(f"/calendar/size?rule=weekly&at={at}")).json()
    assert answer == {"ok": True, "n": 2, "is_most": False}
    for odd in ("rule=none&at=2026-11-23T09:00", "rule=weekly&at=x", "rule=cart&at=2026-11-23T09:00"):
        assert await (await caller.get(f"/calendar/size?{odd}")).json() == {"ok": False}


async def test_contacts_who_wait_inside_a_rule_stand_on_the_day_they_go_on(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    page = await (await market.signed_in(await market.agent(role="marketer"))).page("/calendar")
    assert "1 comes to a step" in page


async def test_a_paused_rule_has_no_day(market: Office, tmp_path: Path) -> None:
    (tmp_path / "weekly.yml").write_text(WEEKLY.replace("state: live", "state: paused"), encoding="utf-8")
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    page = await (await market.signed_in(await market.agent(role="marketer"))).page("/calendar")
    assert "firing" not in page


async def test_a_birthday_is_counted_for_its_day_only(market: Office, tmp_path: Path) -> None:
    (tmp_path / "birthday.yml").write_text(BIRTHDAY, encoding="utf-8")
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    assert "birthday" in market.desk.rules.bookcase.book.rules, market.desk.rules.bookcase.book.mistakes
    tomorrow = (market.clock() + timedelta(days=3)).date()
    await learned(market, "chloe", "born_on", f"1990-{tomorrow:%m-%d}")
    caller = await market.signed_in(await market.agent(role="marketer"))

    async def size(day: Any) -> int:
        answer = await (await caller.get(f"/calendar/size?rule=birthday&at={day}T10:00")).json()
        return int(answer["n"])

    assert await size(tomorrow) == 1
    assert await size(tomorrow + timedelta(days=1)) == 0


async def test_pressure_names_who_got_most_the_limits_and_the_rules_that_starve(market: Office) -> None:
    now = market.clock()
    entries = [{"t": now - timedelta(hours=hours), "r": str(hours), "c": "sms", "k": "offers"} for hours in (1, 2)]
    await market.desk.store.change("ledgers", {"_id": "chloe"}, {"$set": {"h": entries}}, upsert=True)
    for number, reason in enumerate(["sent", "capped:all", "capped:all", "capped:all"]):
        row = {"_id": str(number), "rule": "weekly", "profile": "chloe", "reason": reason, "at": now, "version": "x"}
        await market.desk.store.insert("decisions", row)
    page = await (await market.signed_in(await market.agent(role="supervisor"))).page("/pressure")
    assert "Chloé Rossi" in page and "2 messages" in page
    assert "At most 2 in any 7 days" in page
    assert "75%" in page and "3 / 4" in page


async def test_what_people_may_resent_is_told_with_its_place(market: Office, tmp_path: Path) -> None:
    night = WEEKLY.replace("for:", "timing: {window: 22:00-06:00}\nfor:")
    (tmp_path / "weekly.yml").write_text(night, encoding="utf-8")
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    caller = await market.signed_in(await market.agent(role="marketer", language="fr"))
    page = await caller.page("/pressure")
    assert "une fenêtre de nuit" in page and "weekly.yml:" in page
    assert "une fenêtre de nuit" in await caller.page("/rules/weekly")
