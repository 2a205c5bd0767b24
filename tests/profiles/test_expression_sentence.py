"""A condition in words that a marketer reads: French and English."""

import string

import pytest
from hypothesis import given, settings

from profiles.expression import Expression, Vocabulary, parse
from profiles.expression_words import NAMES, PHRASES, UNITS
from tests.profiles.strangers import OPEN, conditions

SHOP = Vocabulary(
    event="order.paid",
    start="cart.updated",
    has_conversation=True,
    steps=frozenset({"first"}),
    segments={"vip": "contact.points > 5"},
    words={
        "contact.ltv": {"fr": "la valeur", "en": "the value"},
        "shop.visited": {"fr": "est venu en boutique", "en": "has come"},
    },
)

SAID = [
    ('contact.country in ("FR", "BE") and did("order.paid", within="365d")',
     "le pays est FR ou BE et a payé une commande il y a moins de 365 jours",
     "the country is FR or BE and has paid an order less than 365 days ago"),
    ('did_not("order.paid", within="90d")',
     "n’a pas payé de commande dans les 90 derniers jours", "has not paid an order within the last 90 days"),
    ('did_not("shop.visited")', "n’est pas venu en boutique", "has not come"),
    ('did("cart.updated", count=">=2", within="1w", where="event.total > 50.5")',
     "a modifié son panier (où « total » vaut plus de 50,5) au moins 2 fois dans la dernière semaine",
     "has changed the cart (where “total” is more than 50.5) at least 2 times within the last week"),
    ('contact.ltv >= 1000 or segment("vip") and not reachable("email")',
     "la valeur vaut au moins 1\u202f000 ou (est dans le segment « vip » et n’est pas joignable par email)",
     "the value is at least 1,000 or (is in the segment “vip” and cannot be reached by email)"),
    ('contact.born_on == today + "14d"', "la date de naissance est dans 14 jours", "the date of birth is 14 days from today"),
    ('contact.created_at < now - "1y"', "la date d’arrivée remonte à plus de 1 an", "the date of arrival is more than 1 year ago"),
    ('contact.created_at >= date("2026-01-31")',
     "la date d’arrivée n’est pas avant le 31 janvier 2026", "the date of arrival is not before 31 January 2026"),
    ("not has(contact.city)", "on ne connaît pas la ville", "the city is not known"),
    ('contact.city not in ("Lyon", "Aix-en-Provence", "Le Mans")',
     "la ville n’est ni Lyon, Aix-en-Provence ni « Le Mans »", "the city is neither Lyon, Aix-en-Provence nor “Le Mans”"),
    ("month(contact.born_on) == month(today)",
     "le mois de la date de naissance est le mois d’aujourd’hui", "the month of the date of birth is the month of today"),
    ('sent(label="promo", within="7d", count="<2")',
     "a reçu un de nos messages au label « promo » moins de 2 fois dans les 7 derniers jours",
     "has received one of our messages labelled “promo” fewer than 2 times within the last 7 days"),
    ('opened("first") and conversation.open', "a ouvert le message « first » et la conversation est ouverte",
     "has opened the message “first” and the conversation is open"),
    ('conversation.open and conversation.owner == "agent"', "la conversation est ouverte et un agent répond",
     "the conversation is open and an agent answers"),
    ('conversation.owner != "bot" and not (conversation.owner == "queue")',
     "le robot ne répond pas et il est faux que la conversation attend un agent",
     "the bot does not answer and it is not true that the conversation waits for an agent"),
    ('conversation.owner != "maya"', "celui qui répond de la conversation n’est pas maya",
     "whoever answers of the conversation is not maya"),
    ("event.cart_id == start.cart_id", "« cart_id » est « cart_id » au départ", "“cart_id” is “cart_id” at the start"),
    ('sum("order.paid", "total", within="1y") > 5',
     "la somme de « total » sur « order.paid », dans la dernière année vaut plus de 5",
     "the sum of “total” over “order.paid” within the last year is more than 5"),
    ("not (contact.a or contact.b)", "il est faux que (« a » vaut vrai ou « b » vaut vrai)",
     "it is not true that (“a” is true or “b” is true)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "french", "english"), SAID, ids=range(len(SAID)))
def test_it_is_said_in_both_languages(text: str, french: str, english: str) -> None:
    expression = parse(text, SHOP)
    assert isinstance(expression, Expression), expression
    assert expression.sentence("fr").replace("\u00a0", " ") == french.replace("\u00a0", " ")
    assert expression.sentence("en") == expression.sentence("de") == english


@settings(max_examples=200, deadline=None)
@given(text=conditions())
def test_whatever_can_be_parsed_can_be_said(text: str) -> None:
    expression = parse(text, OPEN)
    if isinstance(expression, Expression):
        for language in ("fr", "en"):
            assert expression.sentence(language).strip()


def test_both_languages_know_the_same_phrases_with_the_same_places() -> None:
    assert PHRASES["fr"].keys() == PHRASES["en"].keys()
    assert UNITS["fr"].keys() == UNITS["en"].keys()
    for key in PHRASES["fr"]:
        assert _places(PHRASES["fr"][key]) == _places(PHRASES["en"][key]), key
    assert all(names.keys() == {"fr", "en"} for names in NAMES.values())


def _places(phrase: str) -> set[str]:
    return {(name or "").removeprefix("de") for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}
