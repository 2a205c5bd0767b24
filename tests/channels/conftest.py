"""Fixtures of the channels' tests."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.chromium import browsing


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with browsing() as program:
        yield program
