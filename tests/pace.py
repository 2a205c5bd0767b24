"""Where the time of a whole run goes, told as it runs: a run that is stopped half way has then said what held it up."""

import time
from collections import Counter

import pytest

SLOW_SECONDS = 20.0
FILES = 15


class Pace:
    """Tells of every test that took long, at once, and of the files that took longest, at the end."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._began = time.monotonic()
        self._seconds: Counter[str] = Counter()
        self._of_test: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up set-up, test and tear-down."""
        self._of_test[report.nodeid] += report.duration  # type: ignore[assignment]
        if report.when != "teardown":
            return
        seconds = self._of_test.pop(report.nodeid)
        self._seconds[report.nodeid.split("::")[0]] += seconds
        if seconds >= SLOW_SECONDS:
            minutes = (time.monotonic() - self._began) / 60
            self._reporter.write_line(f"\n[test] after {minutes:.0f} min: {seconds:.0f} s for {report.nodeid}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the files that took longest."""
        terminalreporter.section("slowest files")
        for name, seconds in self._seconds.most_common(FILES):
            terminalreporter.write_line(f"{seconds:7.1f} s {name}")
