"""What the processes of one installation tell each other and nobody keeps: who is here, who is writing, look again now.

A hint may be lost with the process that gives it, so nothing may depend on one. What holds for a while (`keep`) is said again
when it changes, to every newcomer, and every ten seconds.
"""

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("profiles.hints")

Hear = Callable[[str, Any], None]
"""Told (process, value). The value is None when that process is gone, and what it said holds no more."""


def _nobody(name: str, value: Any) -> None:
    """Tell nobody: this process is alone."""


class Hints:
    """One per process; profiles/neighbours.py carries them. Values are what MongoDB can keep."""

    def __init__(self) -> None:
        self.send: Callable[[str, Any], None] = _nobody
        self._hearers: dict[str, list[Hear]] = {}
        self._standing: dict[str, Callable[[], Any]] = {}

    def tell(self, name: str, value: Any) -> None:
        """Tell the other processes, if there are any. Who gives the hint does not hear it."""
        self.send(name, value)

    def on(self, name: str, hear: Hear) -> None:
        """Call this with every hint of this name that another process gives. It must not block."""
        self._hearers.setdefault(name, []).append(hear)

    def keep(self, name: str, state: Callable[[], Any]) -> None:
        """Give this hint as long as the process lives: `state` says what holds now."""
        self._standing[name] = state

    def changed(self, name: str) -> None:
        """Say again what holds: it is not what it was."""
        if name in self._standing:
            self.tell(name, self._standing[name]())

    def repeat(self) -> None:
        """Say again all that holds: somebody may not know it."""
        for name in self._standing:
            self.changed(name)

    def take(self, process: str, name: str, value: Any) -> None:
        """Hand a hint of another process to whoever listens for its name."""
        for hear in tuple(self._hearers.get(name, ())):
            try:
                hear(process, value)
            except Exception as error:  # noqa: BLE001 (one listener's mistake is not the others')
                log.error("hints.listener broke hint=%s error=%s", name, type(error).__name__, exc_info=error)

    def gone(self, process: str) -> None:
        """Let go of all that this process said."""
        for name in tuple(self._hearers):
            self.take(process, name, None)
