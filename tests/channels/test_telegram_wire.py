"""What Telegram tells us, read from the plain JSON it comes as."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.channel import Edited, Inbound, Reachable
from channels.telegram_wire import Malformed, arrival, chat_of, read
from profiles.timeline import Attachment, Card, Content, Place

ANA = {"id": 5, "is_bot": False, "first_name": "Ana", "last_name": "Silva", "username": "ana", "language_code": "fr"}
CHAT = {"id": 5, "type": "private", "first_name": "Ana"}


def message(**fields: Any) -> dict[str, Any]:
    return {"message_id": 7, "from": ANA, "chat": CHAT, "date": 1_763_750_000, **fields}


def said(**fields: Any) -> Inbound:
    heard = arrival({"update_id": 1, "message": message(**fields)})
    assert isinstance(heard, Inbound)
    return heard


def test_a_text_arrives_with_who_said_it_and_when() -> None:
    assert said(text="Bonjour") == Inbound(
        channel="telegram",
        address="5",
        id="5.7",
        content=Content("Bonjour"),
        sent_at=datetime(2025, 11, 21, 18, 33, 20, tzinfo=UTC),
        language="fr",
        declared={"first_name": "Ana", "last_name": "Silva", "username": "ana"},
    )


FILE = {"file_id": "AgAC1", "file_unique_id": "u1", "file_size": 12}
SMALL = {"file_id": "AgAC0", "file_unique_id": "u0", "width": 90, "height": 90}


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        (
            {"photo": [SMALL, FILE], "caption": "Le colis"},
            Content("Le colis", attachments=(Attachment("image", "photo.jpg", "image/jpeg", 12, remote="AgAC1"),)),
        ),
        (
            {"document": {**FILE, "file_name": "facture.pdf", "mime_type": "application/pdf"}},
            Content(attachments=(Attachment("file", "facture.pdf", "application/pdf", 12, remote="AgAC1"),)),
        ),
        (
            {"document": {**FILE, "file_name": "scan.png", "mime_type": "image/png"}},
            Content(attachments=(Attachment("image", "scan.png", "image/png", 12, remote="AgAC1"),)),
        ),
        ({"voice": FILE}, Content(attachments=(Attachment("audio", "voice.ogg", "audio/ogg", 12, remote="AgAC1"),))),
        ({"audio": FILE}, Content(attachments=(Attachment("audio", "audio.mp3", "audio/mpeg", 12, remote="AgAC1"),))),
        ({"video": FILE}, Content(attachments=(Attachment("video", "video.mp4", "video/mp4", 12, remote="AgAC1"),))),
        (
            {"video_note": FILE},
            Content(attachments=(Attachment("video", "video.mp4", "video/mp4", 12, remote="AgAC1"),)),
        ),
        (
            {"animation": FILE, "document": FILE},
            Content(attachments=(Attachment("video", "animation.mp4", "video/mp4", 12, remote="AgAC1"),)),
        ),
        (
            {"sticker": {**FILE, "emoji": "👍"}},
            Content("👍", attachments=(Attachment("image", "sticker.webp", "image/webp", 12, remote="AgAC1"),)),
        ),
        ({"sticker": {**FILE, "emoji": "👍", "is_animated": True}}, Content("👍")),
        ({"dice": {"emoji": "🎲", "value": 3}}, Content("🎲")),
        ({"location": {"latitude": 48.8566, "longitude": 2.3522}}, Content(place=Place(48.8566, 2.3522))),
        (
            {"location": {"latitude": 48, "longitude": 2}, "venue": {"title": "La boutique", "address": "1 rue X"}},
            Content("La boutique", place=Place(48.0, 2.0)),
        ),
        (
            {"contact": {"phone_number": "+33612345678", "first_name": "Bob", "last_name": "Lo"}},
            Content(card=Card("Bob Lo", "+33612345678")),
        ),
        ({"poll": {"id": "1"}}, Content("[poll]")),
        ({"text": "👩‍👩‍👧‍👦"}, Content("👩‍👩‍👧‍👦")),
        ({"text": "\u202bمرحبا\u202c"}, Content("\u202bمرحبا\u202c")),
        ({"text": "a\x00b\ud800"}, Content("a\ufffdb\ufffd")),
        ({"text": "<img onerror=alert(1)>"}, Content("<img onerror=alert(1)>")),
    ],
)
def test_each_kind_of_message_says_what_it_holds(fields: dict[str, Any], content: Content) -> None:
    assert said(**fields).content == content


def test_a_huge_text_is_cut() -> None:
    text = said(text="x" * 900_000).content.text
    assert (len(text), text[-1]) == (16_000, "…")


def test_a_deep_link_tells_where_the_person_comes_from() -> None:
    heard = said(text="/start shop-42")
    assert (heard.content.text, heard.metadata) == ("/start", {"start": "shop-42"})


def test_albums_and_answers_are_told_apart() -> None:
    heard = said(text="celui-ci", media_group_id="g1", reply_to_message=message(message_id=3, text="lequel ?"))
    assert heard.metadata == {"album": "g1", "reply_to": "5.3"}


def test_an_edit_names_the_message_it_changes() -> None:
    heard = arrival({"update_id": 2, "edited_message": message(text="Bonsoir", edit_date=1_763_750_060)})
    assert heard == Edited("telegram", "5", "5.7", Content("Bonsoir"), datetime(2025, 11, 21, 18, 34, 20, tzinfo=UTC))


def press(data: str = "/affirm", **hidden: Any) -> dict[str, Any]:
    keyboard = {
        "inline_keyboard": [[{"text": "Oui", "callback_data": "/affirm"}, {"text": "Site", "url": "https://x"}]]
    }
    held = message(text="On continue ?", reply_markup=keyboard) if not hidden else {**message(), **hidden}
    return {"update_id": 3, "callback_query": {"id": "77", "from": ANA, "message": held, "data": data}}


def test_a_pressed_button_says_its_title_and_carries_its_payload() -> None:
    heard = arrival(press())
    assert isinstance(heard, Inbound)
    assert (heard.id, heard.content) == ("callback.77", Content("Oui", payload="/affirm"))
    assert heard.metadata == {"pressed": "5.7"}


def test_a_button_without_payload_says_its_title_alone() -> None:
    update = press("Oui")
    update["callback_query"]["message"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"] = "Oui"
    heard = arrival(update)
    assert isinstance(heard, Inbound) and heard.content == Content("Oui")


def test_a_press_on_a_message_that_telegram_hides_carries_its_payload_all_the_same() -> None:
    heard = arrival(press(date=0))
    assert isinstance(heard, Inbound) and heard.content == Content("/affirm", payload="/affirm")


@pytest.mark.parametrize(("status", "reachable"), [("kicked", False), ("member", True)])
def test_a_person_who_blocks_or_unblocks_us_is_told(status: str, reachable: bool) -> None:
    change = {"chat": CHAT, "from": ANA, "date": 1_763_750_000, "new_chat_member": {"status": status}}
    heard = arrival({"update_id": 4, "my_chat_member": change})
    assert isinstance(heard, Reachable)
    assert (heard.address, heard.reachable, heard.space) == ("5", reachable, "")


GROUP = {"id": -9, "type": "group", "title": "Amis"}


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 5, "message": message(chat=GROUP, text="hé")},
        {"update_id": 5, "edited_message": message(chat=GROUP, text="hé")},
        {"update_id": 5, "message": message(**{"from": {**ANA, "is_bot": True}}, text="bip")},
        {"update_id": 5, "message": message(pinned_message={})},
        {"update_id": 5, "edited_message": message()},
        {"update_id": 5, "callback_query": {"id": "1", "from": ANA, "inline_message_id": "x", "data": "a"}},
        {"update_id": 5, "callback_query": {"id": "1", "from": ANA, "message": message(), "game_short_name": "a"}},
        {"update_id": 5, "my_chat_member": {"chat": CHAT, "date": 1, "new_chat_member": {"status": "left"}}},
        {"update_id": 5, "my_chat_member": {"chat": GROUP, "date": 1, "new_chat_member": {"status": "kicked"}}},
        {"update_id": 5, "chat_boost": {"anything": [1, 2]}},
        {"update_id": 5},
    ],
)
def test_what_is_not_for_us_is_passed_over(update: dict[str, Any]) -> None:
    assert arrival(update) is None


@pytest.mark.parametrize(
    "update",
    [
        None, [], "text", 5,
        {},
        {"update_id": "5"},
        {"update_id": True},
        {"update_id": 5, "message": "text"},
        {"update_id": 5, "message": {"text": "no chat"}},
        {"update_id": 5, "message": message(chat={"id": {"$gt": 0}, "type": "private"}, text="x")},
        {"update_id": 5, "message": message(text={"$ne": ""})},
        {"update_id": 5, "message": message(text="x", message_id=None)},
        {"update_id": 5, "message": message(text="x", message_id=True)},
        {"update_id": 5, "message": message(text="x", date=10**18)},
        {"update_id": 5, "message": message(text="x", **{"from": []})},
        {"update_id": 5, "message": message(photo=["no object"])},
        {"update_id": 5, "message": message(document={"file_size": 5})},
        {"update_id": 5, "message": message(location={"latitude": "48", "longitude": 2})},
        {"update_id": 5, "message": message(location={"latitude": float("nan"), "longitude": 2})},
        {"update_id": 5, "message": message(location={"latitude": 91, "longitude": 2})},
        {"update_id": 5, "callback_query": {"id": 7, "message": message(), "data": "x"}},
        {"update_id": 5, "my_chat_member": {"chat": CHAT, "date": 1}},
    ],
)  # fmt: skip
def test_what_telegram_would_never_send_is_refused(update: Any) -> None:
    with pytest.raises(Malformed):
        arrival(update)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"update_id":', b"\xff\xfe{}", b"[" * 100_000, b"9" * 5_000, b"<html>"])
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        arrival(read(raw))


def test_lone_surrogates_in_json_are_no_reason_to_lose_the_message() -> None:
    raw = json.dumps({"update_id": 1, "message": message(text="a\ud83dz\x00")}).encode()
    heard = arrival(read(raw))
    assert isinstance(heard, Inbound) and heard.content.text == "a\ufffdz\ufffd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.sampled_from(["chat", "from", "text", "date", "photo", "document", "sticker", "dice", "contact", "location",
                         "venue", "caption", "message_id", "reply_to_message", "media_group_id"])  # fmt: skip


@given(st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member"]), PARTS, JSON)
def test_whatever_a_field_holds_it_is_understood_passed_over_or_refused(kind: str, part: str, value: Any) -> None:
    body = {**message(text="x", data="d", id="1", new_chat_member={"status": "member"}), part: value}
    body["message"] = dict(body)
    update = {"update_id": 1, kind: body}
    chat_of(update)
    try:
        heard = arrival(update)
    except Malformed:
        return
    assert heard is None or heard.channel == "telegram"


def test_updates_are_told_apart_by_person() -> None:
    assert chat_of({"update_id": 1, "message": message(text="x")}) == chat_of(press()) == "5"
    assert chat_of({"update_id": 1}) == chat_of("nothing") == ""
