"""The manual of reactions says the numbers that the code has, and its examples can be read."""

import re
from pathlib import Path

import pytest

from admin.machines import INSTANT
from channels.counting import ONE_CLICK_SECONDS
from profiles.findings import Findings
from profiles.reactions import ANSWERED, ANSWERS_WITHIN, CLICKED, DELIVERED, READ, SCANNED
from profiles.reactivity import ENOUGH_REACTIONS, ENOUGH_SENDS, HALF_LIFE, LOOKS_BACK, NEIGHBOURS, WEIGHTS
from profiles.strict_yaml import read_strictly
from rules.choice import MIDDLING
from rules.file_reading import Names, Reading
from rules.pressure_file import read_pressure
from rules.rule_terms import Tracking
from rules.vocabulary_file import OWN_EVENTS
from rules.winner import WINNERS

DOCS = Path(__file__).parent.parent.parent / "docs"
MANUALS = [DOCS / "reactions.md", DOCS / "fr" / "reactions.md"]


@pytest.mark.parametrize("manual", MANUALS, ids=["en", "fr"])
def test_the_numbers_of_the_manual_are_the_codes(manual: Path) -> None:
    text = manual.read_text(encoding="utf-8")
    bounds = [
        f"{ANSWERS_WITHIN.total_seconds() / 3600:.0f} ", f"{INSTANT.total_seconds():.0f} second",
        f"{HALF_LIFE.days} ", f"{LOOKS_BACK.days}", f"{ENOUGH_SENDS:.0f} ", f"{ENOUGH_REACTIONS:.0f} r", f"{MIDDLING * 100:.0f} %",
        f"`{WINNERS}`",
    ]  # fmt: skip
    assert [bound for bound in bounds if bound not in text] == []
    assert str(WEIGHTS[READ]) in text.replace(",", ".") and NEIGHBOURS == 0.5 and ONE_CLICK_SECONDS == 600
    for event in (DELIVERED, READ, CLICKED, ANSWERED, SCANNED):
        assert f"`{event}`" in text and event in OWN_EVENTS


@pytest.mark.parametrize("manual", MANUALS, ids=["en", "fr"])
def test_the_tracking_of_the_manual_can_be_read(manual: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", manual.read_text(encoding="utf-8"), re.S)
    findings = Findings()
    table = read_strictly(example + 'best hour: "18:00"\n', "pressure.yml", findings)
    assert table is not None
    limits = read_pressure(table, Reading(Names(), findings))
    assert findings.errors == [] and limits.tracking == Tracking(False, False, "shop") and limits.best_hour
