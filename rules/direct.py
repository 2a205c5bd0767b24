"""A template sent without a rule file: what the API asks becomes a rule of one step, which its own id and version say whole.

So a message that quiet hours hold is sent later by any process, and nothing about it has to be remembered anywhere. Pure.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from rules.rule import Class, Rule
from rules.rule_step import Send
from rules.rule_trigger import OnCall

BEFORE = "api:"
"""How the id of such a rule begins; no file can give its rule an id with a colon."""
STEP = "message"
Mode = Literal["first", "all"]


def direct(template: str, channels: Sequence[str], *, kind: Class, topic: str = "", mode: Mode = "first") -> Rule:
    """Return the rule that sends this template on these channels, and does nothing else."""
    version = "|".join((kind, topic, mode, "+".join(channels)))
    step = Send(STEP, tuple(channels), template, mode)
    return Rule(BEFORE + template, OnCall(), (step,), state="live", kind=kind, topic=topic, version=version)


def reread_direct(rule: str, version: str) -> Rule | None:
    """Return the rule that `direct` made with this id and version, or None when it is not one of those."""
    parts = version.split("|")
    if not rule.startswith(BEFORE) or len(parts) != 4:
        return None
    topic, channels = parts[1], parts[3].split("+")
    kind: Class | None = next((one for one in get_args(Class) if one == parts[0]), None)
    mode: Mode | None = next((one for one in get_args(Mode) if one == parts[2]), None)
    if kind is None or mode is None:
        return None
    return direct(rule.removeprefix(BEFORE), channels, kind=kind, topic=topic, mode=mode)
