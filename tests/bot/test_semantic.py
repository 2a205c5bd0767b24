"""A BERT encoder read by hand: beside a reference in plain Python, from a folder with random weights."""

import json
import math
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.brain import Brain
from bot.classifier import train
from bot.finders import Here
from bot.live import load_live
from bot.models import Models
from bot.semantic import Encoder, load_encoder
from bot.tensors import read_tensors
from profiles.calendar import utc_now
from profiles.findings import ContentErrors
from tests.bot.conftest import SHOP

WIDTH, HEADS, LAYERS, INNER, PLACES = 8, 2, 2, 12, 16
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "where",
    "is",
    "my",
    "order",
    "par",
    "##cel",
    "##s",
    "o",
    "##u",
    "com",
    "##mande",
]


def _write_tensors(path: Path, tensors: dict[str, np.ndarray], kind: str = "F32") -> None:
    header, blob = {"__metadata__": {"format": "pt"}}, b""
    for name, values in tensors.items():
        raw = values.astype({"F32": "<f4", "F16": "<f2"}[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(blob), len(blob) + len(raw)]}
        blob += raw
    told = json.dumps(header).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + blob)


def _random_model(prefix: str = "") -> dict[str, np.ndarray]:
    draw = np.random.default_rng(7)
    tensors = {}

    def put(name: str, *shape: int) -> None:
        tensors[f"{prefix}{name}"] = draw.normal(0, 0.6, shape).astype(np.float32)

    put("embeddings.word_embeddings.weight", len(PIECES), WIDTH)
    put("embeddings.position_embeddings.weight", PLACES, WIDTH)
    put("embeddings.token_type_embeddings.weight", 2, WIDTH)
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for name, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH), ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH), ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH), ("output.dense", WIDTH, INNER),
        ):  # fmt: skip
            put(f"{layer}.{name}.weight", rows, columns)
            put(f"{layer}.{name}.bias", rows)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        put(f"{name}.weight", WIDTH)
        put(f"{name}.bias", WIDTH)
    return tensors


@pytest.fixture
def folder(tmp_path) -> Path:
    home = tmp_path / "model"
    home.mkdir()
    _write_tensors(home / "model.safetensors", _random_model())
    (home / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    told = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS, "layer_norm_eps": 1e-12}
    (home / "config.json").write_text(json.dumps({**told, "hidden_act": "gelu"}))
    return home


def _reference(tensors: dict[str, np.ndarray], pieces: list[int]) -> list[float]:
    """BERT as the paper writes it, number by number, without numpy's arithmetic."""
    held = {name: values.astype(float).tolist() for name, values in tensors.items()}

    def dense(x: list[float], name: str) -> list[float]:
        weight, bias = held[f"{name}.weight"], held[f"{name}.bias"]
        return [
            sum(a * b for a, b in zip(row, x, strict=True)) + shift for row, shift in zip(weight, bias, strict=True)
        ]

    def norm(x: list[float], name: str) -> list[float]:
        mean = sum(x) / len(x)
        spread = math.sqrt(sum((value - mean) ** 2 for value in x) / len(x) + 1e-12)
        weight, bias = held[f"{name}.weight"], held[f"{name}.bias"]
        return [(value - mean) / spread * w + b for value, w, b in zip(x, weight, bias, strict=True)]

    words, places = held["embeddings.word_embeddings.weight"], held["embeddings.position_embeddings.weight"]
    kind = held["embeddings.token_type_embeddings.weight"][0]
    xs = [
        norm([a + b + c for a, b, c in zip(words[piece], places[place], kind, strict=True)], "embeddings.LayerNorm")
        for place, piece in enumerate(pieces)
    ]
    size = WIDTH // HEADS
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            [dense(x, f"{layer}.attention.self.{part}") for x in xs] for part in ("query", "key", "value")
        )
        seen = []
        for here in range(len(xs)):
            mixed: list[float] = []
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                near = [
                    math.exp(sum(a * b for a, b in zip(query[here][part], other[part], strict=True)) / math.sqrt(size))
                    for other in key
                ]
                shares = [one / sum(near) for one in near]
                mixed += [
                    sum(share * other[part][place] for share, other in zip(shares, value, strict=True))
                    for place in range(size)
                ]
            seen.append(dense(mixed, f"{layer}.attention.output.dense"))
        xs = [
            norm([a + b for a, b in zip(x, more, strict=True)], f"{layer}.attention.output.LayerNorm")
            for x, more in zip(xs, seen, strict=True)
        ]
        inner = [
            [v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in dense(x, f"{layer}.intermediate.dense")] for x in xs
        ]
        xs = [
            norm(
                [a + b for a, b in zip(x, dense(y, f"{layer}.output.dense"), strict=True)], f"{layer}.output.LayerNorm"
            )
            for x, y in zip(xs, inner, strict=True)
        ]
    mean = [sum(column) / len(xs) for column in zip(*xs, strict=True)]
    length = math.sqrt(sum(value * value for value in mean))
    return [value / length for value in mean]


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (["where", "is", "my", "order"], [2, 4, 5, 6, 7, 3]),
        (["parcels"], [2, 8, 9, 10, 3]),
        (["ou", "commande"], [2, 11, 12, 13, 14, 3]),
        (["never", "my"], [2, 1, 6, 3]),
        ([], [2, 3]),
    ],
)
def test_vectors_are_those_of_the_reference(folder, words, pieces):
    vector = Encoder(folder).encode([words])[0]
    np.testing.assert_allclose(vector, _reference(_random_model(), pieces), atol=2e-5)


def test_sentences_of_many_lengths_are_read_as_if_alone(folder):
    encoder = Encoder(folder)
    sentences = [["my"] * (number % 7) + ["order"] for number in range(150)]
    together = encoder.encode(sentences)
    for number in (0, 1, 77, 149):
        np.testing.assert_allclose(together[number], encoder.encode([sentences[number]])[0], atol=1e-6)
    assert encoder.encode([["my"] * 10]).shape == (1, WIDTH)


def test_weights_may_have_a_prefix_and_half_the_width(folder):
    whole = Encoder(folder).encode([["my", "order"]])[0]
    _write_tensors(folder / "model.safetensors", _random_model("bert."), "F16")
    np.testing.assert_allclose(Encoder(folder).encode([["my", "order"]])[0], whole, atol=0.02)


def test_numbers_of_sixteen_bits_with_a_long_exponent_are_read(tmp_path):
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + bytes((0x80, 0x3F, 0x40, 0xC0)))
    assert read_tensors(tmp_path / "x")["a"].tolist() == [1.0, -3.0]


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"short", (1 << 60).to_bytes(8, "little") + b"{}", (4).to_bytes(8, "little") + b"nojs" + b"x",
        (64).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}'.ljust(64) + b"1234",
        (64).to_bytes(8, "little") + b'{"a":{"dtype":"EVIL","shape":[1],"data_offsets":[0,4]}}'.ljust(64) + b"1234",
        (64).to_bytes(8, "little") + b'{"a":[1,2,3]}'.ljust(64) + b"1234",
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_words(folder, damage):
    load_encoder.cache_clear()
    (folder / "model.safetensors").write_bytes(damage)
    with pytest.raises(ValueError, match="expected a BERT encoder"):
        load_encoder(folder)


@pytest.mark.parametrize("missing", ["config.json", "vocab.txt", "model.safetensors"])
def test_what_is_missing_is_named(folder, missing):
    load_encoder.cache_clear()
    (folder / missing).unlink()
    with pytest.raises(ContentErrors, match=rf"semantic_model: .*{missing}"):
        Brain.load(SHOP, semantic=folder)


def test_meaning_counts_where_it_helps_and_not_where_it_does_not():
    """Vectors that tell the intents apart beside words that do not, and the reverse."""
    draw = np.random.default_rng(1)
    intents = ["a", "b"] * 30
    alike = [["same", "words"]] * 60
    telling = np.array([[1.0, 0.1] if one == "a" else [0.1, 1.0] for one in intents], np.float32)
    model = train(alike, intents, vectors=telling)
    assert model.sense is not None and model.sense.share > 0
    assert model.rank(["same"], np.array([1.0, 0.0], np.float32)).intents[0][0] == "a"
    assert model.rank(["same"], np.array([0.0, 1.0], np.float32)).intents[0][0] == "b"
    assert model.rank(["unheard"], np.array([0.0, 1.0], np.float32)).intents[0][0] == "b", "known by its meaning alone"
    clear = [["yes"] if one == "a" else ["no"] for one in intents]
    noise = draw.normal(0, 1, (60, 2)).astype(np.float32)
    assert train(clear, intents, vectors=noise).rank(["no"], noise[0]).intents[0][0] == "b"


async def test_a_bot_with_a_semantic_model_is_kept_retrained_and_says_which(folder, tmp_path, monkeypatch):
    copy = shutil.copytree(SHOP, tmp_path / "shop")
    live = load_live(copy, tmp_path / "models", semantic=folder, clock=utc_now)
    plain = Brain.load(copy)
    assert live.lesson.semantic == Encoder(folder).sha256 and len(live.lesson.semantic) == 64
    assert live.lesson.hash != plain.understanding.hash
    here = Here(date(2026, 11, 21))
    said = live.current.understanding.hear("where is my order", "en", 0, here)
    assert said[0].intent == "order_status"
    lesson = await live.retrain()
    assert not lesson.errors and lesson.semantic == Encoder(folder).sha256
    assert live.current.understanding.hear("where is my order", "en", 0, here) == said
    monkeypatch.setattr("bot.understanding.train", lambda *_: pytest.fail("trained again"))
    again = Brain.load(copy, models=Models(tmp_path / "models"), semantic=folder)
    assert again.understanding.hear("where is my order", "en", 0, here) == said
