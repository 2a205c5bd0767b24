"""A rule's steps laid out as a tree: boxes, lines and labels with their places. Pure; the page draws them as SVG.

Steps stand below one another; the ways of a step stand side by side below it, and meet again above what follows. Upright, for a
narrow page, they stand below one another too, each a little to the right of its step. All measures are pixels at the size the
page shows: letters are counted, not measured, so a line holds a few less than would fit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from textwrap import wrap
from types import MappingProxyType

from rules.rule import Rule
from rules.rule_step import Parallel, Send, Step, Stop, Wait, WaitUntil, branches
from rules.sentences_steps import Says, step_line, ways
from rules.sentences_trigger import Words, beginning, signal

WIDE, LETTERS, LINE, PAD = 232, 33, 18, 12
GAP_X, GAP_Y, LABEL = 28, 30, 16
MOST_LINES, LABEL_LINES = 4, 2
EDGE = 10
SPINE, INDENT = 11, 22
"""Upright: how far from a box's left side its line goes down, and how far to the right a step's ways begin."""
_BESIDE = re.compile(r"(?<=«) | (?=[»:;!?%])")


@dataclass(frozen=True, slots=True)
class Box:
    """One step, or the beginning (`step` is empty)."""

    step: str
    kind: str
    """start, send, wait, way, act or end: what it looks like."""
    text: str
    lines: tuple[str, ...]
    x: int
    y: int
    width: int = WIDE

    @property
    def height(self) -> int:
        """Return how tall it is."""
        return 2 * PAD + LINE * len(self.lines)


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another: corners from (x, y) on, and what is written beside its end."""

    x: int
    y: int
    to_x: int
    to_y: int
    turn: int
    """At which height it turns aside."""
    label: tuple[str, ...] = ()
    has_head: bool = True
    is_upright: bool = False
    """Whether the words stand to the right of its end, not across it."""

    @property
    def path(self) -> str:
        """Return the path for SVG."""
        return f"M{self.x} {self.y}V{self.turn}H{self.to_x}V{self.to_y}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole tree."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _Block:
    """A part of the drawing with its own origin; it is entered and left at the height of its `axis`."""

    width: int
    height: int
    axis: int
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    goes_on: bool = True
    left_at: int | None = None
    """At which height it is left, where that is not its end."""

    def put(self, other: "_Block", x: int, y: int) -> None:
        self.boxes += [replace(box, x=box.x + x, y=box.y + y) for box in other.boxes]
        self.lines += [
            replace(line, x=line.x + x, y=line.y + y, to_x=line.to_x + x, to_y=line.to_y + y, turn=line.turn + y)
            for line in other.lines
        ]


def draw(
    rule: Rule, language: str, words: Words = MappingProxyType({}), *, is_upright: bool = False
) -> Drawing:  # fmt: skip
    """Return the drawing of a rule, from what begins it to its last step."""
    pen = _Pen(language, partial(signal, words=words), is_upright)
    start = pen.boxed("", "start", beginning(rule, language, words))
    whole = pen.stacked([start, *(pen.block(step) for step in rule.steps)])
    lines = _leading_on(whole.lines)
    return Drawing(
        whole.width + 2 * EDGE,
        whole.height + 2 * EDGE,
        tuple(replace(box, x=box.x + EDGE, y=box.y + EDGE) for box in whole.boxes),
        tuple(
            replace(line, x=line.x + EDGE, y=line.y + EDGE, to_x=line.to_x + EDGE, to_y=line.to_y + EDGE, turn=line.turn + EDGE)
            for line in lines
        ),
    )  # fmt: skip


def _leading_on(lines: list[Line]) -> list[Line]:
    """Return the lines without those that join ways behind which nothing follows."""
    while True:
        begun = {(line.x, line.y) for line in lines}
        kept = [line for line in lines if line.has_head or line.label or (line.to_x, line.to_y) in begun]
        if len(kept) == len(lines):
            return kept
        lines = kept


class _Pen:
    def __init__(self, language: str, says: Says, is_upright: bool) -> None:
        self._language, self._says = language, says
        self._axis, self._branched = (SPINE, _upright) if is_upright else (WIDE // 2, _branched)

    def block(self, step: Step) -> _Block:
        """Return a step with all within it."""
        own = self.boxed(step.id, _kind(step), step_line(step, self._language, self._says))
        own.goes_on = not isinstance(step, Stop)
        within = [(title, steps) for title, steps in ways(step, self._language)]
        if not any(steps for _, steps in within):
            return own
        return self._branched(
            own, [(title, self.stacked([self.block(one) for one in steps])) for title, steps in within]
        )

    def boxed(self, step: str, kind: str, text: str) -> _Block:
        """Return one box alone."""
        box = Box(step, kind, text, _wrapped(text, LETTERS, MOST_LINES), 0, 0)
        return _Block(WIDE, box.height, self._axis, [box])

    def stacked(self, blocks: Sequence[_Block]) -> _Block:
        """Return these below one another, joined by lines; none give the empty way."""
        if not blocks:
            return _Block(WIDE // 2, 0, WIDE // 4)
        axis = max(block.axis for block in blocks)
        whole = _Block(0, 0, axis)
        y = 0
        for number, block in enumerate(blocks):
            whole.put(block, axis - block.axis, y)
            whole.width = max(whole.width, axis - block.axis + block.width)
            y += block.height
            whole.goes_on = block.goes_on
            if number + 1 < len(blocks):
                if block.goes_on:
                    left_at = y if block.left_at is None else y - block.height + block.left_at
                    whole.lines.append(Line(axis, left_at, axis, y + GAP_Y, y + GAP_Y // 2))
                y += GAP_Y
        whole.height = y
        return whole


def _branched(own: _Block, within: Sequence[tuple[str, _Block]]) -> _Block:
    """Return a step above its ways, which meet again below."""
    labels = [_wrapped(title.rstrip(": "), 24, LABEL_LINES) for title, _ in within]
    room = GAP_Y + LABEL * max(len(label) for label in labels)
    across = sum(block.width for _, block in within) + GAP_X * (len(within) - 1)
    tallest = max(block.height for _, block in within)
    width = max(across, own.width)
    whole = _Block(width, own.height + room + tallest, width // 2)
    left = (width - across) // 2
    whole.axis = max(own.axis, left + (within[0][1].axis + across - within[-1][1].width + within[-1][1].axis) // 2)
    whole.put(own, whole.axis - own.axis, 0)
    top, bottom = own.height + room, own.height + room + tallest + GAP_Y // 2
    whole.goes_on = any(block.goes_on for _, block in within)
    for (_, block), label in zip(within, labels, strict=True):
        x = left + block.axis
        whole.put(block, left, top)
        whole.lines.append(
            Line(whole.axis, own.height, x, top, own.height + GAP_Y // 2, label, has_head=bool(block.boxes))
        )
        if block.goes_on:
            whole.lines.append(Line(x, top + block.height, whole.axis, bottom, bottom, has_head=False))
        left += block.width + GAP_X
    whole.width = max(whole.width, whole.axis - own.axis + own.width)
    whole.height = bottom if whole.goes_on else own.height + room + tallest
    return whole


def _upright(own: _Block, within: Sequence[tuple[str, _Block]]) -> _Block:
    """Return a step above its ways, each below the other; the step's own line goes on beside them."""
    whole = _Block(own.width, own.height, own.axis, own.boxes, own.lines, left_at=own.height)
    whole.goes_on = any(block.goes_on for _, block in within)
    for title, block in within:
        if not block.boxes:
            continue  # nothing happens there
        label = _wrapped(title.rstrip(": "), 28, LABEL_LINES)
        turn = whole.height + GAP_Y // 2
        top = turn + GAP_Y // 2 + LABEL * len(label)
        whole.put(block, INDENT, top)
        x = INDENT + block.axis
        whole.lines.append(Line(own.axis, own.height, x, top, turn, label, is_upright=True))
        whole.width, whole.height = max(whole.width, INDENT + block.width), top + block.height
    return whole


def _kind(step: Step) -> str:
    match step:
        case Send():
            return "send"
        case Wait():
            return "wait"
        case WaitUntil() | Parallel():
            return "wait" if isinstance(step, WaitUntil) else "way"
        case Stop():
            return "end"
        case _:
            return "way" if branches(step) else "act"


def _wrapped(text: str, letters: int, most: int) -> tuple[str, ...]:
    lines = list(_lines(text, letters))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: letters - 1].rstrip(" ,;:") + "…"]
    return tuple(lines)


def _lines(text: str, letters: int) -> Iterator[str]:
    """Yield the lines; French quotes, colons and the like stay with the word they belong to."""
    kept = _BESIDE.sub("\u00a0", text)
    yield from wrap(kept, letters, break_long_words=True) or [""]
