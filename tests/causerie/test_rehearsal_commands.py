"""`preview` and `simulate`: who would get what is told, and nothing is written."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from causerie.demo import lay_out_book, populate
from causerie.options import Options
from causerie.progress import silent
from causerie.rehearsal_commands import preview, preview_cast, simulate
from causerie.rehearsal_wish import Wish
from channels import house
from profiles.store import Store
from rules.options import RulesOptions

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""A Tuesday morning."""


@pytest.fixture
def options(tmp_path: Path) -> Options:
    webchat = replace(house.options_of("webchat")(), enabled=True)
    rules = RulesOptions(str(lay_out_book(tmp_path / "rules")))
    return Options(rules=rules, channels={"webchat": webchat})


@pytest.fixture
async def store(mongo_url: str, database_name: str, options: Options) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await populate(store, options.rules, language="fr", now=NOW)
    yield store
    await store.close()


async def test_a_preview_on_the_cast_shows_texts_and_reasons_without_a_database(options: Options) -> None:
    said: list[str] = []
    assert await preview_cast(options, Wish("cart-reminder"), said.append, NOW) == 0
    text = "\n".join(said)
    assert "Anna (consents to everything, birthday today)" in text
    assert "Anna, votre panier de 100,00\xa0€" in text or "Anna, une question avant de commander" in text
    assert "the contact said no (all)" in text and "the contact never said yes (topic offers)" in text


async def test_a_preview_ends_with_what_is_worth_knowing_before_launch_and_json_does_without(options: Options) -> None:
    file = Path(options.rules.folder) / "cart-reminder.yml"
    file.write_text(file.read_text(encoding="utf-8") + "  - stop: done\n  - wait: 1h\n", encoding="utf-8")
    said: list[str] = []
    assert await preview_cast(options, Wish("cart-reminder", language="fr"), said.append, NOW) == 0
    assert said[-2:] == ["", "! personne n'arrive ici : l'étape d'avant finit le parcours."]
    said.clear()
    assert await preview_cast(options, Wish("cart-reminder", as_json=True), said.append, NOW) == 0
    assert len(said) == 1


async def test_a_preview_counts_the_audience_and_shows_some_of_it(options: Options, store: Store) -> None:
    said: list[str] = []
    assert await preview(options, store, Wish("win-back"), said.append, NOW) == 0
    number = int(said[0].split(": ")[1].split(" ")[0])
    assert number == await store.count("profiles", {"attributes.rfm.value": "at_risk"}) > 0
    assert sum(not line.startswith(" ") and line != "" for line in said[1:]) == min(number, 5)


async def test_a_preview_tells_what_the_sms_come_to(options: Options, store: Store) -> None:
    book = Path(options.rules.folder)
    pressure = book / "pressure.yml"
    prices = "\nsms prices: {currency: EUR, other: 0.1}\n"
    pressure.write_text(pressure.read_text(encoding="utf-8") + prices, encoding="utf-8")
    rule = book / "win-back.yml"
    rule.write_text(re.sub(r"channel: (\[[^\]]*\]|[^,}]+)", "channel: sms", rule.read_text(encoding="utf-8")), "utf-8")
    by_sms = replace(options, channels={"twilio": replace(house.options_of("twilio")(), enabled=True)})
    some = await store.find("profiles", {"attributes.rfm.value": "at_risk"}, limit=1)
    phone = {"channel": "sms", "address": "+33639980001", "added_at": NOW}
    await store.change("profiles", {"_id": some[0]["_id"]}, {"$push": {"identities": phone}})
    for language, end in (("en", r"about \d+ SMS, \d+ segments; about \d+\.\d\d EUR"), ("fr", r"environ .* EUR")):
        said: list[str] = []
        assert await preview(by_sms, store, Wish("win-back", language=language), said.append, NOW) == 0
        assert re.search(f"^SMS: .*{end}$", said[-1]), said[-1]


async def test_a_preview_of_one_contact_finds_them_by_address(options: Options, store: Store) -> None:
    said: list[str] = []
    assert await preview(options, store, Wish("appointment", contact="boris@example.com"), said.append, NOW) == 0
    assert "Boris Petit" in said and any("the contact said no (topic service)" in line for line in said)
    assert await preview(options, store, Wish("appointment", contact="nobody@example.com"), said.append, NOW) == 1
    assert said[-1].startswith('expected a contact, got "nobody@example.com"')


async def test_an_unknown_rule_is_told_with_the_nearest(options: Options, store: Store) -> None:
    said: list[str] = []
    assert await preview(options, store, Wish("cart-remindr"), said.append, NOW) == 1
    assert await simulate(options, store, Wish("cart-remindr"), said.append, silent, NOW) == 1
    assert said == ['expected a rule of the book, got "cart-remindr". Hint: did you mean "cart-reminder"?'] * 2


async def test_a_simulated_month_is_the_month_that_was_lived(options: Options, store: Store) -> None:
    said: list[str] = []
    wish = Wish(days=30, as_json=True)
    assert await simulate(options, store, wish, said.append, silent, NOW) == 0
    told = json.loads(said[0])
    rows = await store.find("decisions", {})

    def key(row: dict[str, object], at: str) -> tuple[object, ...]:
        return at, row["profile"], row["rule"], row["reason"]

    lived = sorted(key(row, row["at"].astimezone(UTC).isoformat()) for row in rows)
    assert sorted(key(row, row["at"]) for row in told["told"]) == lived
    assert told["rules"]["order-confirmation"]["sent"]["sent"] > 10


async def test_nothing_is_written(options: Options, store: Store) -> None:
    async def counts() -> list[int]:
        names = ("profiles", "events", "runs", "decisions", "messages", "ledgers", "nudges", "conversations")
        return [await store.count(name, {}) for name in names]

    before = await counts()
    said: list[str] = []
    assert await simulate(options, store, Wish(days=30), said.append, silent, NOW) == 0
    assert await simulate(options, store, Wish(ahead=14, rule="win-back"), said.append, silent, NOW) == 0
    assert await preview(options, store, Wish("birthday"), said.append, NOW) == 0
    assert await counts() == before


async def test_a_draft_is_played_as_if_it_were_live_and_a_book_of_drafts_says_so(
    options: Options, store: Store
) -> None:
    shipped = replace(options, rules=RulesOptions())
    said: list[str] = []
    assert await simulate(shipped, store, Wish(), said.append, silent, NOW) == 1
    assert said[-1].startswith("No rule of the book is live.")
    assert await simulate(shipped, store, Wish("order-confirmation"), said.append, silent, NOW) == 0
    assert said[-1].split()[0] == "order-confirmation" and int(said[-1].split()[1]) > 10


async def test_the_days_are_bounded(options: Options, store: Store) -> None:
    said: list[str] = []
    assert await simulate(options, store, Wish(days=0), said.append, silent, NOW) == 1
    assert await simulate(options, store, Wish(days=4_000), said.append, silent, NOW) == 1
    assert said[-1] == "expected 1 to 366 days, got 4000."


async def test_the_next_days_of_one_contact_can_be_played(options: Options, store: Store) -> None:
    profile = (await store.find("profiles", {"attributes.rfm.value": "at_risk"}, limit=1))[0]
    birthday = f"1990-{NOW + timedelta(days=3):%m-%d}"
    put = {"attributes.born_on": {"value": birthday, "source": "declared", "at": NOW}}
    await store.change("profiles", {"_id": profile["_id"]}, {"$set": put})
    said: list[str] = []
    assert await simulate(options, store, Wish(contact=profile["_id"], ahead=7), said.append, silent, NOW) == 0
    assert any(" birthday " in line and line.startswith("2026-11-27 0") for line in said), said


async def test_in_french_all_of_a_simulation_and_of_a_preview_is(options: Options, store: Store) -> None:
    told: list[str] = []
    assert await simulate(options, store, Wish(days=7, language="fr"), told.append, silent, NOW) == 0
    assert told[0].startswith("du 2026-") and told[0].endswith("Rien n'a été envoyé ni écrit.")
    assert any(line.startswith("règle ") and "raisons les plus fréquentes" in line for line in told)
    told.clear()
    assert await preview(options, store, Wish("rfm", language="fr"), told.append, NOW) == 0
    assert "dans son audience à présent." in told[0] and told[1] == "Elle n'envoie rien."
