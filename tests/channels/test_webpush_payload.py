"""What a browser gets is short, whole where it matters, and the same message is told apart from every other."""

import json

import pytest

from channels.webpush_encryption import LARGEST_PLAIN
from channels.webpush_payload import payload, tag, topic, urgency
from profiles.timeline import Button, Content


def read(content: Content, **more: str) -> dict[str, object]:
    octets = payload(content, message="rule:1", receipts="token", **more)
    assert octets is not None and len(octets) <= LARGEST_PLAIN
    said: dict[str, object] = json.loads(octets)
    return said


def test_all_of_a_message_is_in_it_and_nothing_that_was_not_said() -> None:
    full = Content("Body", (Button("Go", url="https://a/go"), Button("No"), Button("Third")), title="Title",
                   image="https://a/i.png", link="https://a/")  # fmt: skip
    assert read(full, icon="https://a/c.png", language="fr") == {
        "t": "Title", "b": "Body", "i": "https://a/i.png", "c": "https://a/c.png", "u": "https://a/", "l": "fr",
        "g": tag("rule:1"), "r": "token", "a": [{"t": "Go", "u": "https://a/go"}, {"t": "No"}],
    }  # fmt: skip
    assert read(Content("Body")) == {"b": "Body", "g": tag("rule:1"), "r": "token"}


def test_a_message_without_a_title_has_the_house_s() -> None:
    assert read(Content("Body"), title="The shop")["t"] == "The shop"
    assert read(Content("Body", title="Own"), title="The shop")["t"] == "Own"


@pytest.mark.parametrize("letter", ["x", "é", "🎁", '"', "\\", "\n", "漢"])
@pytest.mark.parametrize("length", [1_000, 1_499, 1_500, 1_501, 20_000])
def test_a_long_text_is_cut_and_says_so(letter: str, length: int) -> None:
    link = "https://a/" + "y" * 1_800
    said = read(Content("Begins " + letter * length, link=link))
    assert said["u"] == link
    text = str(said["b"])
    assert text.startswith("Begins")
    assert text == "Begins " + letter * length or text.endswith("…")


def test_a_text_that_fits_is_not_cut() -> None:
    text = "é" * 1_500
    assert read(Content(text))["b"] == text


def test_addresses_are_never_cut_so_too_many_do_not_fit() -> None:
    content = Content("text", (Button("a", url="https://a/" + "x" * 1_980),), link="https://a/" + "x" * 1_980,
                      image="https://a/" + "x" * 1_980)  # fmt: skip
    assert payload(content, message="1", receipts="t") is None


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u202b\u202c"])
def test_odd_letters_are_written_as_json(text: str) -> None:
    assert "b" in read(Content(text, title=text))


def test_the_same_message_has_one_tag_and_every_other_another() -> None:
    assert tag("rule:1") == tag("rule:1") != tag("rule:2")
    assert len(tag("rule:1")) <= 32


def test_a_newer_offer_of_the_same_rule_replaces_one_that_waits_but_no_order_does() -> None:
    offer = {"rule": "cart", "class": "marketing"}
    assert topic(offer) == topic({**offer, "step": "second"}) != topic({**offer, "rule": "other"})
    assert len(topic(offer)) == 32 and topic(offer).isalnum()
    for other in ({"rule": "order", "class": "transactional"}, {"rule": "x", "class": "service"}, {}):
        assert topic(other) == ""


@pytest.mark.parametrize(("metadata", "word"), [
    ({}, "normal"), ({"class": "marketing"}, "normal"), ({"class": "transactional"}, "high"),
    ({"class": "transactional", "urgency": "low"}, "low"), ({"urgency": "high"}, "high"),
    ({"urgency": "x\r\nEvil: 1"}, "normal"), ({"urgency": 7}, "normal"),
])  # fmt: skip
def test_urgency_is_what_the_rule_says_else_what_its_class_asks(metadata: dict[str, object], word: str) -> None:
    assert urgency(metadata) == word
