"""What never leaves the server: addresses and numbers that are somebody's."""

import time

import pytest

from bot.masking import masked


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("écrivez à anna.martin+x@example.fr svp", "écrivez à [email] svp"),
        ("anna (at) example.com", "[email]"),
        ("mon 06 12 34 56 78.", "mon [number]."),
        ("call +44 (0)20 7946 0958 now", "call [number] now"),
        ("ma carte 4539 1488 0343 6467 est refusée", "ma carte [card] est refusée"),
        ("4539148803436467", "[card]"),
        ("FR76 3000 6000 0112 3456 7890 189", "[account]"),
        ("commande 12345678", "commande 12345678"),
        ("le 24/11/2026 à 9 h 30", "le 24/11/2026 à 9 h 30"),
        ("60 € ou 1 000 €", "60 € ou 1 000 €"),
        ("rien à cacher", "rien à cacher"),
    ],
)
def test_a_text_is_masked(text, seen):
    assert masked(text) == seen


def test_a_very_long_text_of_digits_is_masked_quickly():
    assert "[number]" in masked("1 " * 50_000)


@pytest.mark.parametrize("unit", ["a", "+", "a@", "a@b-", "1-"])
def test_no_text_that_is_nearly_an_address_takes_long(unit):
    began = time.process_time()
    masked(unit * (16_000 // len(unit)))
    assert time.process_time() - began < 0.3  # 3 s, when each letter was tried as the first of one


def test_names_that_we_know_are_masked_whole_words_alone():
    assert masked("anna.martin@example.fr, Anna, [email]", ["Anna", "email"]) == "[email], [name], [email]"
    said = masked("Je suis anna MARTIN-Dupont, pas Annabelle, de Al", ["Anna", "Martin", "Al", "a.c(", "Dupont"])
    assert said == "Je suis [name] [name]-[name], pas Annabelle, de Al"
