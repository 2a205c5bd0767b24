"""What all fault tests share: the seed, how long they last, the nursery, and the table at the end."""

import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.servers import Nursery, nursery_open

SHORT_SECONDS = 4.0
_figures: list[Figures] = []


@pytest.fixture(scope="session")
def seed() -> int:
    """Where all chance comes from: FAULTS_SEED, else drawn, and printed at the end."""
    return int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.fixture(scope="session")
def seconds() -> float:
    """How long a test under load lasts: FAULTS_SECONDS, else the short form of CI."""
    return float(os.environ.get("FAULTS_SECONDS") or SHORT_SECONDS)


@pytest.fixture(scope="session")
def is_long() -> bool:
    """Whether this is `make faults`, on a machine of its own, and not the short form of CI."""
    return "FAULTS_SECONDS" in os.environ


@pytest.fixture
def chance(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """This test's own chance, from the seed and its name."""
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="session")
def figures(seed: int, seconds: float) -> Figures:
    """The table that is printed at the end."""
    _figures.append(Figures(seed, seconds, load=os.getloadavg()[0]))
    return _figures[-1]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where servers are born."""
    with nursery_open() as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for this test's servers and journals."""
    return tmp_path


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    """This test's own database, as the server sees it."""
    opened = Store(mongo_url, database_name)
    yield opened
    await opened.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    for figures in _figures:
        terminalreporter.section("faults")
        for line in figures.table():
            terminalreporter.write_line(line)
