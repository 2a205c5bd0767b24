"""The demo: a book of one's own, invented contacts with a month behind them, once, and quickly."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from admin.agents import Agent
from causerie.demo import lay_out_book, populate
from causerie.demo_people import ANNA, BORIS, CONTACTS, invented
from profiles.ledgers import Ledgers
from profiles.store import Store
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import RulesOptions

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    yield store
    await store.close()


@pytest.fixture
def book(tmp_path: Path) -> RulesOptions:
    return RulesOptions(str(lay_out_book(tmp_path / "rules")))


async def planted(store: Store, book: RulesOptions) -> int:
    return await populate(store, book, language="fr", now=NOW)


def test_the_book_of_the_demo_is_live_and_what_people_wrote_in_it_stays(book: RulesOptions) -> None:
    folder = Path(book.folder)
    assert {rule.state for rule in read_book(read_folder(folder)).rules.values()} == {"live"}
    (folder / "welcome.yml").write_text("# mine", encoding="utf-8")
    lay_out_book(folder)
    assert (folder / "welcome.yml").read_text(encoding="utf-8") == "# mine"


def test_the_same_people_are_invented_every_time() -> None:
    assert invented((), NOW) == invented((), NOW)
    assert len({person.profile.id for person in invented((), NOW)}) == CONTACTS


async def test_the_month_is_there_once_and_was_lived_by_the_rules(store: Store, book: RulesOptions) -> None:
    begun = time.process_time()
    assert await planted(store, book) == CONTACTS
    assert time.process_time() - begun < 10, "of CPU: some 2 s"
    assert await planted(store, book) == 0
    assert await store.count("profiles", {}) == CONTACTS
    rows = await store.find("decisions", {})
    told = Counter(row["reason"].partition(":")[0].partition("->")[0] for row in rows)
    assert told["sent"] > 50 and {"sent", "no_consent", "opted_out", "quiet", "exit"} <= set(told)
    assert {row["rule"] for row in rows} >= {"welcome", "cart-reminder", "order-confirmation"}
    assert await store.count("messages", {"delivery.state": {"$in": ["queued", "sending"]}}) == 0, (
        "nothing is left to send"
    )
    assert await store.count("conversations", {}) > 40
    waiting, room = await store.count("conversations", {"owner": "queue"}), Agent("", "", "", "admin", NOW).capacity
    assert 0 < waiting < room, "somebody waits for a person, and who tries the demo finds room behind them"
    assert max(row["at"] for row in rows) <= NOW


async def test_anna_may_be_written_to_and_boris_may_not(store: Store, book: RulesOptions) -> None:
    await planted(store, book)
    ledgers = await Ledgers(store).read([ANNA, BORIS])
    assert ledgers[ANNA].on["webchat:service"] is True
    assert ledgers[BORIS].on["webchat:service"] is False
    proofs = await store.find("consents", {"profile": BORIS})
    assert {row["change"] for row in proofs} == {"withdrawn"} and all(row["wording"] for row in proofs)
