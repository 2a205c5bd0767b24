"""What is wrong with a bot although each of its files can be read: names that lead nowhere, loops, missing follow-ups."""

from bot.files import Findings
from bot.scene import Script


def check(script: Script, findings: Findings) -> None:
    """Note everything that would go wrong in a conversation."""
