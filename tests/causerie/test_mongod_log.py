"""mongod's log: quoted by its last grave line, never larger than its bound."""

import json
from pathlib import Path

from causerie.mongod_log import LARGEST_BYTES, last_complaint, turn_over


def written(log: Path, *entries: object) -> Path:
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    return log


def at(second: int) -> dict[str, str]:
    return {"$date": f"2026-11-21T10:00:{second:02}.000+00:00"}


def test_the_first_error_of_the_last_burst_is_quoted_with_its_cause(tmp_path: Path) -> None:
    log = written(
        tmp_path / "log",
        {"t": at(1), "s": "E", "msg": "Old trouble", "attr": {"error": "long ago"}},
        {"t": at(30), "s": "E", "msg": "WiredTiger error", "attr": {"error": "No space left on device"}},
        {"t": at(30), "s": "F", "msg": "Fatal assertion"},
        {"t": at(31), "s": "I", "msg": "Shutting down"},
    )
    assert last_complaint(log) == "WiredTiger error: No space left on device"


def test_the_storage_engines_error_is_quoted_in_words(tmp_path: Path) -> None:
    message = {"session_name": "WT_SESSION", "msg": "pwrite: failed to write", "error_str": "No space left on device"}
    log = written(tmp_path / "log", {"s": "E", "msg": "WiredTiger error", "attr": {"error": 28, "message": message}})
    assert last_complaint(log) == "WiredTiger error: No space left on device: pwrite: failed to write"


def test_a_torn_last_line_a_missing_file_and_a_calm_log_are_no_trouble(tmp_path: Path) -> None:
    log = written(tmp_path / "log", {"s": "F", "msg": "No space left on device"})
    log.write_text(log.read_text() + '{"s": "E", "ms')
    assert last_complaint(log) == "No space left on device"
    assert "nothing grave" in last_complaint(tmp_path / "none")
    assert "nothing grave" in last_complaint(written(tmp_path / "calm", {"s": "I", "msg": "Waiting"}, [1]))


def test_a_log_is_set_aside_when_it_is_large_and_only_then(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert not turn_over(log)
    log.write_bytes(b"x" * LARGEST_BYTES)
    assert not turn_over(log)
    log.write_bytes(b"x" * (LARGEST_BYTES + 1))
    assert turn_over(log)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log.1"]
