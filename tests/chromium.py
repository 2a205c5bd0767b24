"""A real Chromium that calls nobody at home, for the tests that look at pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.needed import chromium

ARGUMENTS = (
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@asynccontextmanager
async def browsing(*more: str) -> AsyncIterator[Browser]:
    """Within the block it runs, with more arguments; without one on this machine the test is skipped (fails in CI)."""
    async with async_playwright() as played:
        program = await played.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *more])
        yield program
        await program.close()
