"""Fixtures of the channels' tests."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.chromium import browsing


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with browsing() as program:
        yield program


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Pages of that Chromium on a desk, in English."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield context
    await context.close()
