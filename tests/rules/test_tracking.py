"""What is counted of a rule's message: its own word, else the house's, and never against the contact's no."""

from datetime import time

import pytest

from profiles.findings import Findings
from profiles.links import read_link
from profiles.profile import Profile
from profiles.strict_yaml import read_strictly
from profiles.timeline import Content
from rules.file_reading import Names, Reading
from rules.policy import Reach
from rules.pressure_file import read_pressure
from rules.rule_file import read_rule
from rules.rule_terms import Tracking
from rules.sentences import sentences
from rules.tracking import Tracker
from tests.cast import NOON, anna
from tests.rules.play import rule

TRACKER = Tracker("https://hello.example.org", b"s" * 32)
MESSAGE = "rule:" + "cd" * 15
EMAIL = Reach("mailer", "email", is_thread=False)
RULE = """
rule: cart
topic: offers
when: {event: cart.updated}
%s
steps:
  - send: {channel: telegram, template: t}
"""


def tracked(own: str = "", house: Tracking | None = None, to: Profile | None = None, variant: str = "") -> Content:
    content = Content("https://shop.example/a", html='<p><a href="https://shop.example/a">a</a></p>')
    return TRACKER.track(
        content, MESSAGE, rule=rule(RULE % own), house=house or Tracking(), reach=EMAIL, to=to or anna(), variant=variant
    )  # fmt: skip


def counts(content: Content) -> tuple[bool, bool]:
    """Return whether clicks and openings of this are counted."""
    clicks = "/l/" in content.text
    assert clicks == ("/l/" in content.html)
    return clicks, "/o/" in content.html


@pytest.mark.parametrize(
    ("own", "house", "expected"),
    [
        ("", Tracking(), (True, True)),
        ("", Tracking(clicks=False), (False, True)),
        ("", Tracking(opens=False), (True, False)),
        ("tracking: {clicks: no, opens: no}", Tracking(), (False, False)),
        ("tracking: {clicks: yes}", Tracking(clicks=False, opens=False), (True, False)),
    ],
)
def test_the_rule_says_it_first_then_the_house(own: str, house: Tracking, expected: tuple[bool, bool]) -> None:
    assert counts(tracked(own, house)) == expected


def test_who_has_no_tracking_is_not_tracked_whatever_the_rule_says() -> None:
    private = anna().learn("no_tracking", True, source="declared", at=NOON)
    assert counts(tracked("tracking: {clicks: yes, opens: yes}", to=private)) == (False, False)


@pytest.mark.parametrize(
    ("own", "house", "query"),
    [
        ("", Tracking(), ""),
        ("", Tracking(utm="shop"), "?utm_source=shop&utm_medium=email&utm_campaign=cart&utm_content=b"),
        ("tracking: {utm: own.word}", Tracking(utm="shop"),
         "?utm_source=own.word&utm_medium=email&utm_campaign=cart&utm_content=b"),
        ("tracking: {utm: none}", Tracking(utm="shop"), ""),
    ],
)  # fmt: skip
def test_links_get_parameters_that_name_house_channel_rule_and_variant(own: str, house: Tracking, query: str) -> None:
    content = tracked(own, house, variant="b")
    assert content.links == ("https://shop.example/a" + query,)
    assert read_link(TRACKER.secret, content.text.rpartition("/")[2]) == (MESSAGE, 0)


def test_pressure_yml_says_what_the_house_counts_and_its_best_hour() -> None:
    findings = Findings()
    text = "best hour: 18:30\ntracking: {clicks: no, utm: shop}\n"
    table = read_strictly(text, "pressure.yml", findings)
    assert table is not None
    limits = read_pressure(table, Reading(Names(), findings))
    assert not findings.errors
    assert limits.tracking == Tracking(clicks=False, utm="shop") and limits.best_hour == time(18, 30)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("tracking: {click: no}", 'Hint: did you mean "clicks"?'),
        ("tracking: {clicks: never}", 'expected yes, no, true or false, got "never"'),
        ("tracking: {utm: a b}", 'expected a word such as shop, or none, got "a b"'),
    ],
)
def test_a_mistake_in_tracking_is_told(own: str, problem: str) -> None:
    findings = Findings()
    assert read_rule(RULE % own, "rule.yml", Names(), findings) is None
    assert problem in str(findings.errors[0])


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["It does not count clicks and openings.", "Its links say utm_source=shop."]),
        ("fr", ["Elle ne compte pas les clics et les ouvertures.", "Ses liens portent utm_source=shop."]),
    ],
)
def test_what_a_rule_does_not_count_is_said_in_words(language: str, expected: list[str]) -> None:
    said = sentences(rule(RULE % "tracking: {clicks: no, opens: no, utm: shop}"), language)
    assert all(any(sentence in line for line in said) for sentence in expected)
