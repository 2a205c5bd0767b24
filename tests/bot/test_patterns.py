"""Expressions that stand still are refused quickly, those that people really write are not."""

import re
import time

import pytest

from bot.patterns import compiled

SLOW = [
    r"(a+)+$", r"(a*)*b", r"^(\w+\s?)*$", r"(x+x+)+y", r"(a|a)*b", r"(a|aa)+$", r"([a-zA-Z]+)*$", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"code: (\d+)+x", r"(?:[^,]+,?)*;", r"\d+\d+\d+\d+$", r"(.*)(.*)(.*)(.*)z", r"^(?=(a+)+$)", r"(?P<a>(\s|\d)+)*!",
    r"^([\w.+-]+)+@([\w-]+)+\.com$",
]  # fmt: skip
GOOD = [
    r"[A-Z]{2}-?\d{4,10}", r"\b\d{5}\b", r"(?:\d{2}[ .-]?){5}", r"[\w.+-]+@[\w-]+\.[\w.-]+", r"(?:[a-z]+-)*[a-z]+", r"(\d+-)*x",
    r"https?://[^\s]+", r".*\bcommande\b.*", r"(?i)order\s+#?(\d+)", r"^\+?[0-9 ()/-]{6,20}$", r"(mon|tues|wednes)day", r"a{2,30}",
    r"[^\W\d_]+(?:[ '-][^\W\d_]+)*", r"(?:\d{1,3}\.){3}\d{1,3}", r"\s*", r"(?<!\w)FR\d{2}(?: ?\d{4}){5}", r"",
]  # fmt: skip


@pytest.mark.parametrize("written", SLOW)
def test_an_expression_that_some_text_keeps_busy_is_refused_and_quickly(written: str) -> None:
    began = time.thread_time()
    with pytest.raises(ValueError, match="busy"):
        compiled(written)
    assert time.thread_time() - began < 3


@pytest.mark.parametrize("written", GOOD)
def test_an_expression_as_people_write_them_is_compiled(written: str) -> None:
    assert compiled(written, re.IGNORECASE).flags & re.IGNORECASE


@pytest.mark.parametrize("written", ["(", "[a-", "a{3,1}", "(?P<1>x)", "*"])
def test_what_is_no_expression_says_why(written: str) -> None:
    with pytest.raises(ValueError, match="."):
        compiled(written)
