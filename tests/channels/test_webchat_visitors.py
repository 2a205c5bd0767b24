"""Whose conversation it is, where two sockets ask at the same instant."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from channels.webchat_tokens import new_address, sign_identity, visitor_token
from channels.webchat_visitors import Keys, Locked, Visitor, may_write, recognise
from profiles.indexes import INDEXES
from profiles.store import Store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "the shop signs with thirty-two characters"
KEYS = Keys(b"o" * 32, (KEY,))


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare({"visitors": INDEXES["visitors"], "conversations": ()})
    yield store
    await store.close()


def _identity(subject: str) -> str:
    return sign_identity({"sub": subject}, KEY, now=NOON, valid_for=timedelta(hours=1))


async def _come(store: Store, token: str, identity: str = "") -> Visitor | Locked:
    return await recognise(token, identity, keys=KEYS, store=store, now=NOON)


async def test_two_persons_who_prove_themselves_on_one_browser_at_once_part(store: Store) -> None:
    for _ in range(10):
        token = visitor_token(new_address(), KEYS.own)
        both = await asyncio.gather(*(_come(store, token, _identity(name)) for name in ("anna", "boris")))
        assert all(isinstance(one, Visitor) for one in both)
        addresses = [one.address for one in both if isinstance(one, Visitor)]
        assert len(set(addresses)) == 2
        owners = [(await store.get("visitors", address) or {})["subject"] for address in addresses]
        assert owners == ["anna", "boris"]


async def test_a_person_in_two_tabs_at_once_keeps_the_browsers_address(store: Store) -> None:
    address = new_address()
    await store.insert("conversations", {"_id": f"webchat:{address}"})
    token = visitor_token(address, KEYS.own)
    tabs = await asyncio.gather(*(_come(store, token, _identity("anna")) for _ in range(5)))
    assert {tab.address for tab in tabs if isinstance(tab, Visitor)} == {address}


async def test_words_said_before_signing_in_stay_with_the_person_and_an_empty_browser_goes_home(store: Store) -> None:
    home = await _come(store, "", _identity("anna"))
    assert isinstance(home, Visitor)
    spoken, empty = new_address(), new_address()
    await store.insert("conversations", {"_id": f"webchat:{spoken}"})
    kept = await _come(store, visitor_token(spoken, KEYS.own), _identity("anna"))
    assert isinstance(kept, Visitor)
    assert (kept.address, kept.moved) == (spoken, False)
    moved = await _come(store, visitor_token(empty, KEYS.own), _identity("anna"))
    assert isinstance(moved, Visitor)
    assert (moved.address in (home.address, spoken), moved.moved, moved.brings) == (True, True, True)


async def test_on_another_device_a_person_finds_the_conversation_where_they_wrote_last(store: Store) -> None:
    first, second = new_address(), new_address()
    for address, hour in ((first, 1), (second, 0)):
        await store.insert("conversations", {"_id": f"webchat:{address}", "last_at": NOON + timedelta(hours=hour)})
        assert isinstance(await _come(store, visitor_token(address, KEYS.own), _identity("anna")), Visitor)
    phone = await _come(store, "", _identity("anna"))
    assert isinstance(phone, Visitor)
    assert phone.address == first


async def test_a_subject_that_looks_like_an_operator_is_only_a_text(store: Store) -> None:
    first = await _come(store, "", _identity('{"$gt": ""}'))
    second = await _come(store, "", _identity("$ne"))
    assert isinstance(first, Visitor)
    assert isinstance(second, Visitor)
    assert first.address != second.address


async def test_only_its_owner_may_write_to_a_bound_address(store: Store) -> None:
    anna = await _come(store, "", _identity("anna"))
    assert isinstance(anna, Visitor)
    token = visitor_token(anna.address, KEYS.own)
    checks = [(_identity("anna"), anna.address), (_identity("boris"), None), ("", None), ("bent", None)]
    for identity, expected in checks:
        assert await may_write(token, identity, keys=KEYS, store=store, now=NOON) == expected
    assert await may_write("forged", _identity("anna"), keys=KEYS, store=store, now=NOON) is None
