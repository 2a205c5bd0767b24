"""The form our messages take on Telegram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram_form import LONGEST_DATA, Call, Key, calls, keyboard, meant, referred
from profiles.timeline import Attachment, Button, Card, Content, Place

PICTURE = Attachment("image", "a.png", "image/png", 10, file="f1")
YES = Button("Oui", payload="/affirm")


def test_a_text_with_buttons_is_one_call() -> None:
    assert calls(Content("On y va ?", buttons=(YES,)), 1) == [
        Call("text", text="On y va ?", keyboard=((Key("Oui", data="/affirm"),),))
    ]


def test_a_file_takes_a_short_text_as_its_caption() -> None:
    assert calls(Content("Le plan", attachments=(PICTURE,), buttons=(YES,)), 1) == [
        Call("photo", text="Le plan", file=PICTURE, keyboard=((Key("Oui", data="/affirm"),),))
    ]


def test_a_text_too_long_for_a_caption_follows_the_file() -> None:
    planned = calls(Content("é" * 1025, attachments=(PICTURE,), buttons=(YES,)), 1)
    assert [(call.method, len(call.text), bool(call.keyboard)) for call in planned] == [
        ("photo", 0, False),
        ("text", 1025, True),
    ]


def test_several_things_are_sent_in_order() -> None:
    content = Content("Voilà", attachments=(PICTURE, PICTURE), place=Place(1, 2), card=Card("Ana", "+336"))
    assert [call.method for call in calls(content, 1)] == ["photo", "photo", "place", "card", "text"]


def test_a_text_beyond_the_limit_is_split_and_keeps_its_buttons_last() -> None:
    planned = calls(Content("mot " * 2000, buttons=(YES,)), 1)
    assert [bool(call.keyboard) for call in planned] == [False, True]
    assert all(len(call.text) <= 4096 for call in planned)


def test_buttons_alone_get_something_to_hang_on() -> None:
    [call] = calls(Content(buttons=(YES,)), 1)
    assert call.text and call.keyboard


def test_a_card_without_a_number_is_its_name() -> None:
    assert calls(Content(card=Card("Ana")), 1) == [Call("text", text="Ana")]


def test_nothing_to_say_is_no_call() -> None:
    assert calls(Content(" "), 1) == []


@pytest.mark.parametrize(
    ("kind", "mime", "size", "method"),
    [
        ("image", "image/jpeg", 10, "photo"),
        ("image", "image/jpeg", 10_000_001, "document"),
        ("image", "image/svg+xml", 10, "document"),
        ("audio", "audio/ogg; codecs=opus", 10, "voice"),
        ("audio", "audio/mpeg", 10, "audio"),
        ("audio", "audio/wav", 10, "document"),
        ("video", "video/mp4", 10, "video"),
        ("video", "video/webm", 10, "document"),
        ("file", "application/pdf", 10, "document"),
        ("file", "image/png", 10, "document"),
    ],
)
def test_each_file_goes_as_telegram_can_show_it(kind: str, mime: str, size: int, method: str) -> None:
    [call] = calls(Content(attachments=(Attachment(kind, "x", mime, size, file="f"),)), 1)  # type: ignore[arg-type]
    assert call.method == method


def test_short_titles_stand_side_by_side_and_long_ones_alone() -> None:
    titles = ["Oui", "Non", "Peut-être", "Plus", "Je voudrais parler à quelqu'un"]
    rows = keyboard([Button(title) for title in titles], 1)
    assert [[key.text for key in row] for row in rows] == [titles[:3], ["Plus"], [titles[4]]]


def test_a_link_opens_and_carries_nothing() -> None:
    assert keyboard([Button("Le site", url="https://shop.example/", payload="x")], 1) == (
        (Key("Le site", url="https://shop.example/"),),
    )


LONG = Button("Suivre", payload='/order_status{"order": "' + "é" * 40 + '"}')


def test_a_payload_too_long_for_a_key_is_found_by_its_reference() -> None:
    ((key,),) = keyboard([LONG], 42)
    assert key.data and len(key.data.encode()) <= LONGEST_DATA
    assert referred(key.data) == 42
    assert meant(key.data, [YES, LONG], 42) == LONG
    assert meant(key.data, [YES], 42) is None
    assert meant(key.data, [YES, LONG], 43) is None


def test_a_payload_that_looks_like_a_reference_is_not_taken_for_one() -> None:
    sly = Button("x", payload="~7.AAAAAAAAAAAA")
    ((key,),) = keyboard([sly], 3)
    assert key.data and referred(key.data) == 3
    assert meant(key.data, [sly], 3) == sly


@pytest.mark.parametrize("data", ["/affirm", "~", "~x.AAAAAAAAAAAA", "~1.short", "~1.AAAAAAAAAAAA ", "~٣.AAAAAAAAAAAA"])
def test_what_is_no_reference_is_a_payload(data: str) -> None:
    assert referred(data) is None


@given(st.text(max_size=120), st.text(min_size=1, max_size=80), st.integers(1, 10**12))
def test_every_key_fits_and_means_its_button(payload: str, title: str, seq: int) -> None:
    button = Button(title, payload=payload or None)
    ((key,),) = keyboard([button], seq)
    assert key.data is not None and 1 <= len(key.data.encode()) <= LONGEST_DATA
    if referred(key.data) is None:
        assert key.data == (button.payload or button.title)
    else:
        assert (referred(key.data), meant(key.data, [button], seq)) == (seq, button)
