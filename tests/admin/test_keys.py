"""API keys are made once, kept as a hash, and recognised; callers are slowed down by what they spend."""

import asyncio
import re
from datetime import timedelta

import pytest

from admin.keys import Buckets, Ring, create_key, every_key, revoke_key
from profiles.store import Store
from tests.admin.api_client import NOON


@pytest.fixture
async def store(mongo_url: str, database_name: str):  # type: ignore[no-untyped-def]
    store = Store(mongo_url, database_name)
    yield store
    await store.close()


async def test_a_key_is_kept_as_a_hash_only(store: Store) -> None:
    text = await create_key(store, " till ", ["events:write", "events:write"], now=NOON)
    assert re.fullmatch(r"ck_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", text)
    rows = await store.find("keys", {})
    assert rows[0]["name"] == "till"
    assert rows[0]["scopes"] == ["events:write"]
    assert text.split("_")[2] not in str(rows)


async def test_two_keys_have_nothing_in_common(store: Store) -> None:
    one, other = [await create_key(store, "till", ["events:write"], now=NOON) for _ in range(2)]
    assert one.split("_")[1] != other.split("_")[1]
    assert one.split("_")[2] != other.split("_")[2]


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("", ["events:write"]),
        ("\u200b\u2060 ", ["events:write"]),
        ("x" * 101, ["events:write"]),
        ("till", []),
        ("till", ["all"]),
    ],
)
async def test_a_key_that_can_not_be_made_says_why(store: Store, name: str, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="^key: "):
        await create_key(store, name, scopes, now=NOON)


async def test_a_key_that_would_end_before_it_begins_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="^key: expected an end in the future"):
        await create_key(store, "till", ["events:write"], now=NOON, expires_at=NOON)
    assert await store.count("audit", {}) == 0


async def test_the_audit_says_who_made_and_revoked_a_key_and_not_the_key(store: Store) -> None:
    text = await create_key(store, "till", ["events:write", "devices:write"], now=NOON, by="maya")
    id = text.split("_")[1]
    await revoke_key(store, id, now=NOON + timedelta(days=1), by="samir")
    rows = await store.find("audit", {"about": f"key:{id}"}, sort=[("at", 1)])
    assert [(row["act"], row["by"]) for row in rows] == [("key.created", "maya"), ("key.revoked", "samir")]
    for row in rows:
        assert row["details"] == {"name": "till", "scopes": ["events:write", "devices:write"]}
        assert text.split("_")[2] not in str(row)
    (key,) = await every_key(store)
    assert key.created_by == "maya" and key.revoked_at == NOON + timedelta(days=1) and key.hash not in str(rows)


async def test_of_two_who_revoke_a_key_at_once_one_did_it(store: Store) -> None:
    id = (await create_key(store, "till", ["events:write"], now=NOON)).split("_")[1]
    done = await asyncio.gather(*(revoke_key(store, id, now=NOON, by=who) for who in ("maya", "samir")))
    assert sum(key is not None for key in done) == 1
    assert await store.count("audit", {"act": "key.revoked"}) == 1


@pytest.mark.parametrize("name", ["\x9b2Jtill", "till\u2028", "\x1btill\u2029\x85"])
async def test_a_name_gives_a_terminal_no_orders(store: Store, name: str) -> None:
    await create_key(store, name, ["events:write"], now=NOON)
    assert [key.name.removeprefix("2J") for key in await every_key(store)] == ["till"]


async def test_a_name_can_not_write_the_rest_of_a_line_backwards(store: Store) -> None:
    await create_key(store, "ti\u202ell\n", ["events:write"], now=NOON)
    assert [key.name for key in await every_key(store)] == ["till"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {} {}", "Bearer {}x", "Bearer x{}"]
)
async def test_only_a_bearer_token_is_a_key(store: Store, header: str) -> None:
    text = await create_key(store, "till", ["events:write"], now=NOON)
    ring = Ring(store)
    assert await ring.key_of(header.replace("{}", text), now=NOON) is None
    for written in (f"Bearer {text}", f"bearer {text}", f"Bearer  {text} "):
        assert await ring.key_of(written, now=NOON) is not None


async def test_guessed_ids_do_not_fill_the_memory(store: Store) -> None:
    ring = Ring(store)
    for number in range(1_100):
        await ring.key_of(f"Bearer ck_{number:08d}_{'a' * 43}", now=NOON)
    assert len(ring._seen) <= 1_001


def test_tokens_refill_with_time() -> None:
    buckets = Buckets()
    assert [buckets.wait_for("a", 1, per_second=2, now=0.0) for _ in range(13)] == [0.0] * 12 + [0.5]
    assert buckets.wait_for("a", 1, per_second=2, now=0.5) == 0.0
    assert buckets.wait_for("b", 12, per_second=2, now=0.0) == 0.0
    assert buckets.wait_for("a", 12, per_second=2, now=100.0) == 0.0
