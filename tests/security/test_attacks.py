"""The attack list of the project's reliability notes, one case per number: each is refused, bounded or made harmless.

The folder mirrors no package, because nearly every case drives the whole server (fortress.py); the rest call the part that they
attack. The cases stand in files by what they attack, named `attack_<number>`, and say in their first line what is tried.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.security import (
    attacks_on_chat,
    attacks_on_console,
    attacks_on_people,
    attacks_on_rules,
    attacks_on_sign_in,
    attacks_on_the_wire,
    attacks_on_webhooks,
)
from tests.security.fortress import Fortress, fortress

FILES = (
    attacks_on_chat,
    attacks_on_console,
    attacks_on_people,
    attacks_on_rules,
    attacks_on_sign_in,
    attacks_on_the_wire,
    attacks_on_webhooks,
)
ATTACKS: dict[int, Callable[..., Awaitable[None]]] = {
    int(name.rpartition("_")[2]): attempt
    for file in FILES
    for name, attempt in vars(file).items()
    if name.startswith("attack_")
}
LAST = 70


@pytest.fixture
async def castle(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path, number: int
) -> AsyncIterator[Fortress | None]:
    """The server, for those that attack it."""
    if "castle" not in inspect.signature(ATTACKS[number]).parameters:
        yield None
        return
    async with fortress(mongo_url, database_name, free_port, tmp_path) as opened:
        await opened.people()
        yield opened


def test_every_number_has_one_case() -> None:
    count = sum(name.startswith("attack_") for file in FILES for name in vars(file))
    assert (sorted(ATTACKS), count) == (list(range(1, LAST + 1)), LAST)


@pytest.mark.parametrize("number", sorted(ATTACKS))
async def test_withstands(number: int, castle: Fortress | None, mongo_url: str, tmp_path: Path) -> None:
    known: dict[str, Any] = {"castle": castle, "mongo_url": mongo_url, "folder": tmp_path}
    attempt = ATTACKS[number]
    await attempt(**{name: known[name] for name in inspect.signature(attempt).parameters})
