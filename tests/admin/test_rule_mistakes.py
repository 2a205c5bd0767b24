"""What is wrong in a file of the rule book, as a French marketer reads it."""

import re
from pathlib import Path

import pytest

from admin.rule_mistakes import complaint
from rules.book_folder import read_folder
from rules.book_reading import read_book

HEAD = "rule: one\nstate: draft\nclass: marketing\ntopic: offers\nwhen: {event: cart.updated}\n"
WAIT = "steps: [{wait: 1h}]\n"
BOOK = read_folder(Path(__file__).parents[2] / "rules" / "book")


@pytest.mark.parametrize(
    ("text", "french", "hint"),
    [
        ("grace: soon\n" + WAIT, "clé inconnue « grace » ; les clés d’ici : ", ""),
        ("entry: {grace: soon}\n" + WAIT, 'grace : attendu une durée telle que 7d, trouvé "soon".', "grace: 7d"),
        ("priority: 1000\n" + WAIT, "priority : attendu un nombre entier de 0 à 100", ""),
        (
            "for: contact.tire == 3\n" + WAIT,
            'for : attendu un attribut, trouvé "tire".',
            "vouliez-vous dire « tier » ?",
        ),
        ("for: contact.points > 'a'\n" + WAIT, "for : attendu un nombre, trouvé un texte.", ""),
        (
            "for: contact.born_on > 2026-11-22\n" + WAIT,
            "for : attendu une date entre guillemets, trouvé 2026-11-22.",
            "vouliez-vous dire « '2026-11-22' » ?",
        ),
        (
            "for: did('order.paid', within=90d)\n" + WAIT,
            "for : attendu une durée entre guillemets telle que 90d, 4h, 6mo, trouvé 90d.",
            "vouliez-vous dire « '90d' » ?",
        ),
        (
            "for: contact.tier == 'l'or'\n" + WAIT,
            'for : attendu une expression, trouvé "\'", dont le guillemet n’est pas fermé.',
            "",
        ),
        ("for: contact.is_staff & contact.is_staff\n" + WAIT, "for : attendu and entre deux conditions, trouvé &.", ""),
        ("steps: []\n", "steps : attendu au moins une étape, trouvé une liste.", ""),
        (
            "steps: [{id: x, wait: 1h}, {id: x, wait: 1h}]\n",
            "id : attendu chaque id une seule fois, trouvé « x » une",
            "",
        ),
        ("steps: [\n", "attendu du YAML, et ceci ne se lit pas.", "un guillemet ou un crochet n’est pas fermé"),
    ],
)
def test_the_editor_says_it_in_french(text: str, french: str, hint: str) -> None:
    error = read_book({**BOOK, "one.yml": HEAD + text}).mistakes[0]
    said, hinted = (re.sub(r"\s", " ", part) for part in complaint(error, "fr"))
    assert said.startswith(french) and " expected" not in said
    assert hinted == hint or not hint
    assert complaint(error, "en") == (error.problem, error.hint)
