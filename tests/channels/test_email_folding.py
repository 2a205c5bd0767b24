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
HEAD_DE = (
    "Von: Der Laden <help@shop.example>\nGesendet: Montag, 23. November 2026 09:12\nAn: Anna\nBetreff: Lampen\n\nHallo"
)
HEAD_FR = "De : La boutique\nEnvoyé le :lundi 23 novembre 2026 09:12\nÀ : Anna\nObjet :Votre commande\n\nBonjour"
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
        ("Ja.\n\nAm Mo., 23. Nov. 2026 um 09:12 Uhr schrieb Der Laden <\nhelp@shop.example>:\n\n> Hallo", "Ja."),
        ("Ja.\n\nVon meinem iPhone gesendet\n\nAm 23.11.2026 um 09:12 schrieb Der Laden:\n\nHallo", "Ja."),
        (
            "Ja.\n\n  Am Montag, 23. November 2026 um 09:12:33 MEZ hat X <x@y.example> Folgendes geschrieben:\n\nHallo",
            "Ja.",
        ),
        ("Ja.\n\n" + HEAD_DE, "Ja."),
        ("Ja.\n\nOutlook für iOS<https://aka.ms/o0ukef> beziehen\n____________________\n" + HEAD_DE, "Ja."),
        ("Ja.\n\n-----Ursprüngliche Nachricht-----\n" + HEAD_DE, "Ja."),
        ("Ja.\n\nGesendet: Montag, 23. November 2026\nVon: help@shop.example\nAn: anna@example.org\nHallo", "Ja."),
        ("Fine.\n\nSent: Monday, November 23, 2026\nFrom: help@shop.example\nTo: anna@example.org\nHello", "Fine."),
        ("Fine.\n\nSent with Proton Mail secure email.\n\nOn Monday at 9:12 AM, The shop wrote:\n\n> Hello", "Fine."),
        ("Oui.\n\nEnvoyé depuis mon appareil Galaxy\n\n-------- Message d’origine --------\n" + HEAD_FR, "Oui."),
        ("Oui.\n\n----- Mail original -----\nDe: La boutique\nÀ: Anna\nEnvoyé: lundi\nObjet: x\n\nBonjour", "Oui."),
        ("Oui.\n\nProvenance : Courrier pour Windows\n\n" + HEAD_FR, "Oui."),
        ("Oui.\n\nEnvoyé à partir d’Outlook pour iOS<https://aka.ms/o0ukef>\n", "Oui."),
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
        "Bonjour,\n\nLe 3 novembre à 10h30 votre collègue m'a écrit :\n« livraison sous 2 jours »\nEst-ce vrai ?",
        "Hello,\n\nOn 3 November your colleague wrote:\ntwo days\nIs it so?",
        "Bonjour,\nDe : Paris\nÀ : Lyon\nDate : 3 décembre\nMerci",
        "Hello,\nFrom: Paris\nTo: London\nDate: 3 May\nThanks",
        "Hallo,\n\nAm 3. um 10:30 schrieb mir Ihr Kollege:\nzwei Tage",
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
