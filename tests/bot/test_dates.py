"""Days as people say them."""

from datetime import date

import pytest

from bot.dates import find_date, spoken
from bot.finders import fold

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("demain", date(2026, 11, 22)),
        ("après-demain matin", date(2026, 11, 23)),
        ("the day after tomorrow", date(2026, 11, 23)),
        ("aujourd'hui", TODAY),
        ("today please", TODAY),
        ("lundi", date(2026, 11, 23)),
        ("samedi prochain", date(2026, 11, 28)),
        ("next monday", date(2026, 11, 23)),
        ("le 12 mars", date(2027, 3, 12)),
        ("le 1er décembre 2026", date(2026, 12, 1)),
        ("March 12th", date(2027, 3, 12)),
        ("12th of March, 2028", date(2028, 3, 12)),
        ("3/4", date(2027, 4, 3)),
        ("24/12/26", date(2026, 12, 24)),
        ("12/24/2026", date(2026, 12, 24)),
        ("2026-12-24", date(2026, 12, 24)),
        ("dans trois jours", date(2026, 11, 24)),
        ("in 2 weeks", date(2026, 12, 5)),
        ("mardi 8 décembre", date(2026, 12, 8)),
        ("Tuesday, December 8th", date(2026, 12, 8)),
        ("Tuesday the 8th of December", date(2026, 12, 8)),
        ("mardi le 8/12", date(2026, 12, 8)),
        ("mardi 31 novembre", None),
        ("mardi 8", date(2026, 12, 8)),
        ("Tuesday the 8th", date(2026, 12, 8)),
        ("mardi 8h", date(2026, 11, 24)),
        ("mardi 8 heures", date(2026, 11, 24)),
        ("mardi 8:30", date(2026, 11, 24)),
        ("tuesday 8 pm", date(2026, 11, 24)),
        ("mardi 2 personnes", date(2026, 11, 24)),
        ("le 30", date(2026, 11, 30)),
        ("le 31 s'il vous plaît", date(2026, 12, 31)),
        ("on the 2nd", date(2026, 12, 2)),
        ("le 2 articles", None),
        ("le 42", None),
        ("mercredi de la semaine prochaine", date(2026, 11, 25)),
        ("Sunday next week", date(2026, 11, 29)),
        ("next week on Thursday", date(2026, 11, 26)),
        ("mardi en huit", date(2026, 12, 1)),
        ("pas mardi", None),
        ("je ne peux pas venir lundi", None),
        ("I can't do Monday", None),
        ("pourquoi pas mardi ?", date(2026, 11, 24)),
        ("why not tuesday", date(2026, 11, 24)),
        ("pas lundi mais mercredi", date(2026, 11, 25)),
        ("pas lundi, mercredi", date(2026, 11, 25)),
        ("not tomorrow, Wednesday", date(2026, 11, 25)),
        ("demain, non, vendredi", date(2026, 11, 27)),
        ("mardi euh non plutôt mercredi", date(2026, 11, 25)),
        ("Tuesday, sorry, I meant Thursday", date(2026, 11, 26)),
        ("mardi ou mercredi", date(2026, 11, 24)),
        ("mardi, non, le 31/02", date(2026, 11, 24)),
        ("pas mardi 8 décembre", None),
        ("29/02", None),
        ("31/02/2027", None),
        ("hello", None),
        ("99/99", None),
        ("je veux 3 articles", None),
    ],
)
def test_a_day_is_found(said, day):
    found = find_date(fold(said), TODAY)
    assert (found[0] if found else None) == day


def test_days_are_said_as_one_says_them():
    assert spoken(date(2026, 12, 1), "fr") == "mardi 1er décembre 2026"
    assert spoken(date(2026, 11, 24), "en") == "Tuesday 24 November 2026"
