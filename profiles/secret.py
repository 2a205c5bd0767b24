"""A text that must not be seen: it hides itself in repr, logs, tracebacks and error messages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A token, password or key. Only `reveal` gives it; call that where it is handed to the other side, nowhere else."""

    _text: str = ""

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(****)" if self._text else "Secret()"

    __str__ = __repr__
