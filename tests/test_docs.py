"""The manual and the shipped config.toml say what the code says: every key, its default, in English and French."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from causerie.config_file import render, written
from causerie.sections import every_section

ROOT = Path(__file__).parent.parent
MANUALS = ("docs/configuration.md", "docs/fr/configuration.md")
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern) if "node_modules" not in path.parts
)


def test_the_shipped_config_has_every_key_with_its_default_and_one_comment() -> None:
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == render(every_section()), "run: make config"


def test_every_key_says_what_it_is_about() -> None:
    silent = [
        f"{section}.{one.name}"
        for section, kind in every_section().items()
        for one in fields(kind)
        if not one.metadata.get("about")
    ]
    assert silent == []


@pytest.mark.parametrize("manual", MANUALS)
def test_the_manual_has_every_key_with_its_default_and_no_other(manual: str) -> None:
    text = (ROOT / manual).read_text(encoding="utf-8")
    told = {
        section: re.findall(r"^\| `(\w+)` \| `([^`]*)` \| \S", part, re.MULTILINE)
        for section, part in re.findall(r"^## \[([\w.]+)\]$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    }
    assert told == {name: _keys(kind) for name, kind in every_section().items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_between_pages_is_broken(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def _keys(kind: type[Any]) -> list[tuple[str, str]]:
    return [
        (one.name, written(one.default if one.default is not MISSING else one.default_factory()))  # type: ignore[misc]
        for one in fields(kind)
    ]
