"""Regular expressions of a bot's files: compiled, and refused when some text would keep them busy.

Python's `re` goes back and tries again; of `(a+)+$` thirty letters take a minute, in which the whole server stands still. Which
expressions do so can not be told from their look without refusing many good ones, so each is tried: on texts that fit each of
its repeats ever longer and then break off, up to the longest message that a bot is given, stopping as soon as one is slow.
The trial itself grows with the square of the expression's length, and of many repeats in a row no text is short enough to
begin with; so both have bounds, and the trial as a whole has one too.
"""

import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined]  # no public way to an expression's parts
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from bot.cleaning import LONGEST_HEARD

LONGEST_EXPRESSION = 10_000
"""Characters; a thousand words between bars. Who has more writes a word list (`lookup:`)."""
SLOW_SECONDS = 0.04
"""Of one search, on whatever machine reads the files; the slowest good one that is known takes 4 ms."""
_TRIAL_SECONDS = 5.0
"""Of all searches of one trial; 10,000 characters as people write them take 0.1."""
_MOST_IN_A_ROW = 20
"""Repeats one after the other. `.*a` forty times fits no text that is short enough to be tried: its first trial would never end."""
_LENGTHS = (*range(4, 40, 2), 60, 100, 160, 250, 400, 600, 1_000)
"""How often a repeat's text is repeated: twice as slow with each letter shows at 25, with the cube at 400."""
_BREAK = "\x00!"
_KINDS = {op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a", op.CATEGORY_NOT_DIGIT: "a",
          op.CATEGORY_NOT_SPACE: "a", op.CATEGORY_NOT_WORD: "-"}  # fmt: skip
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
_MANY = 4
"""So many times is a repeat: two within each other, `(\\w{1,20} ?){1,20}$`, are as slow as two without an end."""
_ANY_CHARACTERS = "a1 -.@_Zé"


@lru_cache(maxsize=1_000)
def compiled(written: str, flags: int = 0) -> re.Pattern[str]:
    """Return the compiled expression. Raises ValueError (re.error is none) with what is wrong: no expression, or a slow one."""
    if len(written) > LONGEST_EXPRESSION:
        raise ValueError(
            f"it has {len(written):,} characters, at most {LONGEST_EXPRESSION:,} are read; words go into a lookup"
        )
    try:
        pattern = re.compile(written, flags)
        tree = _parser.parse(written, flags)
        if _in_a_row(tree) > _MOST_IN_A_ROW:
            raise ValueError(
                f"it repeats more than {_MOST_IN_A_ROW} things one after the other; write several expressions"
            )
        _try(pattern, tree)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return pattern


def _try(pattern: re.Pattern[str], tree: Iterable[Any]) -> None:
    """Raise ValueError when one of the texts made for this expression keeps it busy."""
    ends = time.thread_time() + _TRIAL_SECONDS
    for before, again in _pumps(tree):
        for times in _LENGTHS:
            text = f"{before}{again * times}"[:LONGEST_HEARD] + _BREAK
            if _seconds(pattern, text) > SLOW_SECONDS and _seconds(pattern, text) > SLOW_SECONDS:  # not just once
                raise ValueError("some texts keep it busy for seconds or longer; repeat one thing in one place only")
            if time.thread_time() > ends:
                raise ValueError("it is too long to be tried; write its words as a lookup, or in several expressions")
            if len(again) * times > LONGEST_HEARD:
                break


def _in_a_row(tree: Iterable[Any]) -> int:
    """Return how many repeats can follow each other in one text; of a choice its longest way counts."""
    count = 0
    for code, argument in tree:
        count += code in _REPEATS and argument[1] >= _MANY and argument[0] < argument[1]
        count += max((_in_a_row(inner) for inner in _inside(code, argument)), default=0)
    return count


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.thread_time()
    for _ in pattern.finditer(text):
        pass
    return time.thread_time() - began


def _pumps(tree: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield (what leads to a repeat, what fits it once) for every repeat of many times, those inside others too."""
    for code, argument in tree:
        for inner in _inside(code, argument):
            if code in _REPEATS and argument[1] >= _MANY and argument[0] < argument[1]:
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
        return [text * max(1, min(argument[0], LONGEST_HEARD)) for text in _samples(argument[2])]
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
