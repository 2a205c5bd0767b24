"""Where trained models are kept, so that a bot whose sentences did not change is not trained again.

One file a model, in numpy's own format without pickle, named by the hash of all that it was learned from. A file that
is missing, damaged or of an older format means training, never an error.
"""

import hashlib
import logging
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger("bot.models")

Arrays = Mapping[str, NDArray[Any]]

FORMAT = "4"
"""Part of every name: change it when training would learn something else from the same sentences."""
MOST_KEPT = 40


class Models:
    """A folder of models; with None nothing is kept."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def get(self, name: str) -> Arrays | None:
        """Return the model of this name, or None."""
        if self._folder is None:
            return None
        path = self._folder / f"{name}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            log.warning("models.get unreadable model=%s error=%s", name, type(error).__name__)
            return None
        return arrays

    def put(self, name: str, arrays: Arrays) -> None:
        """Keep this model; those not used for longest give way. A folder that cannot be written is only logged."""
        if self._folder is None:
            return
        path, unfinished = self._folder / f"{name}.npz", self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez(file, **dict(arrays))  # type: ignore[arg-type]
            unfinished.replace(path)
            for old in sorted(self._folder.glob("*.npz"), key=_used_at)[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("models.put failed folder=%s error=%s", self._folder, error)


def name_of(kind: str, facts: Iterable[object]) -> str:
    """Return the name of the model that is learned from these facts: its kind and 24 hexadecimal digits."""
    digest = hashlib.sha256(FORMAT.encode())
    for fact in facts:
        digest.update(repr(fact).encode("utf-8", "replace") + b"\n")
    return f"{kind}-{digest.hexdigest()[:24]}"


def as_array(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return texts without line breaks as an array of bytes."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def as_texts(array: NDArray[Any]) -> list[str]:
    """Return the texts that were put into an array of bytes; [] and [""] are the same."""
    joined = array.tobytes().decode()
    return joined.split("\n") if joined else []


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process tidied up meanwhile
        return 0.0
