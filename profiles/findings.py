"""What is wrong in the files that people write (a bot's, the rules), collected so that all of it is seen at once.

Each finding reads `file:line:column: what; expected, got. Hint: ...`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from profiles.written import Place, Table, place_of


@dataclass(frozen=True, slots=True)
class ContentError:
    """One thing wrong in a file that people write."""

    at: Place
    problem: str
    hint: str = ""
    french: str = ""
    """The problem in French, where whoever found it knows it."""

    def __str__(self) -> str:
        return f"{self.at}: {self.problem}" + (f" Hint: {self.hint}" if self.hint else "")


class ContentErrors(ValueError):
    """All that is wrong in the files, together; and what was only worth knowing."""

    def __init__(self, errors: Iterable[ContentError], notices: Iterable[ContentError] = ()) -> None:
        self.errors, self.notices = tuple(errors), tuple(notices)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(slots=True)
class Findings:
    """What reading and checking the files found: errors forbid their use, notices are only said."""

    errors: list[ContentError] = field(default_factory=list)
    notices: list[ContentError] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """The files that could not be read: nothing that may stand in them is unknown."""

    def error(self, at: Place, problem: str, hint: str = "", *, french: str = "") -> None:
        """Note something that forbids the use of the file."""
        self.errors.append(ContentError(at, problem, hint, french))

    def unreadable(self, at: Place, problem: str, hint: str = "") -> None:
        """Note a file that could not be read at all."""
        self.unread.add(at.file)
        self.error(at, problem, hint)

    def notice(self, at: Place, problem: str, hint: str = "") -> None:
        """Note something worth knowing that does no harm."""
        self.notices.append(ContentError(at, problem, hint))

    def unknown(self, what: str, name: Any, known: Iterable[str]) -> None:
        """Note a name that stands for nothing, with the nearest one that does."""
        self.error(place_of(name), f'unknown {what}; got "{name}".', nearest(str(name), known))

    def unknown_key(self, table: Table, key: str, known: Iterable[str]) -> None:
        """Note a key that nobody reads."""
        known = list(known)
        problem = f'unknown key; expected one of {", ".join(known)}; got "{key}".'
        self.error(place_of(table, key), problem, nearest(key, known))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?" for the nearest known name, or an empty string when none is near."""
    close = nearest_name(name, known)
    return f'did you mean "{close}"?' if close else ""


def nearest_name(name: str, known: Iterable[str], alike: float = 0.6) -> str:
    """Return the nearest known name, whatever its capitals, or an empty string when none is near.

    `alike` is how much of both must be the same, 0 to 1.
    """
    known = list(known)
    close = get_close_matches(name, known, n=1, cutoff=alike)
    if not close:
        spelt = {one.lower(): one for one in known}
        close = [spelt[one] for one in get_close_matches(name.lower(), spelt, n=1, cutoff=alike)]
    return close[0] if close else ""
