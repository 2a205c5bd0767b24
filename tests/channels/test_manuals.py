"""The manuals of the SMS channels and the example say what the code says, in both languages."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from channels import house
from tests.channels.example import EXAMPLE, MANUALS, code_of, installed_example

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["docs/channels", "docs/fr/channels"])
@pytest.mark.parametrize("name", ["twilio", "smpp", "email", "apns", "fcm", "inapp", "wallet", "webpush"])
def test_every_option_is_in_the_manual_and_no_other(folder: str, name: str) -> None:
    text = (ROOT / folder / f"{name}.md").read_text(encoding="utf-8")
    options = text.split("## Options")[1].split("\n## ")[0]
    told = re.findall(
        r"`(\w+)`", " ".join(line.split("|")[1] for line in options.splitlines() if line.startswith("| `"))
    )
    assert told == [field.name for field in fields(house.options_of(name))]


def test_the_example_is_the_same_in_both_languages() -> None:
    assert code_of(MANUALS[0]) == code_of(MANUALS[1])


def test_a_new_file_in_the_folder_is_a_channel_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_example(monkeypatch)
    (tmp_path / f"{EXAMPLE}.py").write_text(code_of(MANUALS[0]), encoding="utf-8")
    monkeypatch.setattr("channels.__path__", [*house.channels.__path__, str(tmp_path)])
    assert EXAMPLE in house.names()
    assert house.options_of(EXAMPLE)().enabled is False
