"""A template sent without a rule file is a rule that its own name says whole."""

import pytest

from rules.direct import direct, reread_direct
from rules.rule_step import Send
from rules.rule_trigger import OnCall


def test_a_direct_rule_is_made_again_from_its_id_and_version() -> None:
    made = direct("receipt", ("email", "sms"), kind="service", topic="orders", mode="all")
    assert reread_direct(made.id, made.version) == made
    assert (made.trigger, made.state) == (OnCall(), "live")
    assert made.steps == (Send("message", ("email", "sms"), "receipt", "all"),)


def test_another_class_is_another_version_of_the_same_rule() -> None:
    one, other = (direct("code", ("sms",), kind=kind) for kind in ("transactional", "service"))
    assert one.id == other.id
    assert one.version != other.version


@pytest.mark.parametrize(
    ("rule", "version"),
    [("welcome", "transactional||first|sms"), ("api:x", "a1b2c3"), ("api:x", "royal||first|sms"),
     ("api:x", "service||some|sms")],
)  # fmt: skip
def test_what_is_no_direct_rule_is_none(rule: str, version: str) -> None:
    assert reread_direct(rule, version) is None
