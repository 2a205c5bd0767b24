"""What the operator sets of the rules; what marketers set stands in the book's own files."""

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones


@dataclass(frozen=True, slots=True)
class RulesOptions:
    """Where the rule book is, and whose hours count."""

    folder: str = field(default="", metadata={"about": "folder of the rule book; empty: the book that is shipped"})
    zone: str = field(default="Europe/Paris", metadata={"about": "time zone of contacts whose own is not known"})

    def __post_init__(self) -> None:
        if self.zone not in available_timezones():
            raise ValueError(f'zone: expected a time zone, got "{self.zone}". Hint: Europe/Paris')


def folder_of(options: RulesOptions) -> Path:
    """Return the folder of the rule book."""
    return Path(options.folder) if options.folder else Path(__file__).parent / "book"
