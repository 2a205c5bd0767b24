"""Where a process may be told to die: `CRASH_AT=name:n` ends it, as kill -9 would, when it passes that point the n-th time.

tests/faults walks every point named in the source and asks afterwards whether anything was lost or said twice. Without the
variable a point does nothing and nothing can switch it on: it is read once, when the process starts.
"""

import os
import signal
from collections.abc import Callable

VARIABLE = "CRASH_AT"


def _nothing(name: str) -> None:
    """Go on."""


def _dying(at: str) -> Callable[[str], None]:
    """Return what ends this process at the point `name:n` (the first time, without `:n`). Raises ValueError for no number."""
    wanted, _, number = at.partition(":")
    left = int(number or 1)

    def passed(name: str) -> None:
        nonlocal left
        if name == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return passed


crash_point: Callable[[str], None] = _dying(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else _nothing
"""Call it with the point's name, a literal: the walk finds the names in the source."""
