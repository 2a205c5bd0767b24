"""How often does Python look for dead cycles, and from how many heaps does it take memory? Seldom, and from one.

A server remembers thousands of records and makes few cycles; its threads take turns anyway.
"""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)
NEW_OBJECTS = 20_000  # between two looks at the young; Python's own 700 comes up every ten messages


@contextmanager
def undisturbed() -> Iterator[None]:
    """Look for no dead cycles within, and never at what was made within: for loading and reading, whose results stay.

    Else the collector goes through all that is there again and again while it grows: a twelfth of the CPU of a start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def collect_seldom() -> None:
    """Never look again at what the start made, look seldom at the rest, and give back the memory that only starting needed.

    Call it once, when the server is ready. Measured at 128 clients: 270 us of CPU a message before, 200 us after, which is
    what switching the collector off gives too; what people wrote lives in records that no cycle holds.
    """
    gc.collect()
    give_back()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 50)


def keep_one_heap() -> None:
    """Let all threads take memory from one heap, where the C library can. Call it before there are threads.

    Else each thread that talks to the database has its own, and keeps there what a campaign of 8,000 mails once needed: 32 MB
    more than at rest, and 2 with one. Python's threads take turns, so they do not wait for one another there.
    """
    with suppress(OSError, AttributeError):  # mallopt is glibc's own
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Return freed memory to the system, where the C library can: reading the bot and the rule book leaves holes behind."""
    with suppress(OSError, AttributeError):  # malloc_trim is glibc's own
        ctypes.CDLL(None).malloc_trim(0)
