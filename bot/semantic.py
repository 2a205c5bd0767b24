"""What a sentence is about, as a vector: a BERT encoder of MiniLM's kind read from a local folder, with numpy alone.

Optional and off by default: `[bot] semantic_model` names a folder with config.json, vocab.txt and model.safetensors, as
sentence-transformers/all-MiniLM-L6-v2 is published. Nothing is fetched. Such models know the languages they were made for, mostly
English; how much one counts is found by cross-validation, for each of the bot's languages (bot/classifier.py).
Architecture: Devlin et al., BERT (2019); the mean over the words, to length 1, as in sentence-transformers.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.ngrams import Tokens
from bot.tensors import Floats, read_tensors

log = logging.getLogger("bot.semantic")

_LONGEST = 64
"""Pieces of a sentence that are read."""
_BATCH = 64
_PREFIXES = ("", "bert.", "0.auto_model.", "model.")


class Encoder:
    """A model in memory; immutable. It travels between processes as the name of its folder."""

    def __init__(self, folder: Path) -> None:
        path = folder / "model.safetensors"
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.folder, self.sha256 = folder, _sha256(path)
        self._vocabulary = {
            piece: number
            for number, piece in enumerate((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
        }
        self._start, self._end, self._unknown = (self._vocabulary[name] for name in ("[CLS]", "[SEP]", "[UNK]"))
        tensors = read_tensors(path)
        prefix = next((one for one in _PREFIXES if f"{one}embeddings.word_embeddings.weight" in tensors), "")
        self._model = _Bert(tensors, prefix, told)

    def __reduce__(self) -> tuple[Callable[[Path], "Encoder"], tuple[Path]]:
        return load_encoder, (self.folder,)

    def encode(self, sentences: Sequence[Tokens]) -> Floats:
        """Return one vector of length 1 a sentence. Sentences of the same number of pieces are read together."""
        pieces = [self._pieces(words) for words in sentences]
        order = sorted(range(len(pieces)), key=lambda number: len(pieces[number]))
        vectors = np.zeros((len(pieces), self._model.width), np.float32)
        for begin in range(0, len(order), _BATCH):
            batch = order[begin : begin + _BATCH]
            for length in {len(pieces[number]) for number in batch}:
                alike = [number for number in batch if len(pieces[number]) == length]
                vectors[alike] = self._model.read(np.array([pieces[number] for number in alike], np.int64))
        return vectors

    def _pieces(self, words: Tokens) -> list[int]:
        found = [number for word in words for number in self._split(word)]
        return [self._start, *found[: _LONGEST - 2], self._end]

    def _split(self, word: str) -> list[int]:
        """Return the word's longest known pieces from left to right (WordPiece), or unknown as a whole."""
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._vocabulary.get(f"##{word[start:end]}" if start else word[start:end])
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


class _Bert:
    """The network. Raises KeyError when a part of it is missing."""

    def __init__(self, tensors: Mapping[str, Floats], prefix: str, told: Mapping[str, Any]) -> None:
        self._tensors, self._prefix = tensors, prefix
        self._heads, self._epsilon = int(told["num_attention_heads"]), float(told.get("layer_norm_eps", 1e-12))
        self._layers = int(told["num_hidden_layers"])
        self.width = int(told["hidden_size"])
        if told.get("hidden_act", "gelu") != "gelu":
            raise ValueError(f'config.json: hidden_act: expected gelu, got "{told["hidden_act"]}".')
        self._words, self._places = self._at("embeddings.word_embeddings"), self._at("embeddings.position_embeddings")
        self._kind = self._at("embeddings.token_type_embeddings")[0]
        for number in range(self._layers):
            self._layer(np.zeros((1, 1, self.width), np.float32), f"encoder.layer.{number}")

    def read(self, pieces: NDArray[np.int64]) -> Floats:
        """Return the vectors of sentences of equal length, given as numbers of pieces."""
        x = self._words[pieces] + self._places[: pieces.shape[1]] + self._kind
        x = self._normal(x, "embeddings.LayerNorm")
        for number in range(self._layers):
            x = self._layer(x, f"encoder.layer.{number}")
        mean: Floats = x.mean(axis=1)
        length = np.sqrt((mean * mean).sum(axis=1, keepdims=True))
        return np.asarray(mean / np.maximum(length, np.float32(1e-12)), np.float32)

    def _layer(self, x: Floats, name: str) -> Floats:
        x = self._normal(x + self._attention(x, f"{name}.attention"), f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._through(x, f"{name}.intermediate.dense"))
        return self._normal(x + self._through(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, x: Floats, name: str) -> Floats:
        query, key, value = (
            self._parted(self._through(x, f"{name}.self.{part}")) for part in ("query", "key", "value")
        )
        near = query @ key.swapaxes(-1, -2) / np.float32((self.width // self._heads) ** 0.5)
        near = np.exp(near - near.max(axis=-1, keepdims=True))
        seen = (near / near.sum(axis=-1, keepdims=True)) @ value
        return self._through(seen.swapaxes(1, 2).reshape(x.shape), f"{name}.output.dense")

    def _parted(self, x: Floats) -> Floats:
        """Return (sentences, heads, places, width of a head)."""
        return x.reshape(*x.shape[:2], self._heads, -1).swapaxes(1, 2)

    def _through(self, x: Floats, name: str) -> Floats:
        return x @ self._at(name).T + self._at(name, "bias")

    def _normal(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self._epsilon))
        return np.asarray(centred / spread * self._at(name) + self._at(name, "bias"), np.float32)

    def _at(self, name: str, part: str = "weight") -> Floats:
        return self._tensors[f"{self._prefix}{name}.{part}"]


@lru_cache(maxsize=2)
def load_encoder(folder: Path) -> Encoder:
    """Return the model of a folder, read once. Raises ValueError that says what is missing or wrong there."""
    try:
        encoder = Encoder(folder)
    except OSError as error:
        raise ValueError(
            f"{folder}: expected config.json, vocab.txt and model.safetensors; {Path(str(error.filename)).name}: "
            f"{error.strerror}."
        ) from error
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ValueError(f"{folder}: expected a BERT encoder, got something else: {error}") from error
    log.info("semantic.load folder=%s sha256=%s", folder.name, encoder.sha256)
    return encoder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _gelu(x: Floats) -> Floats:
    return x * np.float32(0.5) * (1 + _erf(x * np.float32(0.5**0.5)))


def _erf(x: Floats) -> Floats:
    """Return the error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26); numpy has none."""
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    tail = np.zeros_like(x)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(factor)
        tail *= t
    return np.asarray(np.sign(x) * (1 - tail * np.exp(-size * size)), np.float32)
