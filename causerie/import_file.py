"""A CSV file as spreadsheets write them: separated by whatever its first line has most, read row by row and never whole."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEPARATORS = ",;\t|"


class Unreadable(ValueError):
    """The file is no CSV, or not in this encoding; the text tells what to try."""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file whose first line says what its columns are."""

    path: Path
    encoding: str

    def measure(self) -> tuple[list[str], int]:
        """Return the first line's cells and how many rows follow, having read it to its end. Raises Unreadable, OSError."""
        reached, total = 1, 0
        try:
            for line, _ in self.rows():
                reached, total = line, total + 1
            with self.path.open(encoding=self.encoding, newline="") as file:
                return next(csv.reader(file, delimiter=self._separator(), strict=True), []), total
        except csv.Error as error:
            raise Unreadable(
                f"expected a CSV file, got {error} on line {reached + 1} or soon after. "
                "Hint: a cell that begins with a quotation mark ends with one"
            ) from None
        except (UnicodeError, LookupError) as error:
            raise Unreadable(
                f"expected text in {self.encoding}, got {error}. Hint: --encoding cp1252 reads what Excel writes in the West"
            ) from None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that is not empty, with the line it begins on."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self._separator(), strict=True)
            next(reader, None)
            line = reader.line_num + 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, cells
                line = reader.line_num + 1

    def _separator(self) -> str:
        with self.path.open(encoding=self.encoding) as file:
            first = file.readline()
        return max(SEPARATORS, key=first.count)
