"""What somebody who asks for a preview or a simulation wants to see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked to see."""

    rule: str = ""
    contact: str = ""
    """A profile's id, or an address such as email:anna@example.org."""
    days: int = 30
    ahead: int = 0
    language: str = "en"
    as_json: bool = False
    everything: bool = False
    """All rows, not the first 40."""
