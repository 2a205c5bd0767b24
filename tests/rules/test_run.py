"""What runs and their messages are called."""

import re
from datetime import UTC, datetime, timedelta

from profiles.ids import new_id
from profiles.links import read_link, sign_link
from rules.run import Run, decision_id, message_id, run_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _run(profile: str, occurrence: str = "2026-11-22T09:00") -> Run:
    return Run(run_id("sales", profile, occurrence), "sales", "v1", profile, NOON, occurrence=occurrence)


def test_the_names_of_one_campaign_stand_in_the_order_of_its_contacts() -> None:
    runs = [_run(new_id(NOON + timedelta(seconds=seconds))) for seconds in (0, 1, 60, 86_400, 31_536_000)]
    for names in (
        [run.id for run in runs],
        [message_id(run, "first", "email") for run in runs],
        [decision_id(run, "first", "sent", "0.0") for run in runs],
    ):
        assert names == sorted(names)
        assert all(re.fullmatch(r"(rule:)?[0-9a-f]{30}", name) for name in names)


def test_whatever_differs_has_another_name_also_within_one_instant() -> None:
    runs = [_run(profile, day) for profile in ("anna", "anne", new_id(NOON), new_id(NOON), "") for day in ("a", "b")]
    letters = [message_id(run, step, space) for run in runs for step in ("1", "2") for space in ("sms", "email")]
    rows = [decision_id(run, step, why, "0.0") for run in runs for step in ("1", "2") for why in ("sent", "late")]
    assert len({run.id for run in runs}) == len(runs)
    assert len(set(letters)) == len(letters) and len(set(rows)) == len(rows)


def test_a_link_in_a_rules_message_stays_short() -> None:
    message = message_id(_run("anna"), "first", "sms")
    assert len(token := sign_link(b"secret", message, 3)) == 32
    assert read_link(b"secret", token) == (message, 3)
