"""Where a process may be told to die: `CRASH_AT=name:n` ends it, as kill -9 would, when it passes that point the n-th time.

tests/faults walks every point named in the source and asks afterwards whether anything was lost or said twice. Without the
variable, which is read once when the process starts, a point does nothing.
"""

import os
import signal

VARIABLE = "CRASH_AT"


def crash_point(name: str) -> None:
    """Die here if this process was told to. `name` is a literal: the walk finds the names in the source."""
    if _wanted == name:
        _die_in_the_end()


def arm(at: str) -> None:
    """Have this process die at the point `name:n` (the first time, without `:n`). Raises ValueError for no number."""
    global _wanted, _left
    _wanted, _, number = at.partition(":")
    _left = int(number or 1)


def _die_in_the_end() -> None:
    global _left
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


_wanted, _left = "", 0
if os.environ.get(VARIABLE):
    arm(os.environ[VARIABLE])
