"""What was sealed and changed, removed, slipped in or sealed anew afterwards is found; what was left alone is whole."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from profiles import seals
from profiles.indexes import INDEXES
from profiles.seals import COLLECTION, Seals, Verdict, head_of, row_hash, sealable, verify
from profiles.store import Store
from tests.world import NOON


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    yield opened
    await opened.close()


@pytest.fixture
def sealer(store: Store) -> Seals:
    return Seals(store, clock=lambda: NOON)


async def test_rows_are_sealed_once_in_order_and_the_chain_is_whole(store: Store, sealer: Seals) -> None:
    await _write(store, "a", "b")
    assert (await verify(store, "audit")).waiting == 2
    assert await sealer.look() == 2
    await _write(store, "c")
    assert (await sealer.look(), await sealer.look()) == (1, 0)
    verdict = await verify(store, "audit")
    assert (verdict.seals, verdict.rows, verdict.waiting, verdict.broken) == (2, 3, 0, ())
    assert verdict.head == (await _seals(store))[-1]["head"]


async def test_many_rows_make_several_seals_and_the_last_head_is_logged(
    store: Store, sealer: Seals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "profiles.seals")
    monkeypatch.setattr(seals, "ROWS", 7)
    await _write(store, *(f"r{number:03}" for number in range(30)))
    assert await sealer.look() == 30
    verdict = await verify(store, "audit")
    assert _summed(verdict) == (5, 30, ())
    assert caplog.messages == [f"seals.sealed kind=audit number=5 rows=30 head={verdict.head}"]


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda store: store.change("audit", {"_id": "b"}, {"$set": {"by": "somebody else"}}), "row b was changed"),
        (lambda store: store.change("audit", {"_id": "b"}, {"$set": {"more": 1}}), "row b was changed"),
        (lambda store: store.remove("audit", {"_id": "b"}), "row b was removed"),
        (lambda store: store.insert("audit", {"_id": "bb", "at": NOON, "by": "maya"}), "1 rows were slipped in"),
        (lambda store: store.remove(COLLECTION, {"number": 1}), "seal 2 does not follow seal 0"),
        (lambda store: store.change(COLLECTION, {"number": 1}, {"$pop": {"rows": 1}}), "seal 1 was changed"),
    ],
)
async def test_harm_done_afterwards_is_named(store: Store, sealer: Seals, harm: Any, found: str) -> None:
    await _write(store, "a", "b")
    await sealer.look()
    await _write(store, "c")
    await sealer.look()
    assert (await verify(store, "audit")).broken == ()
    await harm(store)
    assert found in (await verify(store, "audit")).broken


async def test_a_chain_made_anew_over_changed_rows_is_found_by_a_head_kept_elsewhere(
    store: Store, sealer: Seals
) -> None:
    await _write(store, "a", "b")
    await sealer.look()
    kept = {1: (await verify(store, "audit")).head}
    await store.change("audit", {"_id": "b"}, {"$set": {"by": "somebody else"}})
    seal = (await _seals(store))[0]
    rows = [[row["_id"], row_hash(row)] for row in await store.find("audit", {}, sort=[("_id", 1)])]
    forged = {"rows": rows, "head": head_of(seal["before"], 1, rows)}
    await store.change(COLLECTION, {"_id": seal["_id"]}, {"$set": forged})
    assert (await verify(store, "audit")).broken == ()
    assert (await verify(store, "audit", kept)).broken == ("seal 1 is not the one whose head was kept",)


async def test_a_chain_cut_short_is_found_by_a_head_kept_elsewhere(store: Store, sealer: Seals) -> None:
    await _write(store, "a")
    await sealer.look()
    await _write(store, "b")
    await sealer.look()
    kept = {2: (await verify(store, "audit")).head}
    await store.remove("audit", {"_id": "b"})
    await store.remove(COLLECTION, {"number": 2})
    assert (await verify(store, "audit", kept)).broken == ("seal 2 is missing",)


async def test_processes_that_seal_at_once_seal_each_row_once(store: Store) -> None:
    await _write(store, *(f"r{number:03}" for number in range(40)))
    several = [Seals(store, clock=lambda: NOON) for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(one.look() for one in several))
    ids = [id for seal in await _seals(store) for id, _ in seal["rows"]]
    assert len(ids) == len(set(ids)) == 40
    assert (await verify(store, "audit")).broken == ()


async def test_who_died_between_the_seal_and_the_marks_is_taken_up(store: Store, sealer: Seals) -> None:
    await _write(store, "a", "b")
    await sealer.look()
    await store.change_many("audit", {}, {"$set": {"unsealed": True}})  # as if their marks had never been taken off
    await _write(store, "c")
    assert await sealer.look() == 1
    assert _summed(await verify(store, "audit")) == (2, 3, ())


async def test_rows_from_before_there_were_seals_are_the_first_to_be_sealed(store: Store, sealer: Seals) -> None:
    await store.insert("consents", {"_id": "old", "profile": "anna", "at": NOON, "evidence": {"until": NOON}})
    await sealer.start()
    await sealer.close()
    await sealer.look()
    assert _summed(await verify(store, "consents")) == (1, 1, ())


async def _write(store: Store, *ids: str) -> None:
    for id in ids:
        await store.insert("audit", sealable({"_id": id, "at": NOON, "by": "maya", "act": "x", "about": "y"}))


async def _seals(store: Store) -> list[Any]:
    return await store.find(COLLECTION, {}, sort=[("number", 1)])


def _summed(verdict: Verdict) -> tuple[int, int, tuple[str, ...]]:
    return verdict.seals, verdict.rows, verdict.broken
