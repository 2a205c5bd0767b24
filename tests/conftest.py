"""What every test may ask for: a real MongoDB, started once and shared; a fresh database; a free port."""

import asyncio
import gc
import logging
import os
import shutil
import tempfile
import uuid
from collections import deque
from collections.abc import Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp.web_app import _cached_build_middleware

from causerie.data_folder import free_port as any_free_port
from causerie.logs import OneLine
from causerie.mongod import Mongod, StoreOptions, start
from profiles.store import Store
from tests.pace import Pace
from tests.trained import trained_once

Answer = TypeVar("Answer")
ROOM_BYTES = 2 * 1024**3
RESTING = 4  # databases: a straggler of one test must not meet the next


@pytest.fixture(scope="session")
def mongod() -> Iterator[Mongod]:
    """The one MongoDB of this test run; do not stop it, start your own for that (tests/causerie/test_mongod.py)."""
    folder = Path(tempfile.mkdtemp(prefix="causerie-tests-", dir=_fast_folder()))
    database = run(start(StoreOptions(folder=str(folder))))
    yield database
    run(database.stop())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mongo_url(mongod: Mongod) -> str:
    """The address of the test run's MongoDB."""
    return mongod.url


@pytest.fixture
def database_name(cleaner: Any, emptied: deque[str]) -> Iterator[str]:
    """The name of an empty database that this test alone uses.

    It is emptied afterwards and used again, indexes and all: making the sixty of a new one costs half a second a test.
    """
    name = emptied.popleft() if len(emptied) >= RESTING else f"test_{uuid.uuid4().hex[:12]}"
    yield name
    for collection in cleaner[name].list_collection_names():
        cleaner[name][collection].delete_many({})
    emptied.append(name)


@pytest.fixture(scope="session")
def cleaner(mongo_url: str) -> Any:
    """A plain client of the driver, for emptying databases between tests."""
    return Store(mongo_url, "cleaner")._client


@pytest.fixture(scope="session")
def emptied() -> deque[str]:
    """Names of databases that earlier tests left empty, the one that has rested longest first."""
    return deque()


@pytest.fixture(autouse=True, scope="session")
def trained() -> Iterator[None]:
    """Let all tests share what was learned from the same files."""
    with trained_once():
        yield


@pytest.fixture(autouse=True, scope="module")
def forgotten() -> Iterator[None]:
    """Let go of the applications of earlier tests: aiohttp remembers each that answered, and it holds a whole trained bot.

    And of where their logs went: every line after would fail at length.
    """
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler.formatter, OneLine)]
    _cached_build_middleware.cache_clear()
    gc.unfreeze()  # what bot/live.py keeps from the collector lives as long as a server, not as a test


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return any_free_port()


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run this to its end on a loop of its own, in this thread, beside the loop of the tests."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)


def _fast_folder() -> str | None:
    """Return a folder in memory when it has room: each commit waits for the disk, and these disks hold nothing dear."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    room = os.statvfs(memory)
    return str(memory) if room.f_bavail * room.f_frsize > ROOM_BYTES else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test logged travel between processes: some log half a character on purpose."""
    report = yield
    report.sections = [(title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections]
    return report


def pytest_configure(config: pytest.Config) -> None:
    """Tell what takes long, where a whole run is waited for; and let browsers be late."""
    if os.environ.get("CI") and (reporter := config.pluginmanager.get_plugin("terminalreporter")):
        config.pluginmanager.register(Pace(reporter), "pace")
    _be_patient_with_browsers()


def _be_patient_with_browsers() -> None:
    """Let a browser on a busy machine be late: what is live comes in a fifth of a second, five are too few for a start."""
    try:
        from playwright.async_api import expect
    except ImportError:
        return
    expect.set_options(timeout=20_000)
