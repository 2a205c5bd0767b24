"""The shape that everything stands on: imports point down, one home per driver, names that say what a thing is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("causerie", "admin", "channels", "bot", "rules", "profiles")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "base", "manager", "managers", "misc", "core", "tools"}


def test_imports_point_down_and_each_driver_has_one_home() -> None:
    """The contracts stand in pyproject.toml; import-linter judges them."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    judged = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in MODULES if path.stem in EMPTY_NAMES or path.parent.name in EMPTY_NAMES] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_first_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_tests_are_no_package_and_stand_in_the_folder_of_what_they_test() -> None:
    tests = ROOT / "tests"
    bots = tests / "bot" / "conformance"  # bots in Rasa's own layout, whose actions are a package
    assert [file for file in tests.rglob("__init__.py") if bots not in file.parents] == []
    homes = {
        path.relative_to(tests).parts[0] for path in tests.glob("*/**/test_*.py") if "node_modules" not in path.parts
    }
    assert homes <= {*PACKAGES, "bench", "peers", "stories", "faults", "security"}
