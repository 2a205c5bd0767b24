"""A store, and a writer on it, on the test run's real MongoDB."""

from collections.abc import AsyncIterator

import pytest

from profiles.indexes import INDEXES
from profiles.store import Store
from profiles.writer import Writer


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    """A store on a database of its own, with all indexes."""
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


@pytest.fixture
async def writer(store: Store) -> AsyncIterator[Writer]:
    """The writer of one process."""
    writer = Writer(store, process="p1")
    yield writer
    await writer.close()
