"""Talk to the bot in a terminal: what `causerie chat` does, without a server, a database or a channel.

Lines that start with // are for the terminal: //time shows what turns cost, //state what the bot remembers, //new begins
afresh, //quit ends. A number presses a button.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from time import process_time
from typing import Any

from bot.brain import Brain, Performs, perform
from bot.contract import Heard, Known, Turn
from profiles.calendar import Clock, utc_now
from profiles.timeline import Content

Write = Callable[[str], Any]

HELP = "Type what a customer would; a number presses a button; //time, //state, //new, //quit."


async def converse(
    brain: Brain, actions: Performs, lines: Iterable[str], write: Write, *, timed: bool = False, clock: Clock = utc_now
) -> None:
    """Answer each line until the lines end or //quit."""
    memory: Mapping[str, Any] | None = None
    values: dict[str, Any] = {}
    language: str | None = None
    write(HELP)
    source = iter(lines)
    number = 0
    while (line := await asyncio.to_thread(next, source, None)) is not None:
        text = line.strip()
        if text in ("//quit", "//exit"):
            return
        if text == "//time":
            timed = not timed
            write("Times are shown." if timed else "Times are no longer shown.")
        elif text == "//new":
            memory, values, language = None, {}, None
            write("A new conversation.")
        elif text == "//state":
            write(json.dumps(memory, ensure_ascii=False, indent=2))
        elif text:
            number += 1
            heard = Heard(f"terminal:{number}", text, "terminal", clock())
            began = process_time()
            turn = await perform(brain, memory, heard, Known("terminal", language, values, "terminal"), actions)
            cost = process_time() - began
            memory, language = turn.tracker, turn.language
            values.update({attribute: value for attribute, value, _ in turn.learned})
            for said in spoken(turn):
                write(said)
            if timed:
                write(f"  [{turn.intent} {turn.confidence:.2f}, {turn.language}, {cost * 1000:.2f} ms of CPU]")


def spoken(turn: Turn) -> list[str]:
    """Return the turn as lines of text: what is said, numbered buttons, and what would happen beside it."""
    numbers = iter(range(1, 1000))
    lines = [line for content in turn.says for line in _lines(content, numbers)]
    lines += [f"  [event {name}: {dict(properties)}]" for name, properties in turn.events]
    lines += [f"  [profile: {attribute} = {value} ({source})]" for attribute, value, source in turn.learned]
    lines += [f"  [action failed: {problem}]" for problem in turn.failed]
    if turn.handover:
        reason, summary, team = turn.handover
        lines.append(f"  [handed over: {reason}, team {team or 'any'}]")
        lines += [f"  | {line}" for line in summary.splitlines()]
    return lines


def _lines(content: Content, numbers: Any) -> list[str]:
    lines = [f"< {content.text}"] if content.text else []
    lines += [f"  [{attachment.kind}: {attachment.remote or attachment.name}]" for attachment in content.attachments]
    for button in content.buttons:
        mark = f"({button.url})" if button.url else f"{next(numbers)}."
        lines.append(f"  {mark} {button.title}")
    return lines
