"""What an SMS says of a message: its text with all that SMS has no form for, in parts of ten segments at most."""

from channels.channel import Limits
from channels.degrade import degrade
from profiles.gsm_advice import spaced
from profiles.text import clean
from profiles.timeline import Content

TEN_SEGMENTS = 670  # UTF-16 units: ten segments whatever the alphabet; Twilio's own limit is 1,600


def body(content: Content) -> str:
    """Return the text of one part as it is handed to the provider."""
    return spaced(clean(content.text))


def bodies(content: Content) -> tuple[str, ...]:
    """Return the texts that a whole message becomes, each an SMS of its own, as every SMS channel sends them."""
    return tuple(body(part) for part in degrade(content, Limits(text=TEN_SEGMENTS)))
