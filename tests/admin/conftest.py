"""Fixtures of the console's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.market import shelve
from tests.admin.office import Office, close_office, open_office, seed


@pytest.fixture
async def office(mongo_url: str, database_name: str) -> AsyncIterator[Office]:
    """An empty console that runs."""
    made = await open_office(mongo_url, database_name)
    yield made
    await close_office(made)


@pytest.fixture
async def shop(office: Office) -> Office:
    """A console with three people who wrote."""
    await seed(office)
    return office


@pytest.fixture
async def market(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    """A console with three people who wrote and a rule book; nobody's hours are asked but real ones."""
    made = await open_office(mongo_url, database_name, book=shelve(tmp_path))
    await seed(made)
    yield made
    await close_office(made)
