"""A rule's tree: nothing lies over anything else, every line begins and ends at a box, and all of it is inside the drawing."""

from itertools import combinations
from pathlib import Path

import pytest

from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.drawing import Box, Drawing, draw
from rules.rule import Rule
from rules.rule_step import walk
from tests.rules.play import rule

DEEP = """
rule: deep
state: draft
when: {event: a.b}
steps:
  - if: contact.a == 1
    then:
      - if: contact.b == 1
        then: [{wait: 1h}, {wait: 2h}]
        else:
          - wait until: {any: [{event: c.d}], at most: 2h}
            reached: [{stop: enough}]
  - parallel:
      - [{wait: 1h}, {emit: {event: x.y}}]
      - [{wait: 2h}]
      - [{wait: 3h}]
  - switch:
      - if: contact.c == 1
        then: [{wait: 1d}]
      - if: contact.c == 2
        then: [{stop: two}]
    else: [{wait: 3d}]
  - wait: 1h
"""


def drawings() -> list[Rule]:
    """Return every rule that is shipped, a single step, and one with all that branches."""
    book = read_book(read_folder(Path(__file__).parents[2] / "rules" / "book"))
    one = rule("rule: one\nstate: draft\nwhen: {event: a.b}\nsteps:\n  - wait: 1h\n")
    return [rule(DEEP), one, *book.rules.values()]


def overlap(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def touches(x: int, y: int, drawing: Drawing) -> bool:
    return any(box.x <= x <= box.x + box.width and y in (box.y, box.y + box.height) for box in drawing.boxes)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("one", drawings(), ids=lambda one: one.id)
def test_boxes_lie_apart_and_inside(one: Rule, language: str) -> None:
    drawing = draw(one, language)
    assert [pair for pair in combinations(drawing.boxes, 2) if overlap(*pair)] == []
    for box in drawing.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= drawing.width and box.y + box.height <= drawing.height
    assert {box.step for box in drawing.boxes if box.step} == {step.id for step in walk(one.steps)}


@pytest.mark.parametrize("one", drawings(), ids=lambda one: one.id)
def test_every_arrow_ends_at_a_box(one: Rule) -> None:
    drawing = draw(one, "en")
    for line in drawing.lines:
        if line.has_head:
            assert touches(line.to_x, line.to_y, drawing), line
        assert min(line.x, line.to_x) >= 0 and max(line.x, line.to_x) <= drawing.width


@pytest.mark.parametrize("one", drawings(), ids=lambda one: one.id)
def test_upright_it_fits_a_phone_and_every_line_goes_from_box_to_box_beside_the_others(one: Rule) -> None:
    drawing = draw(one, "fr", is_upright=True)
    assert [pair for pair in combinations(drawing.boxes, 2) if overlap(*pair)] == []
    assert {box.step for box in drawing.boxes if box.step} == {step.id for step in walk(one.steps)}
    assert max(box.x + box.width for box in drawing.boxes) <= drawing.width <= 320
    for line in drawing.lines:
        assert touches(line.x, line.y, drawing) and touches(line.to_x, line.to_y, drawing), line
        crossed = [box for box in drawing.boxes if box.x <= line.x <= box.x + box.width and line.y < box.y < line.turn]
        assert crossed == [], line


@pytest.mark.parametrize("one", drawings(), ids=lambda one: one.id)
def test_no_line_ends_in_nothing_but_a_way_that_is_empty(one: Rule) -> None:
    drawing = draw(one, "en")
    begun = {(line.x, line.y) for line in drawing.lines}
    assert [
        line for line in drawing.lines if not (line.has_head or line.label or (line.to_x, line.to_y) in begun)
    ] == []


def test_ways_meet_again_only_where_something_follows() -> None:
    ways = "rule: one\nstate: draft\nwhen: {event: a.b}\nsteps:\n  - if: contact.a == 1\n"
    ways += "    then: [{wait: 1h}]\n    else: [{wait: 2h}]\n"
    assert len(draw(rule(ways), "en").lines) == 3  # to the question, to each of its ways
    assert len(draw(rule(ways + "  - wait: 3h\n"), "en").lines) == 6  # and from both of them on


def test_no_line_leads_on_from_where_a_run_ends() -> None:
    drawing = draw(rule(DEEP), "en")
    ends = [box for box in drawing.boxes if box.kind == "end"]
    assert len(ends) == 2
    for box in ends:
        assert not any(line.y == box.y + box.height and box.x <= line.x <= box.x + box.width for line in drawing.lines)


def test_long_words_are_cut_and_said_whole_beside() -> None:
    name = "x" * 90
    drawing = draw(rule(f"rule: one\nstate: draft\nwhen: {{event: a.{name}}}\nsteps:\n  - wait: 1h\n"), "fr")
    start = drawing.boxes[0]
    assert name in start.text and len(start.lines) <= 4 and all(len(line) <= 33 for line in start.lines)
    assert "»" not in [line[:1] for line in start.lines]  # a quote never begins a line
