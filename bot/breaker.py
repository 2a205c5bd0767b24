"""A circuit breaker: after some failures in a row nobody is asked for a while; then one is let through to see.

Pure: instants are told, in seconds of any clock that only goes forward.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Ask `allows` before, say `succeeded` or `failed` after."""

    failures_to_open: int = 5
    open_seconds: float = 30.0
    _failures: int = 0
    _opened_at: float | None = None
    _probed_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the other side counts as down."""
        return self._opened_at is not None

    def allows(self, now: float) -> bool:
        """Whether to ask: while open only one at a time, each `open_seconds` after the last attempt."""
        if self._opened_at is None:
            return True
        last = self._opened_at if self._probed_at is None else self._probed_at
        if now - last < self.open_seconds:
            return False
        self._probed_at = now
        return True

    def succeeded(self) -> None:
        """The other side answered: all may ask again."""
        self._failures, self._opened_at, self._probed_at = 0, None, None

    def failed(self, now: float) -> bool:
        """The other side did not answer; return whether the breaker opened just now."""
        self._failures += 1
        if self._opened_at is not None:
            self._opened_at, self._probed_at = now, None
            return False
        if self._failures < self.failures_to_open:
            return False
        self._opened_at = now
        return True
