"""Expressions that stand still are refused quickly, those that people really write are not."""

import re
import time

import pytest

from bot.patterns import compiled

SLOW = [
    r"(a+)+$", r"(a*)*b", r"^(\w+\s?)*$", r"(x+x+)+y", r"(a|a)*b", r"(a|aa)+$", r"([a-zA-Z]+)*$", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"code: (\d+)+x", r"(?:[^,]+,?)*;", r"\d+\d+\d+\d+$", r"(.*)(.*)(.*)(.*)z", r"^(?=(a+)+$)", r"(?P<a>(\s|\d)+)*!",
    r"^([\w.+-]+)+@([\w-]+)+\.com$", r"(?:\w{1,20}\s?){1,20}$", r"(?:[a-z]{1,15}-?){1,10}\d", r"\d{25}(a+)+$",
]  # fmt: skip
GOOD = [
    r"[A-Z]{2}-?\d{4,10}", r"\b\d{5}\b", r"(?:\d{2}[ .-]?){5}", r"[\w.+-]+@[\w-]+\.[\w.-]+", r"(?:[a-z]+-)*[a-z]+", r"(\d+-)*x",
    r"https?://[^\s]+", r".*\bcommande\b.*", r"(?i)order\s+#?(\d+)", r"^\+?[0-9 ()/-]{6,20}$", r"(mon|tues|wednes)day", r"a{2,30}",
    r"[^\W\d_]+(?:[ '-][^\W\d_]+)*", r"(?:\d{1,3}\.){3}\d{1,3}", r"\s*", r"(?<!\w)FR\d{2}(?: ?\d{4}){5}", r"",
    r"(?:\w{2,30}[ -]?){1,6}", r"(\d{1,3} ?){1,8}€", r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}",
    "|".join(f"mot{n}\\w*" for n in range(400)),
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


@pytest.mark.parametrize(
    "written", [".*?a" * 40, "a*" * 3_200, "(?:" * 100 + "a" + "b*)*" * 100, "(" * 300 + "a" + ")+" * 300]
)
def test_an_expression_whose_trial_would_not_end_is_refused_untried(written: str) -> None:
    began = time.thread_time()
    with pytest.raises(ValueError, match="repeats more than 20|characters|recursion|busy"):
        compiled(written)
    assert time.thread_time() - began < 1


def test_the_trial_of_a_long_expression_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.patterns._TRIAL_SECONDS", 0.0)
    with pytest.raises(ValueError, match="too long to be tried"):
        compiled("|".join(f"nom{n}\\w*" for n in range(50)))
