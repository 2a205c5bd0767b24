"""The set-up scripts say what is missing, in a sentence, on a machine that lacks it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with a shell and little more."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env", "dirname", "id"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def fake(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
    (folder / name).chmod(0o755)


def run(script: Path, path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(path), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_without_a_new_enough_python_make_says_which_one_it_needs(bare: Path, tmp_path: Path) -> None:
    fake(bare, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    done = run(ROOT / ".ci" / "venv", bare, str(tmp_path / "venv"))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer on PATH; got Python 3.9.2." in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_newer_python_of_another_name_is_found(bare: Path, tmp_path: Path) -> None:
    fake(bare, "python3", "exit 1")
    fake(bare, "python3.12", f'if [ "$1" = -m ]; then echo "$@" > {tmp_path}/asked; else echo Python 3.12.1; fi')
    done = run(ROOT / ".ci" / "venv", bare, str(tmp_path / "venv"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text() == f"-m venv {tmp_path / 'venv'}\n"


def test_peers_that_can_not_be_had_are_named_and_the_rest_goes_on(bare: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout" / ".ci"
    copy.mkdir(parents=True)
    script = Path(shutil.copy(ROOT / ".ci" / "peers", copy))
    done = run(script, bare)
    assert done.returncode == 0, done.stderr
    assert "no Chromium: tests in a browser are skipped" in done.stdout
    assert "no npm peers: SMPP tests are skipped" in done.stdout
