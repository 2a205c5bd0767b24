"""Slips of the keyboard."""

import pytest

from bot.spelling import Speller

SPELLER = Speller([["commande", "commander", "retour", "livraison"], ["commande", "ou", "pull"]])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("comande", "commande"),
        ("commmande", "commande"),
        ("comamnde", "commande"),
        ("commanfe", "commande"),
        ("commande", "commande"),
        ("livrason", "livraison"),
        ("cmmnde", "cmmnde"),  # two slips: rather unknown than wrong
        ("oi", "oi"),  # too short to be sure
        ("pul", "pul"),
        ("12345", "12345"),
        ("x" * 500, "x" * 500),
    ],
)
def test_one_slip_is_repaired(typed, meant):
    assert SPELLER.repair([typed]) == [meant]
