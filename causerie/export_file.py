"""The file that an export is written to: CSV for spreadsheets, JSON Lines for programs, whole or not there.

It holds personal data, so only its owner may read it. A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

import csv
import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from admin.export_rows import Row

FORMATS = (".csv", ".jsonl")
_NUMBER = re.compile(r"[+-]?[\d .,()]+")
"""A telephone or a number may begin with a sign: it calculates nothing."""
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What begins a formula (OWASP, CSV Injection), in full width too."""


class ExportFile:
    """Within the block rows are written beside `path`; it appears when the block ends well. Raises FileExistsError, OSError."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, columns
        self._draft = path.with_name(f"{path.name}.part")

    def __enter__(self) -> Self:
        if self._path.exists():
            raise FileExistsError(self._path)
        self._draft.unlink(missing_ok=True)  # of an export that was stopped
        opened = os.open(self._draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file = os.fdopen(opened, "w", encoding="utf-8", newline="")
        if self._is_csv:
            self._file.write("\ufeff")  # without it Excel reads letters with accents wrongly
            csv.writer(self._file).writerow(self._columns)
        return self

    def write(self, rows: Iterable[Row]) -> None:
        """Add these rows."""
        if self._is_csv:
            csv.writer(self._file).writerows([_cell(row.get(name)) for name in self._columns] for row in rows)
        else:
            for row in rows:
                self._file.write(json.dumps(row, ensure_ascii=False, default=_said) + "\n")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            os.link(self._draft, self._path)  # unlike a rename it overwrites nothing that came meanwhile
        with suppress(FileNotFoundError):
            self._draft.unlink()

    @property
    def _is_csv(self) -> bool:
        return self._path.suffix == ".csv"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        harmless = not value.startswith(_STARTS) or _NUMBER.fullmatch(value)
        return value if harmless else f"'{value}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return _cell(" | ".join(map(_cell, value)))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=_said)
    return _said(value)


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
