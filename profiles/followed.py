"""What a thread remembers of the messages that rules said in it: profiles/reactions.py tells what came back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """A rule's message in a thread, until it is answered."""

    message: str
    seq: int
    at: datetime
    rule: str
    step: str
    is_read: bool = False
