"""A text that must not be seen: it hides itself in repr, logs, tracebacks and error messages."""

import hmac
from collections.abc import Iterable
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


def live(*secrets: Secret) -> tuple[str, ...]:
    """Return those that are set: the one in use, and the one that it replaces while both are accepted."""
    return tuple(secret.reveal() for secret in secrets if secret)


def is_one_of(shown: str, secrets: Iterable[str]) -> bool:
    """Return whether this is one of these; how long it takes says nothing of which, or how nearly."""
    text = shown.encode("utf-8", "surrogatepass")
    return any([hmac.compare_digest(text, secret.encode()) for secret in secrets])
