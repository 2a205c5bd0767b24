"""What is new in a mail is shown; the mail it answers and the signature are folded away, and never the only words there are."""

import time

import pytest

from channels.email_folding import fresh

GMAIL = """Oui, demain à 10 h.

Le lun. 23 nov. 2026 à 09:12, La boutique <help@shop.example> a écrit :

> Quand passez-vous ?
> --
> La boutique
"""
WRAPPED = """Yes please.

On Mon, Nov 23, 2026 at 9:12 AM The shop with a rather long name
<help@shop.example> wrote:

> Shall we keep it?
"""
OUTLOOK = """Merci beaucoup

________________________________
De : La boutique <help@shop.example>
Envoyé : lundi 23 novembre 2026 09:12
À : Anna <anna@example.org>
Objet : Votre commande

Bonjour Anna
"""
OUTLOOK_EN = """Fine.

From: The shop
Sent: Monday, November 23, 2026 9:12 AM
To: Anna
Subject: Your order

Hello
"""
ORIGINAL = "Fine.\n\n-----Original Message-----\nFrom: x\n\nHello"
BELOW = "> Quand passez-vous ?\n> Merci\n\nDemain à 10 h."
BETWEEN = "On 23 Nov 2026, the shop wrote:\n> Red or blue?\nRed.\n> Large?\nNo, small."
HTML_QUOTE = "Parfait !\n\nLe 23/11/2026 à 09:12, La boutique a écrit :\n\nQuand passez-vous ?"


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Bonjour\n\nAvez-vous des lampes ?", "Bonjour\n\nAvez-vous des lampes ?"),
        (GMAIL, "Oui, demain à 10 h."),
        (WRAPPED, "Yes please."),
        (OUTLOOK, "Merci beaucoup"),
        (OUTLOOK_EN, "Fine."),
        (ORIGINAL, "Fine."),
        (BELOW, "Demain à 10 h."),
        (BETWEEN, BETWEEN),
        (HTML_QUOTE, "Parfait !"),
        ("Merci\n-- \nAnna Petit\n01 02 03", "Merci"),
        ("Merci\n\nEnvoyé de mon iPhone\n", "Merci"),
        ("ok\n\nGet Outlook for Android", "ok"),
        ("ok\r\n\r\n> before\r\n", "ok"),
        ("ok\n> before\n-- \nAnna", "ok"),
    ],
)
def test_what_the_person_wrote_is_left(text: str, new: str) -> None:
    assert fresh(text) == new


@pytest.mark.parametrize(
    "text",
    [
        "> nothing but a quote",
        "--\nAnna Petit",
        "Sent from my iPhone",
        "De : La boutique\nEnvoyé : hier\nÀ : Anna\nObjet : x\n\nUn transfert sans un mot",
        "On your page you wrote: delivery in two days. Is it so?",
        "From: here to there\nit takes a day.",
        "J'ai sent: from my heart\nmerci",
        "",
    ],
)
def test_where_nothing_would_be_left_or_it_is_no_quote_all_is_kept(text: str) -> None:
    assert fresh(text) == text


@pytest.mark.parametrize(
    "text",
    ["On " + "1 " * 100_000, ("On 1 " * 50 + "\n") * 800, ">\n" * 100_000, "_" * 200_000, "\n" * 200_000, ("From: x\n" * 25_000)],
    ids=["one line", "many attributions", "quotes", "rule", "blank", "headers"],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    fresh(text)
    assert time.process_time() - began < 3
