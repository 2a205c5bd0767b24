"""A bot's folder as texts: what belongs to it, each file whole or as it was, nothing outside the folder."""

import os
from pathlib import Path

import pytest

from bot.content import changed_since, copy_folder, is_writable, read_content, write_content


def test_code_secrets_and_what_is_no_text_are_none_of_its_business(tmp_path: Path) -> None:
    kept = {
        "domain.yml": "intents: []\n",
        "data/fr/nlu.yml": "nlu: []\n",
        "kb/fr/a.md": "# Été\n",
        "tests/a.yml": "x: 1\n",
    }
    write_content(tmp_path, kept)
    write_content(
        tmp_path, {"endpoints.yml": "token: secret\n", "credentials.yml": "a: b\n", "actions/actions.py": "1\n"}
    )
    (tmp_path / "data/broken.yml").write_bytes(b"\xff\xfe\x00")
    assert read_content(tmp_path) == dict(sorted(kept.items()))


def test_line_ends_and_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    text = "a: 1\r\nb: 'é'\n"
    write_content(tmp_path, {"domain.yml": text})
    assert read_content(tmp_path) == {"domain.yml": text}


@pytest.mark.parametrize("path", ["../domain.yml", "/etc/domain.yml", "data/../../x.yml", ""])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="inside"):
        write_content(tmp_path / "bot", {path: "x"})


def test_a_write_that_fails_leaves_the_file_as_it_was_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_content(tmp_path, {"domain.yml": "old\n"})

    def full(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_content(tmp_path, {"domain.yml": "new\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["domain.yml"]
    assert (tmp_path / "domain.yml").read_text() == "old\n"


def test_a_file_keeps_its_rights_and_a_removed_one_is_gone(tmp_path: Path) -> None:
    write_content(tmp_path, {"domain.yml": "old\n", "data/nlu.yml": "x: 1\n"})
    (tmp_path / "domain.yml").chmod(0o640)
    write_content(tmp_path, {"domain.yml": "new\n", "data/nlu.yml": None, "data/never.yml": None})
    assert (tmp_path / "domain.yml").stat().st_mode & 0o777 == 0o640
    assert read_content(tmp_path) == {"domain.yml": "new\n"}


def test_what_changed_since_it_was_read_is_named(tmp_path: Path) -> None:
    write_content(tmp_path, {"domain.yml": "a: 1\n", "data/nlu.yml": "b: 1\n"})
    before = read_content(tmp_path)
    write_content(tmp_path, {"domain.yml": "a: 2\n", "data/new.yml": "c: 1\n"})
    paths = ["domain.yml", "data/nlu.yml", "data/new.yml", "data/none.yml"]
    assert changed_since(tmp_path, before, paths) == ("domain.yml", "data/new.yml")


def test_a_copy_of_a_folder_that_is_only_read_may_be_written(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "data" / "copy"
    write_content(source, {"domain.yml": "a: 1\n", "actions/actions.py": "1\n"})
    for path in (source / "domain.yml", source):
        path.chmod(0o555)
    copy_folder(source, copy)
    source.chmod(0o755)
    assert is_writable(copy) and (copy / "actions/actions.py").exists()
    assert (copy / "domain.yml").stat().st_mode & 0o200
    assert not is_writable(tmp_path / "nowhere")
