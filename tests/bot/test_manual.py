"""The manual's first new answer works as it is written, in both languages."""

import re
import shutil
from pathlib import Path

import pytest

from bot.brain import Brain
from tests.bot.conftest import SHOP

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "file", "asked", "answer"),
    [
        ("bot.md", "nlu.en.yml", "could you gift wrap it please?", "we wrap gifts free"),
        ("fr/bot.md", "nlu.fr.yml", "vous faites les paquets cadeaux ?", "nous emballons les cadeaux"),
    ],
)
def test_the_first_new_answer_in_five_minutes(tmp_path, tell, page, file, asked, answer):
    folder = tmp_path / "my-shop"
    shutil.copytree(SHOP, folder)
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = [
        "\n".join(line.removeprefix("   ") for line in block.splitlines())
        for block in re.findall(r"^   ```yaml\n(.*?)^   ```", text, re.MULTILINE | re.DOTALL)
    ]
    nlu, domain, rule = blocks[:3]
    _append(folder / "data" / file, nlu)
    _append(folder / "data" / "rules.yml", rule)
    intents, responses = domain.split("responses:\n")
    written = (folder / "domain.yml").read_text(encoding="utf-8")
    written = written.replace("intents:\n", intents.rstrip() + "\n", 1) + responses
    (folder / "domain.yml").write_text(written, encoding="utf-8")
    tell(Brain.load(folder)) >> asked << answer


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text + "\n", encoding="utf-8")


def test_the_manual_names_every_key_of_our_own_files():
    from bot.finders import FINDERS
    from bot.handover import _KEYS, _REASONS
    from bot.validation import _ACCEPT_KEYS

    keys = {*FINDERS, *_KEYS, *_ACCEPT_KEYS, "timezone", "country", "fresh", "read_only", "source", "events"}
    for page in ("bot.md", "fr/bot.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        assert [key for key in sorted(keys | (set(_REASONS) - {"action"})) if key not in text] == []
