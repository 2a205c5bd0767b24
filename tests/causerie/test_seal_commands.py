"""`causerie seals` as an operator uses it: whole, broken, beside a head that was written down, and with nonsense."""

from collections.abc import AsyncIterator

import pytest

from causerie.arguments import parser
from causerie.seal_commands import check_seals
from profiles.indexes import INDEXES
from profiles.seals import Seals, sealable
from profiles.store import Store
from tests.world import NOON


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    for number in range(30):
        await opened.insert("audit", sealable({"_id": f"r{number:02}", "at": NOON, "by": "maya"}))
    await Seals(opened, clock=lambda: NOON).look()
    yield opened
    await opened.close()


async def test_a_whole_chain_is_0_and_its_head_may_be_shown_again(store: Store) -> None:
    said: list[str] = []
    assert await check_seals(store, [], said.append) == 0
    assert said[0] == "audit: 30 rows under 1 seals, 0 waiting for theirs."
    assert said[2] == "consents: 0 rows under 0 seals, 0 waiting for theirs."
    head = said[1].split()[1]
    assert await check_seals(store, [head], said.append) == 0
    assert await check_seals(store, [head[:-8] + "00000000"], said.append) == 1


async def test_what_is_broken_is_1_and_the_first_are_named(store: Store) -> None:
    await store.remove("audit", {})
    said: list[str] = []
    assert await check_seals(store, [], said.append) == 1
    assert "  row r00 was removed" in said and "  and 10 more" in said


@pytest.mark.parametrize("head", ["", "audit", "audit:x:" + "0" * 64, "messages:1:" + "0" * 64, "audit:1:short"])
async def test_a_head_that_is_none_is_refused(store: Store, head: str) -> None:
    with pytest.raises(ValueError, match="--head: expected audit:12:"):
        await check_seals(store, [head], [].append)


def test_the_command_line_reaches_it() -> None:
    assert parser().parse_args(["seals", "--head", "a", "--head", "b"]).head == ["a", "b"]
