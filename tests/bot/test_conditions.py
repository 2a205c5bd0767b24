"""The conditions of flows: what holds, and what is refused with words that help."""

import pytest

from bot.conditions import ConditionError, always, parse_condition

SLOTS = {
    "age": 17.0, "name": "Alice", "town": "", "typed": "21", "member": True, "guest": False, "tags": ["vip", "new"],
    "zip": "60613-1060", "level": "ERR",
}  # fmt: skip
CONTEXT = {"reason": "late", "previous_flow_name": "greeting"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slots.age < 18", True),
        ("age >= 17 and age <= 17", True),
        ("slots.age > 17", False),
        ("slots.age = 17", True),
        ("slots.age == 17", True),
        ("slots.age != 17", False),
        ("slots.typed >= 21", True),
        ("slots.typed > '3'", False),  # two texts compare as texts
        ('name is "Alice"', True),
        ("name is not 'Alice'", False),
        ("name != 'Bob'", True),
        ("slots.unset is null", True),
        ("slots.unset is not null", False),
        ("slots.name is not null", True),
        ("not slots.unset", True),
        ("not slots.town", True),
        ("town is empty", True),
        ("name is empty", False),
        ("slots.unset is empty", False),
        ("slots.unset < 3", False),
        ("slots.name < 3", False),
        ("slots.member", True),
        ("slots.member is true", True),
        ("slots.guest = false", True),
        ("NOT slots.guest AND slots.member", True),
        ("not slots.guest and not slots.member", False),
        ("not not slots.member", True),
        ("slots.guest or slots.member", True),
        ("not (slots.guest or slots.member)", False),
        ("slots.guest and slots.member or slots.member", False),  # as pypred reads it: from the right
        ("(slots.guest and slots.member) or slots.member", True),
        ("slots.member or slots.guest and slots.guest", True),
        ('slots.name contains "lic"', True),
        ('slots.name contains "LIC"', False),
        ('slots.name not contains "bob"', True),
        ('not slots.name contains "lic"', False),
        ('slots.tags contains "vip"', True),
        ("{'WARN' 'ERR' 'CRIT'} contains slots.level", True),
        ("{'WARN', 'CRIT'} contains slots.level", False),
        ("{1 2 17} contains slots.age", True),
        ('slots.age contains "1"', False),
        (r'slots.zip matches "^\d{5}(-\d{4})?$"', True),
        (r"slots.zip not matches '^\d{5}$'", True),
        ('slots.name matches "(?i)ALI"', True),
        ("slots.name matches /ali/i", True),
        ("slots.age matches '17'", False),
        ('context.reason is "late"', True),
        ('"{{context.previous_flow_name}}" != "greeting"', False),
        ("context.nothing is null", True),
        ("True", True),
        ("False", False),
        ("slots.age = -17", False),
    ],
)
def test_a_condition_holds_as_it_reads(text, expected):
    assert parse_condition(text).holds(SLOTS, CONTEXT) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'expected a slot or a value, got "the end"'),
        ("slots.age <", 'expected a slot or a value, got "the end"'),
        ("(slots.age < 3", 'expected ")", got "the end"'),
        ("slots.age 3", 'expected and, or or the end, got "3"'),
        ("slots.age < 3)", 'expected and, or or the end, got ")"'),
        ("and slots.age", 'expected a slot or a value, got "and"'),
        ("slots.age not 3", 'expected contains or matches after not, got "3"'),
        ('slots.name matches "("', "expected a regular expression, got '('"),
        ("slots.name matches 3", "expected a regular expression in quotes after matches"),
        ("slots.age & 3", 'unreadable from "& 3"'),
        ('slots.name is "open', "unreadable"),
        ("(" * 60 + "a" + ")" * 60, "expected fewer parentheses"),
        ("{'a'", 'expected "}", got "the end"'),
        ("a" * 1_001, "at most 1000 characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_was_expected(text, problem):
    with pytest.raises(ConditionError) as refused:
        parse_condition(text)
    assert problem in str(refused.value)


def test_the_names_a_condition_looks_at_are_known():
    assert parse_condition("slots.age < max and context.reason is 'a' or age > 1").names == (
        "slots.age", "max", "context.reason", "age",
    )  # fmt: skip


def test_and_before_or_without_parentheses_is_told():
    assert parse_condition("a and b or c").mixes
    assert not parse_condition("a or b and c").mixes
    assert not parse_condition("(a and b) or c").mixes


def test_a_condition_never_runs_code():
    assert parse_condition("__import__.os").holds({}, {}) is False
    with pytest.raises(ConditionError):
        parse_condition("__import__('os')")


def test_a_plain_truth_is_a_condition_too():
    assert always(True).holds({}, {}) and not always(False).holds({}, {})
