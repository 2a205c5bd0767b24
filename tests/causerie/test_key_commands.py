"""`causerie key` and `causerie keys` as an operator uses them: made with an end, listed, revoked, and revoked once more."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from admin.keys import Ring, create_key, revoke_key
from causerie.arguments import parser
from causerie.key_commands import list_keys, make_key, revoke
from profiles.indexes import INDEXES
from profiles.store import Store
from tests.world import NOON


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    yield opened
    await opened.close()


async def test_a_key_is_the_only_line_and_ends_after_its_days(store: Store) -> None:
    said: list[str] = []
    assert await make_key(store, "till", ["events:write"], said.append, now=NOON, days=30) == 0
    (text,) = said
    good_until = NOON + timedelta(days=30)
    assert await Ring(store).key_of(f"Bearer {text}", now=good_until - timedelta(seconds=1))
    assert await Ring(store).key_of(f"Bearer {text}", now=good_until) is None


async def test_keys_are_listed_with_what_became_of_them_and_never_with_their_hash(store: Store) -> None:
    texts = [
        await create_key(store, "shop", ["profiles:read", "events:write"], now=NOON - timedelta(days=2), by="maya"),
        await create_key(store, "trial", ["events:write"], now=NOON - timedelta(days=1), expires_at=NOON),
        await create_key(store, "till", ["events:write"], now=NOON),
    ]
    shop, trial, till = (text.split("_")[1] for text in texts)
    assert await Ring(store).key_of(f"Bearer {texts[0]}", now=NOON)
    assert await revoke_key(store, till, now=NOON + timedelta(minutes=5))
    said: list[str] = []
    assert await list_keys(store, said.append, now=NOON + timedelta(hours=1)) == 0
    day = f"{NOON:%Y-%m-}"
    assert said[0] == f"{till}  revoked  till"
    assert said[2].strip() == (
        f"made {NOON:%Y-%m-%d %H:%M} UTC by the command line, never used, revoked {day}{NOON:%d %H:}05 UTC"
    )
    assert said[3] == f"{trial}  expired  trial" and said[5].endswith(f"never used, ends {NOON:%Y-%m-%d %H:%M} UTC")
    assert said[6:8] == [f"{shop}  good     shop", "          profiles:read events:write"]
    assert " by maya, last used " in said[8] and len(said) == 9
    kept = [row["hash"] for row in await store.find("keys", {})]
    assert not any(secret in "\n".join(said) for secret in (*kept, *(text.split("_")[2] for text in texts)))


async def test_where_there_is_no_key_the_list_says_how_to_make_one(store: Store) -> None:
    said: list[str] = []
    assert await list_keys(store, said.append, now=NOON) == 0
    assert said == ["There is no key. Hint: causerie key NAME --scope SCOPE"]


async def test_a_revoked_key_opens_nothing_and_is_not_revoked_twice(store: Store) -> None:
    text = await create_key(store, "till", ["events:write"], now=NOON)
    id, said = text.split("_")[1], list[str]()
    assert await revoke(store, id, said.append, now=NOON) == 0
    assert said == [f"Revoked: {id} (till). It stops within 5 seconds, on every server."]
    assert await Ring(store).key_of(f"Bearer {text}", now=NOON) is None
    assert await revoke(store, id, said.append, now=NOON + timedelta(days=1)) == 1
    assert "it was revoked already. Hint: causerie keys" in said[1]
    assert await store.count("audit", {"act": "key.revoked", "about": f"key:{id}"}) == 1


@pytest.mark.parametrize("more", ["", "…", "_and_the_rest"])
async def test_a_key_is_revoked_by_what_lists_and_leaks_show_of_it(store: Store, more: str) -> None:
    id, said = (await create_key(store, "till", ["events:write"], now=NOON)).split("_")[1], list[str]()
    assert await revoke(store, f"ck_{id}{more}", said.append, now=NOON) == 0
    assert said[0].startswith(f"Revoked: {id} (till).")


async def test_what_is_no_key_is_1_with_a_hint(store: Store) -> None:
    said: list[str] = []
    assert await revoke(store, "nobody", said.append, now=NOON) == 1
    assert said == [
        '--revoke: expected the id of a key, got "nobody": there is no such key. Hint: causerie keys lists them'
    ]


def test_the_command_line_reaches_them() -> None:
    made = parser().parse_args(["key", "till", "--scope", "events:write", "--days", "30"])
    assert (made.name, made.scope, made.days) == ("till", ["events:write"], 30)
    assert parser().parse_args(["key", "till", "--scope", "events:write"]).days is None
    assert parser().parse_args(["keys"]).revoke is None
    assert parser().parse_args(["keys", "--revoke", "Jx2kQ0aB"]).revoke == "Jx2kQ0aB"


@pytest.mark.parametrize("days", ["0", "-1", "3651", "1.5", "two", ""])
def test_days_that_are_none_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["key", "till", "--scope", "events:write", f"--days={days}"])
    assert f'expected a number from 1 to 3650, got "{days}"' in capsys.readouterr().err
