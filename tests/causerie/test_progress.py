"""One line for each step, with the time since the beginning."""

import io

from causerie.progress import on_terminal


def test_each_step_is_a_line_with_the_seconds_since_the_beginning() -> None:
    stream, now = io.StringIO(), iter([100.0, 100.04, 112.5])
    progress = on_terminal(stream, lambda: next(now))
    progress("Starting MongoDB")
    progress("Ready")
    assert stream.getvalue() == "[  0.0 s] Starting MongoDB\n[ 12.5 s] Ready\n"
