"""What an SMS says of a message."""

from channels.sms_text import bodies
from profiles.gsm import count
from profiles.timeline import Button, Content


def test_buttons_and_links_stand_in_the_text_that_is_counted() -> None:
    content = Content("Votre avis ?", (Button("Bien"), Button("Panier", url="https://shop.example/p")))
    assert bodies(content) == ("Votre avis ?\n1. Bien\nPanier: https://shop.example/p",)


def test_a_long_text_is_several_of_ten_segments_at_most() -> None:
    parts = bodies(Content("été “ " * 200))
    assert len(parts) == 2 and all(count(part) <= 10 for part in parts)


def test_spaces_that_do_not_break_are_plain() -> None:
    assert bodies(Content("100,00\u00a0€")) == ("100,00 €",)
