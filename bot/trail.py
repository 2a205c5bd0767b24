"""The trail of a conversation: what rules and stories may look back at, each entry with what it changed.

Because every entry knows what was before it, the past is read and undone by walking backwards, and a turn costs the
same after 5 turns and after 500. Reverted turns and the happy path inside a form drop out of it, as in Rasa's
`applied_events` (rasa/shared/core/trackers.py, 3.6). Entries are plain lists, because they are stored:

["user", intent before, entities before, whether the form had rejected, text before]   ["slot", name, value before]
["action", name, name before, True where no story tells it]   ["loop", name, name before]
["rejected", name]   ["followup", name]   ["reminder", name]   ["flows", those that ran before]
"""

from typing import Any

from bot.events import LISTEN

Trail = list[list[Any]]
LONGEST_TRAIL = 40
"""Entries that are kept; a bot with stories keeps as many as its longest story needs."""


def goes_on_happily(trail: Trail, loop: str) -> bool:
    """Whether the form ran before and only answers to its own questions came since."""
    if not any(entry[0] == "loop" and entry[1] == loop for entry in trail):
        return False
    following = None
    for entry in reversed(trail):
        kind, name = entry[0], entry[1]
        if (kind == "loop" and name is None) or (kind == "rejected" and name == loop):
            return False
        if kind == "user" and following not in (None, loop):
            return False
        if kind == "action":
            if name == loop:
                return True
            following = name
    return False


def drop_happy_turn(trail: Trail, loop: str) -> list[Any] | None:
    """Forget message and actions since the form last ran; return the entry of the earliest message, if there was one."""
    index, message = len(trail) - 1, None
    while trail[index][:2] != ["action", loop]:
        if trail[index][0] == "user":
            message = trail[index]
        if trail[index][0] in ("user", "action"):
            del trail[index]
        index -= 1
    return message


def pending_followup(trail: Trail) -> str | None:
    """Return the action that was asked for and has not come yet; at the very beginning that is to listen."""
    for entry in reversed(trail):
        if entry[0] == "followup":
            return str(entry[1])
        if entry[0] in ("user", "action"):
            return None
    return LISTEN


def shortened(trail: Trail, longest: int) -> tuple[Trail, bool]:
    """Return the trail with at most so many entries, and whether something that stories can see was left out.

    What stories cannot see (the turns of rules that no story tells) goes first, except the latest.
    """
    if len(trail) <= longest:
        return trail, False
    if longest > LONGEST_TRAIL:  # else there are no stories
        recent = len(trail) - longest // 2
        trail = _merged(_without_hidden(trail, recent))
    return trail[-longest:], len(trail) > longest


def _without_hidden(trail: Trail, recent: int) -> Trail:
    """Leave out the turns before `recent` that only rules made: their actions, and the messages that led to them."""
    left_out: set[int] = set()
    message = None
    for index, entry in enumerate(trail[:recent]):
        if entry[0] == "user":
            message = index
        elif entry[0] == "rejected":
            left_out.add(index)
        elif entry[0] == "action" and len(entry) > 3 and entry[3]:
            left_out |= {index} if message is None else {index, message}
    kept: Trail = []
    before: list[Any] | None = None
    for index, entry in enumerate(trail):
        if entry[0] == "user":
            if index in left_out:
                before = before or entry
                continue
            if before is not None:  # this message now follows the one before those left out
                entry, before = [*before], None
        if index not in left_out:
            kept.append(entry)
    return kept


def _merged(trail: Trail) -> Trail:
    """Of changes of one slot between two actions leave the first, which knows what was before."""
    kept: Trail = []
    changed: set[str] = set()
    for entry in trail:
        if entry[0] == "action":
            changed.clear()
        elif entry[0] == "slot":
            if entry[1] in changed:
                continue
            changed.add(entry[1])
        kept.append(entry)
    return kept
