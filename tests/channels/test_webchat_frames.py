"""Frames: whatever comes in is a frame or is named malformed; what goes out holds nothing that is not the visitor's."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from channels.webchat_frames import Again, Earlier, Hello, Incoming, Malformed, Ping, Say, Seen, parse, spoken
from profiles.timeline import Attachment, Button, Card, Content, Message, Place

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FILE = "0" * 26


@pytest.mark.parametrize(
    ("frame", "meaning"),
    [
        ({"type": "hello"}, Hello()),
        ({"type": "hello", "token": None, "last_seq": None}, Hello()),
        (
            {"type": "hello", "token": "t", "identity": "i", "last_seq": 7, "language": "fr-CA"},
            Hello("t", "i", 7, "fr-CA"),
        ),
        ({"type": "hello", "language": "../../etc"}, Hello()),
        ({"type": "hello", "language": ["fr"]}, Hello()),
        ({"type": "hello", "page": "https://shop.example/a?token=x#y"}, Hello(page="https://shop.example/a")),
        ({"type": "hello", "page": "https://me:pw@shop.example/"}, Hello()),
        ({"type": "hello", "page": "javascript:alert(1)"}, Hello()),
        ({"type": "hello", "page": "http://[::1"}, Hello()),
        ({"type": "hello", "last_seq": -1}, Malformed("last_seq")),
        ({"type": "hello", "last_seq": True}, Malformed("last_seq")),
        ({"type": "hello", "last_seq": 2**60}, Malformed("last_seq")),
        ({"type": "say", "id": "m0000001", "text": " hi "}, Say("m0000001", "hi")),
        ({"type": "say", "id": "m0000001", "text": "a\u0000\u001b[31mb\r\nc\td"}, Say("m0000001", "a[31mb\nc\td")),
        ({"type": "say", "id": "m0000001", "text": "\u202eabc"}, Say("m0000001", "\u202eabc")),
        ({"type": "say", "id": "m0000001", "text": ""}, Malformed("empty", "m0000001")),
        ({"type": "say", "id": "m0000001", "text": "x" * 4001}, Malformed("too_long", "m0000001")),
        ({"type": "say", "id": "m0000001"}, Malformed("content", "m0000001")),
        ({"type": "say", "id": "m0000001", "text": "a", "file": FILE}, Malformed("content", "m0000001")),
        ({"type": "say", "id": "m0000001", "text": {"$gt": ""}}, Malformed("content", "m0000001")),
        ({"type": "say", "id": "m0000001", "payload": "/x", "seq": 3}, Say("m0000001", payload="/x", seq=3)),
        ({"type": "say", "id": "m0000001", "payload": "/x"}, Malformed("seq", "m0000001")),
        ({"type": "say", "id": "m0000001", "file": FILE}, Say("m0000001", file=FILE)),
        ({"type": "say", "id": "m0000001", "file": "../secret"}, Malformed("file", "m0000001")),
        ({"type": "say", "id": "short", "text": "a"}, Malformed("id")),
        ({"type": "say", "id": "x" * 65, "text": "a"}, Malformed("id")),
        ({"type": "say", "id": "a:b:c:d:e:f", "text": "a"}, Malformed("id")),
        ({"type": "say", "id": {"$gt": ""}, "text": "a"}, Malformed("id")),
        ({"type": "read", "seq": 4}, Seen(4)),
        ({"type": "read", "seq": "4"}, Malformed("seq")),
        ({"type": "earlier", "before": 4}, Earlier(4)),
        ({"type": "again", "seq": 4}, Again(4)),
        ({"type": "ping"}, Ping()),
        ({"type": "shout", "id": "m0000001"}, Malformed("unknown_type", "m0000001")),
        ({}, Malformed("unknown_type")),
        ([], Malformed("not_an_object")),
        (None, Malformed("not_an_object")),
    ],
)
def test_a_frame_means_what_it_says(frame: Any, meaning: Incoming) -> None:
    assert parse(orjson.dumps(frame).decode()) == meaning


@pytest.mark.parametrize(
    "raw",
    ["", "{", '{"type": "ping"', "NaN", '{"type": "hello", "last_seq": NaN}', '"\\ud800"', "\ud800", "[" * 60_000],
)
def test_what_is_no_json_is_no_frame(raw: str) -> None:
    assert parse(raw) == Malformed("not_json")


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
TYPES = some.sampled_from(["hello", "say", "read", "earlier", "again", "ping"])
FIELDS = ["id", "text", "payload", "seq", "file", "token", "identity", "last_seq", "language", "page", "before"]


@given(TYPES, some.dictionaries(some.sampled_from(FIELDS), JSON))
def test_no_frame_breaks_the_reader(kind: str, fields: dict[str, Any]) -> None:
    import json

    assert parse(json.dumps({**fields, "type": kind})) is not None


def test_a_message_of_every_kind_goes_out_with_its_links_signed() -> None:
    content = Content(
        "Hello",
        buttons=(Button("Go", url="https://x.example"), Button("Yes", "/yes"), Button("Plain")),
        attachments=(
            Attachment("image", "cat.png", "image/png", 12, file="F1"),
            Attachment("file", "old", remote="tg:1"),
        ),
        place=Place(48.85, 2.35),
        card=Card("Léa", "+33639980012"),
    )
    message = Message("x:1", "webchat:a", "p", "webchat", "outbound", "agent:lea", content, 3, NOON)
    assert spoken(message, name="Léa", link=lambda file: f"signed/{file}") == {
        "type": "message",
        "seq": 3,
        "author": "agent",
        "at": "2026-11-21T12:00:00+00:00",
        "name": "Léa",
        "text": "Hello",
        "buttons": [
            {"title": "Go", "url": "https://x.example"},
            {"title": "Yes", "payload": "/yes"},
            {"title": "Plain", "payload": "Plain"},
        ],
        "files": [
            {"kind": "image", "name": "cat.png", "mime": "image/png", "size": 12, "url": "signed/F1"},
            {"kind": "file", "name": "old", "mime": "application/octet-stream", "size": 0},
        ],
        "place": [48.85, 2.35],
        "card": {"name": "Léa", "phone": "+33639980012"},
    }


def test_a_visitors_own_message_carries_the_id_their_browser_gave_it_and_no_agents_id_leaves() -> None:
    mine = Message("webchat:a:m0000001", "webchat:a", "p", "webchat", "inbound", "customer", Content("x"), 1, NOON)
    theirs = Message("agent:lea:secret", "webchat:a", "p", "webchat", "outbound", "agent:lea", Content("x"), 2, NOON)
    assert spoken(mine, name="", link=str)["id"] == "m0000001"
    assert "lea" not in str(spoken(theirs, name="", link=str))
