"""The benchmark of conditions: every way comes to the same answers, and a way that does not is seen."""

import pytest

from bench import conditions, report
from bench.conditions import CONDITIONS, rates


def test_every_condition_is_measured_by_every_way() -> None:
    found = rates(seconds=0.02, rounds=1)
    assert [rate.condition for rate in found] == list(CONDITIONS)
    assert all(rate.ours > 0 and rate.walker > 0 and rate.jinja > 0 for rate in found)


def test_a_way_that_answers_otherwise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_jinja", lambda text: lambda facts: True)
    with pytest.raises(AssertionError, match="jinja"):
        rates(seconds=0.01, rounds=1)


def test_the_report_tells_whether_it_is_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert report.rules(0.02)["conditions_per_second"] > 0
    monkeypatch.setattr(report, "CONDITIONS_A_SECOND", 10**12)
    assert report.rules(0.02)["fast_enough"] is False
