"""The French of the widget and the push dialogue is set as French is: no mark begins a line, apostrophes are curved."""

import json
import re
from pathlib import Path

import pytest

import channels


@pytest.mark.parametrize("part", ["webchat", "webpush"])
def test_french_marks_and_apostrophes_are_set_as_they_are_printed(part: str) -> None:
    written = (Path(channels.__file__).parent / part / "static" / "locales" / "fr.json").read_text(encoding="utf-8")
    said = [
        text
        for value in json.loads(written).values()
        for text in (value.values() if isinstance(value, dict) else [value])
    ]
    assert [text for text in said if re.search(r"\w'\w| [:;!?»%]|« |\u00a0[;!?%]|\u202f[:»]|[^\s][;!?»]", text)] == []
    assert any("\u202f?" in text for text in said)
