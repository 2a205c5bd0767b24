"""API keys are made once, kept as a hash, and recognised; callers are slowed down by what they spend."""

import re

import pytest

from admin.keys import Buckets, Ring, create_key
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
    ("name", "scopes"), [("", ["events:write"]), ("x" * 101, ["events:write"]), ("till", []), ("till", ["all"])]
)
async def test_a_key_that_can_not_be_made_says_why(store: Store, name: str, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="^key: "):
        await create_key(store, name, scopes, now=NOON)


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
