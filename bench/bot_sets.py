"""The sentences that hearing is measured on: those of this repository, and public sets where a folder with them is given.

Public sets are never committed. The folder holds, as their authors publish them (each CC BY):
  banking77/train.csv, test.csv              PolyAI-LDN/task-specific-datasets, banking_data
  clinc150/data_full.json                    clinc/oos-eval, data
  hwu64/KFold_1/trainset, testset/csv        xliuhw/NLU-Evaluation-Data, its CrossValidation folder
"""

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.training import Mark

TESTS = Path(__file__).parent.parent / "tests" / "bot"
_MARK = re.compile(r"\[\s*([\w-]+)\s*:\s*([^\]]+?)\s*\]")

Row = tuple[str, str]
"""A sentence and its intent."""


@dataclass(frozen=True, slots=True)
class IntentSet:
    """Sentences to learn from and to be tried on; `strangers` are no intent's, and those to learn refusing from likewise."""

    name: str
    train: tuple[Row, ...]
    test: tuple[Row, ...]
    strangers: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def few(self, each: int, seed: int = 0) -> "IntentSet":
        """Return the set with so many sentences an intent to learn from, drawn at random."""
        rows = sorted(self.train)
        random.Random(seed).shuffle(rows)
        taken: dict[str, list[Row]] = {}
        for row in rows:
            taken.setdefault(row[1], []).append(row)
        few = tuple(row for intent in sorted(taken) for row in taken[intent][:each])
        return IntentSet(f"{self.name} {each} each", few, self.test, self.strangers, self.refused)


def shop_set(language: str, taught: tuple[Row, ...]) -> IntentSet:
    """Return the shipped shop's examples in one language, tried on sentences that are not among them."""
    seen = {text.casefold() for text, _ in taught}
    rows = [line.split("\t") for line in (TESTS / f"heldout.{language}.txt").read_text(encoding="utf-8").splitlines()]
    test = tuple((text, intent) for intent, text, *_ in rows if text.casefold() not in seen)
    strange = [line.split("\t") for line in (TESTS / "strangers.txt").read_text(encoding="utf-8").splitlines()]
    return IntentSet(f"shop {language}", taught, test, tuple(text for told, text in strange if told == language))


def public_sets(folder: Path) -> Iterator[IntentSet]:
    """Yield those of the public sets that the folder holds."""
    if (folder / "banking77").is_dir():
        train, test = (tuple(_csv_rows(folder / "banking77" / f"{part}.csv")) for part in ("train", "test"))
        yield IntentSet("BANKING77", train, test)
    if (folder / "hwu64").is_dir():
        train, test = (
            tuple((plain, intent) for plain, intent, _ in _hwu_rows(folder / "hwu64" / "KFold_1" / part))
            for part in ("trainset", "testset/csv")
        )
        yield IntentSet("HWU64 fold 1", train, test)
    if (folder / "clinc150").is_dir():
        parts = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
        rows = {name: tuple((text, intent) for text, intent in found) for name, found in parts.items()}
        strangers, refused = (tuple(text for text, _ in rows[name]) for name in ("oos_test", "oos_train"))
        yield IntentSet("CLINC150", rows["train"], rows["test"], strangers, refused)


def public_names(folder: Path) -> tuple[list[tuple[str, tuple[Mark, ...]]], list[tuple[str, tuple[Mark, ...]]]] | None:
    """Return HWU64's sentences with what they name, to learn from and to be tried on; None when the folder has none."""
    home = folder / "hwu64" / "KFold_1"
    if not home.is_dir():
        return None
    train, test = ([_marked(told) for _, _, told in _hwu_rows(home / part)] for part in ("trainset", "testset/csv"))
    return train, test


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def _hwu_rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield sentence, intent, and the sentence with its marks."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                yield row["answer_from_anno"], f"{row['scenario']}_{row['intent']}", row["answer_annotation"]


def _marked(told: str) -> tuple[str, tuple[Mark, ...]]:
    """Return the sentence without `[date : tomorrow]` marks, and these."""
    plain, position, marks = "", 0, []
    for mark in _MARK.finditer(told):
        plain += told[position : mark.start()]
        marks.append(Mark(len(plain), len(plain) + len(mark[2]), mark[1]))
        plain += mark[2]
        position = mark.end()
    return plain + told[position:], tuple(marks)
