"""The collector's rhythm after a start."""

import gc
from collections.abc import Iterator

import pytest

from causerie.garbage import NEW_OBJECTS, collect_seldom, undisturbed


@pytest.fixture(autouse=True)
def rhythm() -> Iterator[None]:
    """Leave the collector as it was for the other tests."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_the_start_made_is_not_looked_at_again() -> None:
    collect_seldom()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] == NEW_OBJECTS


def test_a_dead_cycle_made_later_is_still_found() -> None:
    collect_seldom()
    made: list[object] = []
    made.append(made)
    del made
    assert gc.collect() >= 1


def test_what_is_loaded_undisturbed_is_never_looked_at_and_the_collector_works_on() -> None:
    before = gc.get_freeze_count()
    with undisturbed():
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]
    assert gc.isenabled() and gc.get_freeze_count() >= before + len(kept)
