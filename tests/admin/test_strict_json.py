"""What a body may hold is judged quickly where nothing is wrong, and with its place where something is: the same judgement."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as some

from admin.strict_json import DEEPEST, MOST_KEYS, _is_clean, _problems

TEXTS = some.text(max_size=8) | some.sampled_from(["", "$gt", "a.b", "\x00", "\ud800", "x", "$", "."])
LEAVES = some.none() | some.booleans() | some.floats() | TEXTS | some.integers(-(2**64), 2**64)
VALUES = some.recursive(
    LEAVES, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return value


@given(VALUES)
@example(nested(DEEPEST))
@example(nested(DEEPEST + 1))
@example({str(n): 1 for n in range(MOST_KEYS)})
@example([{str(n): 1 for n in range(MOST_KEYS)}, {"one": 1}])
def test_the_quick_look_and_the_thorough_one_agree(value: Any) -> None:
    assert _is_clean(value) == (not _problems(value))
