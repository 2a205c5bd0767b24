"""Wallet steps are carried out after their commit: together per pass, again after a failure, once when all goes well."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from profiles.indexes import INDEXES
from profiles.passes import Kept, Wish
from profiles.record import to_document
from profiles.store import Store, Unavailable
from rules.wallet_errands import WalletErrands
from tests.cast import NOON, anna


class Shelf:
    """A database with errands, and a keeper of passes that notes what is wished for."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOON
        self.wishes: list[Wish] = []
        self.answer: Kept | Exception = "changed"
        self.worker = WalletErrands(store, self.keep, clock=lambda: self.now)

    async def keep(self, wish: Wish) -> Kept:
        self.wishes.append(wish)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def ask(self, id: str, fields: dict[str, str] | None = None, *, at: datetime = NOON, **more: Any) -> None:
        await self.store.insert("errands", {
            "_id": id, "kind": "wallet", "target": "loyalty", "profile": "anna", "fields": fields or {}, "rule": "tell",
            "run": "r1", "start": {"name": "order.paid", "total": 30}, "at": at, "due_at": at, "attempts": 0, **more,
        })  # fmt: skip

    async def row(self, id: str) -> dict[str, Any]:
        found = await self.store.get("errands", id)
        assert found
        return found


@pytest.fixture
async def shelf(mongo_url: str, database_name: str) -> AsyncIterator[Shelf]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    await store.insert("profiles", to_document(anna()))
    yield Shelf(store)
    await store.close()


async def test_what_waits_for_one_pass_is_one_wish_the_latest_word_holding(shelf: Shelf) -> None:
    await shelf.ask("e1", {"offer": "first", "tier": "gold"})
    await shelf.ask("e2", {"offer": "{{ contact.first_name }} paid {{ start.total }}"}, at=NOON + timedelta(seconds=1))
    await shelf.ask("e3", {"message": "Hello {{ contact.first_name }}"}, at=NOON + timedelta(seconds=2))
    shelf.now = NOON + timedelta(seconds=3)
    assert await shelf.worker.look() == 3
    assert shelf.wishes == [
        Wish("anna", "loyalty", {"offer": "Anna paid 30", "tier": "gold"}, "Hello Anna", "e3", ends=False)
    ]
    for id in ("e1", "e2", "e3"):
        row = await shelf.row(id)
        assert (row["state"], row["reason"], "due_at" in row) == ("done", "changed", False)
    assert await shelf.worker.look() == 0


async def test_the_passes_of_two_people_are_two_wishes(shelf: Shelf) -> None:
    await shelf.store.insert("profiles", {**to_document(anna()), "_id": "berta"})
    await shelf.ask("e1")
    await shelf.ask("e2", profile="berta")
    await shelf.worker.look()
    assert sorted(wish.profile for wish in shelf.wishes) == ["anna", "berta"]


async def test_a_database_that_did_not_confirm_is_asked_again(shelf: Shelf) -> None:
    await shelf.ask("e1")
    shelf.answer = Unavailable("away")
    assert await shelf.worker.look() == 1
    row = await shelf.row("e1")
    assert row["due_at"] > shelf.now
    assert "state" not in row
    shelf.answer, shelf.now = "changed", row["due_at"]
    assert await shelf.worker.look() == 1
    assert (await shelf.row("e1"))["state"] == "done"


async def test_who_claimed_it_and_died_has_it_done_by_the_next(shelf: Shelf) -> None:
    await shelf.ask("e1")
    shelf.answer = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        await shelf.worker.look()
    assert await shelf.worker.look() == 0
    shelf.answer, shelf.now = "changed", shelf.now + timedelta(seconds=61)
    assert await shelf.worker.look() == 1
    assert (await shelf.row("e1"))["state"] == "done"


@pytest.mark.parametrize("answer", ["nobody", "no_card", "unshown"])
async def test_what_can_never_be_kept_is_given_up_with_its_reason(shelf: Shelf, answer: Kept) -> None:
    await shelf.ask("e1")
    shelf.answer = answer
    await shelf.worker.look()
    row = await shelf.row("e1")
    assert (row["state"], row["reason"]) == ("dead", answer)


async def test_without_a_wallet_it_is_given_up_as_off(shelf: Shelf) -> None:
    await shelf.ask("e1")
    await WalletErrands(shelf.store, None, clock=lambda: shelf.now).look()
    row = await shelf.row("e1")
    assert (row["state"], row["reason"]) == ("dead", "off")


async def test_a_merged_contact_is_the_one_that_they_became_and_the_end_is_wished_for(shelf: Shelf) -> None:
    await shelf.store.insert("profiles", {**to_document(anna()), "_id": "old", "merged_into": "anna"})
    await shelf.ask("e1", profile="old", ends=True)
    await shelf.worker.look()
    assert [(wish.profile, wish.ends) for wish in shelf.wishes] == [("anna", True)]
