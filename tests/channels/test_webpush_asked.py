"""What a page posts is read with suspicion: whatever our script does not write is refused whole, and never raises."""

import json
from typing import Any

import pytest

from channels.webpush_asked import Agreed, Asked, read

WHOLE: dict[str, Any] = {
    "subscription": {"endpoint": "https://a/1", "expirationTime": None, "keys": {"p256dh": "P", "auth": "A"}},
    "yes": [{"topic": "offers", "version": "1"}], "no": ["news"], "language": "fr-CA", "visitor": "v1.x", "identity": "a.b.c",
    "token": "t", "page": "https://shop.example/", "unknown": 1,
}  # fmt: skip


def test_all_of_it_is_read() -> None:
    assert read(json.dumps(WHOLE).encode()) == Asked(
        "https://a/1",
        "P",
        "A",
        "t",
        "v1.x",
        "a.b.c",
        "fr-CA",
        "https://shop.example/",
        (Agreed("offers", "1"),),
        ("news",),
    )


def test_what_is_not_said_is_empty_and_not_asked_is_not_no() -> None:
    assert read(b"{}") == Asked()
    asked = read(b'{"yes": []}')
    assert asked and asked.yes == () and Asked().yes is None


@pytest.mark.parametrize("body", [
    b"", b"x", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b'{"a": NaN}', b'{"subscription": 1}', b'{"subscription": []}x',
    b'{"subscription": {"endpoint": 5}}', b'{"subscription": {"keys": "x"}}', b'{"subscription": {"keys": {"auth": []}}}',
    b'{"yes": 1}', b'{"yes": {}}', b'{"yes": ["offers"]}', b'{"yes": [{}]}', b'{"yes": [{"topic": "*", "version": "1"}]}',
    b'{"yes": [{"topic": "a.b", "version": "1"}]}', b'{"yes": [{"topic": "$where", "version": "1"}]}',
    b'{"yes": [{"topic": "offers", "version": 1}]}', b'{"no": ["A"]}', b'{"no": [1]}', b'{"no": "offers"}',
    b'{"token": {}}', b'{"language": []}', b'{"page": "a\\u0000b"}', b'{"visitor": "' + b"x" * 5_000 + b'"}',
    json.dumps({"no": ["a"] * 51}).encode(), b"[" * 5_000,
])  # fmt: skip
def test_anything_else_is_refused_whole(body: bytes) -> None:
    assert read(body) is None


@pytest.mark.parametrize("language", ["", "x" * 36, "FR", "français", "fr_CA", "../en"])
def test_a_language_that_is_none_is_not_known(language: str) -> None:
    asked = read(json.dumps({"language": language}).encode())
    assert asked is None if len(language) > 35 else asked and asked.language is None
