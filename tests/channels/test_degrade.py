"""What a channel can not show is said in what it can; and what a person types in answer is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.channel import Limits
from channels.degrade import degrade, joined, numbered, pressed, split, units
from profiles.timeline import Attachment, Button, Card, Content, Place

PLAIN = Limits(text=160)
RICH = Limits(text=4096, buttons=10, attachments=("image", "file"), attachment_bytes=1000)
YES_NO = (Button("Oui", payload="/affirm"), Button("Non", payload="/deny"))


def test_content_that_fits_is_one_part_and_the_same() -> None:
    content = Content("Votre facture", buttons=YES_NO, attachments=(Attachment("file", "facture.pdf", size=900),))
    assert degrade(content, RICH) == [content]


def test_buttons_become_a_numbered_list_where_there_are_none() -> None:
    assert degrade(Content("On continue ?", buttons=YES_NO), PLAIN) == [Content("On continue ?\n1. Oui\n2. Non")]


def test_more_buttons_than_the_channel_shows_all_become_a_list() -> None:
    eleven = tuple(Button(str(number), payload=f"/n{number}") for number in range(11))
    [part] = degrade(Content("Which?", buttons=eleven), RICH)
    assert part.buttons == ()
    assert part.text.endswith("11. 10")


WHATSAPP = Limits(text=4096, buttons=3, choices=10, title=20, links=False)


def _choices(count: int) -> tuple[Button, ...]:
    return tuple(Button(f"Choice {number}", payload=f"/n{number}") for number in range(count))


@pytest.mark.parametrize("count", [1, 3, 4, 10])
def test_more_than_its_buttons_are_a_list_where_the_channel_has_lists(count: int) -> None:
    [part] = degrade(Content("Which?", buttons=_choices(count)), WHATSAPP)
    assert part == Content("Which?", buttons=_choices(count))


def test_more_than_the_list_holds_is_numbered() -> None:
    [part] = degrade(Content("Which?", buttons=_choices(11)), WHATSAPP)
    assert part.buttons == () and part.text.endswith("11. Choice 10")


def test_a_title_too_long_for_the_channel_makes_all_of_them_numbered() -> None:
    buttons = (*YES_NO, Button("x" * 21, payload="/x"))
    [part] = degrade(Content("Which?", buttons=buttons), WHATSAPP)
    assert part.buttons == () and part.text.startswith("Which?\n1. Oui\n2. Non\n3. xxx")


def test_links_stand_in_the_text_where_buttons_open_no_page() -> None:
    content = Content("?", buttons=(*YES_NO, Button("Site", url="https://shop.example")))
    [part] = degrade(content, WHATSAPP)
    assert part == Content("?\nSite: https://shop.example", buttons=YES_NO)
    assert degrade(part, WHATSAPP) == [part]


def test_a_link_shows_its_address_and_takes_no_number() -> None:
    buttons = (Button("Oui"), Button("Le site", url="https://shop.example/"), Button("Non"))
    assert numbered(buttons) == "1. Oui\n2. Non\nLe site: https://shop.example/"
    assert pressed("2", buttons) == Button("Non")
    assert pressed("Le site", buttons) is None


def test_a_long_text_keeps_its_files_first_and_its_buttons_last() -> None:
    picture = Attachment("image", "a.png", size=10)
    first, *_, last = degrade(Content("mot " * 2500, buttons=YES_NO, attachments=(picture,), place=Place(1, 2)), RICH)
    assert (first.attachments, first.place, first.buttons) == ((picture,), Place(1, 2), ())
    assert (last.attachments, last.place, last.buttons) == ((), None, YES_NO)


def test_a_file_that_can_not_be_carried_is_named() -> None:
    files = (Attachment("audio", "voix.ogg", size=5), Attachment("image", "grande.png", size=2000), Attachment("file"))
    [part] = degrade(Content("Voici", attachments=files), RICH)
    assert part == Content("Voici\n[voix.ogg]\n[grande.png]", attachments=(Attachment("file"),))


def test_place_and_card_become_text_where_only_text_goes() -> None:
    [part] = degrade(Content(place=Place(48.8566, 2.3522), card=Card("Ana", "+33612345678")), PLAIN)
    assert part.text == "https://www.openstreetmap.org/?mlat=48.85660&mlon=2.35220\nAna +33612345678"


def test_nothing_to_say_gives_no_part() -> None:
    assert degrade(Content("  \n "), RICH) == []
    assert degrade(Content(buttons=(Button(""),)), PLAIN) == []


@pytest.mark.parametrize("content", [Content("mot " * 3000, buttons=YES_NO), Content("x", place=Place(1, 2))])
@pytest.mark.parametrize("limits", [PLAIN, RICH])
def test_degrading_a_part_again_changes_nothing(content: Content, limits: Limits) -> None:
    for part in degrade(content, limits):
        assert degrade(part, limits) == [part]


@pytest.mark.parametrize(
    ("text", "longest", "parts"),
    [
        ("one two three", 20, ["one two three"]),
        ("  one two three  ", 8, ["one two", "three"]),
        ("aaaa aaaa\n\nbbbb bbbb cc", 16, ["aaaa aaaa", "bbbb bbbb cc"]),
        ("aaaa aaaa\nbbbb bbbb cc", 16, ["aaaa aaaa", "bbbb bbbb cc"]),
        ("Bonjour Anne. Comment va ?", 20, ["Bonjour Anne.", "Comment va ?"]),
        ("ab " + "c" * 10, 6, ["ab", "cccccc", "cccc"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
        ("😀", 1, ["😀"]),  # no channel is so narrow; it must end all the same
        ("aaae\u0301", 4, ["aaa", "e\u0301"]),
        ("👍🏽👍🏽", 6, ["👍🏽", "👍🏽"]),
        ("👩‍👧👩‍👧", 7, ["👩‍👧", "👩‍👧"]),
        ("🇫🇷🇬🇧", 6, ["🇫🇷", "🇬🇧"]),
        ("x" * 9, 0, ["x" * 9]),
        ("", 5, []),
        (" \n ", 5, []),
    ],
)
def test_a_text_is_cut_where_a_reader_would_pause(text: str, longest: int, parts: list[str]) -> None:
    assert split(text, longest) == parts


def test_a_letter_with_endless_marks_is_cut_all_the_same() -> None:
    assert [len(part) for part in split("a" + "\u0301" * 5000, 4096)] == [4096, 905]


@given(st.text(st.sampled_from("ab é.\n😀\u0301\u200d🇫🏽…!？"), max_size=200), st.integers(2, 40))
def test_parts_fit_and_together_say_the_same(text: str, longest: int) -> None:
    parts = split(text, longest)
    assert all(part and units(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "typed", ["2", " 2.", "2)", "n° 2", "N°2", "no 2", "2️⃣", "２", "٢", "Non", "NON !", "«non»", "nón"]
)
def test_a_typed_number_or_title_is_a_press(typed: str) -> None:
    assert pressed(typed, YES_NO) == YES_NO[1]


@pytest.mark.parametrize(
    "typed", ["", "  ", "0", "3", "22", "2 euros", "oui et non", "non merci", "-", "\ud800", "9" * 5000]
)
def test_anything_else_is_a_message(typed: str) -> None:
    assert pressed(typed, YES_NO) is None


ORDER = (
    Button("Suivre ma commande", payload="/order"),
    Button("Retourner un article", payload="/return"),
    Button("Non"),
)


@pytest.mark.parametrize(
    "typed",
    ["suivre ma comande", "Suivre ma commmande !", "suivr ma commande", "SUIVRE MA COMMADNE", "suivre ma commandé"],
)
def test_a_slip_of_the_keyboard_is_forgiven(typed: str) -> None:
    assert pressed(typed, ORDER) == ORDER[0]


@pytest.mark.parametrize(
    "typed",
    ["ne pas suivre ma commande", "suivre ta commande", "suivre ma demande", "suivre commande", "nom", "nan", "suivre"],
)
def test_other_words_are_a_message(typed: str) -> None:
    assert pressed(typed, ORDER) is None


def test_a_slip_that_could_be_two_titles_is_neither() -> None:
    assert pressed("commande 1x", (Button("Commande 1a"), Button("Commande 1b"))) is None
    assert pressed("barte", (Button("Carte"), Button("Barbe"))) is None


def test_a_title_wins_over_a_number() -> None:
    assert pressed("2", (Button("2", payload="/two"), Button("3", payload="/three"))) == Button("2", payload="/two")


def test_a_title_that_two_buttons_share_means_neither() -> None:
    assert pressed("Lyon", (Button("Lyon", payload="/a"), Button("LYON", payload="/b"))) is None


def test_an_emoji_can_be_a_title() -> None:
    thumbs = (Button("👍", payload="/good"), Button("👎", payload="/bad"))
    assert pressed(" 👎 ", thumbs) == thumbs[1]


def test_a_notice_keeps_its_headline_picture_and_body() -> None:
    notice = Content("x" * 900, buttons=YES_NO, title="Soldes", html="<p>x</p>", image="https://s.example/a.png")
    assert degrade(notice, Limits(text=160, threads=False)) == [notice]


def test_what_is_said_at_one_time_is_one_mail_where_messages_go_out_whole() -> None:
    mails = Limits(whole=True)
    file = Attachment("file", "a.pdf")
    said = (Content("One", (Button("A"),)), Content("Two", (Button("B"),), attachments=(file,)))
    assert joined(said, mails) == [Content("One\n\nTwo", (Button("A"), Button("B")), (file,))]
    assert joined(said, Limits()) == said
    assert joined((*said, Content(html="<p>x</p>")), mails) == (*said, Content(html="<p>x</p>"))


def test_what_goes_out_whole_is_not_taken_apart() -> None:
    content = Content("x" * 500, (Button("A"),), title="Subject", html="<p>x</p>")
    assert degrade(content, Limits(text=10, whole=True)) == [content]
