"""Which folders are refused, each with what was expected, what is there and what to do."""

import json
from pathlib import Path

import pytest

from causerie.data_folder import claim, write_private
from causerie.mongod_program import CannotStart, Program

PROGRAM = Program(Path("mongod"), "6.0.5")


def marked(folder: Path, **facts: object) -> Path:
    folder.mkdir()
    mark = {"format": 1, "mongod": "6.0.5", "port": 40000, "is_set_up": False, **facts}
    (folder / "causerie.json").write_text(json.dumps(mark))
    return folder


def test_a_new_folder_an_empty_one_and_our_own_are_claimed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "deep" / "new", tmp_path / "empty", marked(tmp_path / "ours")):
        claim(path, PROGRAM).release()


def test_a_folder_with_somebody_elses_files_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(
        CannotStart, match=r"not a Causerie data folder; .* got photos\. Hint: set CAUSERIE_STORE__FOLDER"
    ):
        claim(tmp_path, PROGRAM)
    assert [entry.name for entry in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"format": 2}, "written by a newer Causerie; expected format 1 or older, got 2"),
        ({"mongod": "8.0.4"}, "written by a newer MongoDB; expected 6.0.5 or older, got 8.0.4"),
        ({"mongod": "10.0.0"}, "written by a newer MongoDB"),
        ({"is_set_up": True}, "parts of the data are gone: password, db/WiredTiger"),
        ({"port": 0}, "not readable as the mark"),
        ({"port": "many"}, "not readable as the mark"),
        ({"colour": "red"}, "not readable as the mark"),
    ],
)
def test_a_folder_we_can_not_use_is_refused(tmp_path: Path, facts: dict[str, object], said: str) -> None:
    folder = marked(tmp_path / "data", **facts)
    before = (folder / "causerie.json").read_bytes()
    with pytest.raises(CannotStart, match=said):
        claim(folder, PROGRAM)
    assert (folder / "causerie.json").read_bytes() == before


def test_a_patch_release_newer_than_ours_is_the_same_line_and_accepted(tmp_path: Path) -> None:
    claim(marked(tmp_path / "data", mongod="6.0.27"), PROGRAM).release()


def test_a_torn_mark_is_refused(tmp_path: Path) -> None:
    (marked(tmp_path / "data") / "causerie.json").write_text('{"format": 1, "mon')
    with pytest.raises(CannotStart, match="Hint: restore the file"):
        claim(tmp_path / "data", PROGRAM)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(CannotStart, match=r"store\.folder: .*data: File exists"):
        claim(tmp_path / "data", PROGRAM)


def test_a_refused_folder_is_not_left_locked(tmp_path: Path) -> None:
    folder = marked(tmp_path / "data", format=2)
    for _ in range(2):
        with pytest.raises(CannotStart, match="newer Causerie"):
            claim(folder, PROGRAM)


def test_a_private_file_is_replaced_whole_even_after_an_attempt_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "password.draft").write_text("half")
    write_private(tmp_path / "password", "whole")
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("password", "whole")]
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
