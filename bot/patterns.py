"""Regular expressions of a bot's files: compiled, and refused when some text would keep them busy.

Python's `re` goes back and tries again; of `(a+)+$` thirty letters take a minute, in which the whole server stands still. Which
expressions do so can not be told from their look without refusing many good ones, so each is tried: on texts that fit each of
its repeats ever longer and then break off, up to the longest message that a bot is given, stopping as soon as one is slow.
"""

import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined]  # no public way to an expression's parts
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from bot.cleaning import LONGEST_HEARD

SLOW_SECONDS = 0.04
"""Of one search, on whatever machine reads the files; the slowest good one that is known takes 4 ms."""
_LENGTHS = (*range(4, 40, 2), 60, 100, 160, 250, 400, 600, 1_000)
"""How often a repeat's text is repeated: twice as slow with each letter shows at 25, with the cube at 400."""
_BREAK = "\x00!"
_KINDS = {op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a", op.CATEGORY_NOT_DIGIT: "a",
          op.CATEGORY_NOT_SPACE: "a", op.CATEGORY_NOT_WORD: "-"}  # fmt: skip
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
_ANY_CHARACTERS = "a1 -.@_Zé"


@lru_cache(maxsize=1_000)
def compiled(written: str, flags: int = 0) -> re.Pattern[str]:
    """Return the compiled expression. Raises ValueError (re.error is none) with what is wrong: no expression, or a slow one."""
    try:
        pattern = re.compile(written, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    for before, again in _pumps(_parser.parse(written, flags)):
        for times in _LENGTHS:
            text = f"{before}{again * times}"[:LONGEST_HEARD] + _BREAK
            if _seconds(pattern, text) > SLOW_SECONDS and _seconds(pattern, text) > SLOW_SECONDS:  # not just once
                raise ValueError("some texts keep it busy for seconds or longer; repeat one thing in one place only")
            if len(again) * times > LONGEST_HEARD:
                break
    return pattern


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.thread_time()
    for _ in pattern.finditer(text):
        pass
    return time.thread_time() - began


def _pumps(tree: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield (what leads to a repeat, what fits it once) for every repeat without an end, those inside others too."""
    for code, argument in tree:
        for inner in _inside(code, argument):
            if code in _REPEATS and argument[1] > LONGEST_HEARD // 4:
                yield from ((before, text) for text in _samples(inner) if text)
            yield from _pumps(inner, before)
        before += next(iter(_samples([(code, argument)])), "")


def _inside(code: Any, argument: Any) -> list[Any]:
    """Return the expressions that one part holds."""
    if code in (*_REPEATS, getattr(op, "POSSESSIVE_REPEAT", None)):
        return [argument[2]]
    if code is op.SUBPATTERN:
        return [argument[3]]
    if code is op.BRANCH:
        return list(argument[1])
    if code in (op.ASSERT, op.ASSERT_NOT):
        return [argument[1]]
    return [argument] if code is getattr(op, "ATOMIC_GROUP", None) else []


def _samples(tree: Iterable[Any]) -> list[str]:
    """Return some texts that fit: one, and for a choice one of each kind."""
    found = [""]
    for code, argument in tree:
        found = [text + more for text in found for more in _of(code, argument)][:8]
    return found


def _of(code: Any, argument: Any) -> list[str]:
    if code is op.LITERAL:
        return [chr(argument)]
    if code is op.NOT_LITERAL:
        return ["a" if argument != ord("a") else "b"]
    if code is op.IN:
        return [_member(argument)]
    if code is op.ANY:
        return ["a"]
    if code is op.BRANCH:
        return [text for branch in argument[1] for text in _samples(branch)][:8]
    if code in _REPEATS:
        return [text * max(1, min(argument[0], 20)) for text in _samples(argument[2])]
    if code is op.SUBPATTERN:
        return _samples(argument[3])
    return [""]  # an anchor, a look around, a reference: nothing of its own


def _member(choices: list[Any]) -> str:
    is_not = choices[0][0] is op.NEGATE
    if is_not:
        return next((letter for letter in _ANY_CHARACTERS if not any(_holds(one, letter) for one in choices[1:])), "~")
    code, argument = choices[0]
    if code is op.CATEGORY:
        return _KINDS.get(argument, "a")
    return chr(argument if code is op.LITERAL else argument[0])


def _holds(choice: Any, letter: str) -> bool:
    code, argument = choice
    if code is op.LITERAL:
        return bool(chr(argument) == letter)
    if code is op.RANGE:
        return bool(argument[0] <= ord(letter) <= argument[1])
    kinds = {op.CATEGORY_DIGIT: str.isdigit, op.CATEGORY_SPACE: str.isspace, op.CATEGORY_WORD: str.isalnum}
    return argument in kinds and kinds[argument](letter)
