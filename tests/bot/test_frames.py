"""Large things travel in small pieces, and arrive as they were."""

import io
import pickle

from bot import frames


def _sent(thing: object) -> list[object]:
    out = io.BytesIO()
    frames.write(thing, out)
    return list(frames.read(out.getvalue()))


def test_what_was_written_arrives():
    large = {f"k{number}": [number] for number in range(1000)}
    rows = [large, "x", tuple(range(900)), [[number] for number in range(801)], {"small": (1, 2)}, list(range(400))]
    assert _sent(rows)[-1] == rows
    assert _sent(list(range(1000)))[-1] == list(range(1000))
    assert _sent("plain")[-1] == "plain"


def test_a_container_met_twice_is_written_once_and_stays_one():
    shared = {str(number): number for number in range(500)}
    arrived = _sent({"one": shared, "two": [shared]})[-1]
    assert arrived["one"] is arrived["two"][0]


def test_no_frame_holds_much():
    out = io.BytesIO()
    frames.write({"rows": [[str(number)] * 5 for number in range(5000)]}, out)
    sizes = [len(frame) for frame in pickle.loads(out.getvalue())]
    assert len(sizes) > 10 and max(sizes) < 40_000


class _Named(list):
    """A list of a kind of its own keeps its kind."""


def test_kinds_of_lists_are_kept():
    arrived = _sent([_Named(range(1000))])[-1]
    assert type(arrived[0]) is _Named and arrived[0] == list(range(1000))
