"""One line on the terminal for each step of starting and stopping, with the time since the beginning."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

Progress = Callable[[str], None]


def on_terminal(stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return a Progress that prints each step as `[ 0.4 s] text`, counted from now."""
    begun = clock()

    def step(text: str) -> None:
        print(f"[{clock() - begun:5.1f} s] {text}", file=stream, flush=True)

    return step


def silent(text: str) -> None:
    """Say nothing: the Progress of tests and of commands whose output is read by programs."""
