"""What stands around the rules' own words in previews and simulations, in both languages."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from causerie import rehearsal_preview, rehearsal_simulation
from causerie.rehearsal_words import counted, said


@pytest.mark.parametrize("module", [rehearsal_preview, rehearsal_simulation])
def test_every_sentence_that_is_said_has_its_french(module: ModuleType) -> None:
    source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call) and ast.unparse(node.func) == "said"]
    plain = [call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)]
    assert len(plain) > 1
    for text in (*plain, "rule", "sent", "waits", "not sent", "why not, most often"):
        assert said("fr", str(text), **dict.fromkeys(_fields(str(text)), "x"))


def test_so_many_are_said_as_the_language_does() -> None:
    assert [counted("en", count, "contact") for count in (0, 1, 2000)] == ["0 contacts", "1 contact", "2,000 contacts"]
    french = ["0 décision", "1 décision", "2\u202f000 décisions"]
    assert [counted("fr", count, "decision") for count in (0, 1, 2000)] == french


def _fields(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]
