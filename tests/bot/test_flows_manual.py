"""The manual's example of a flow goes as it is written, in both languages; so does what it says of the intents that end flows."""

import re
from pathlib import Path

import pytest

from bot.brain import Brain
from bot.flows import CANCEL_INTENTS, PATTERNS, WORDS

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = {"bot.md": ("en", "## Flows\n"), "fr/bot.md": ("fr", "## Les flux\n")}


@pytest.fixture
def written(tmp_path):
    """Return a function: the bot that a page of the manual shows."""

    def of(page: str) -> Brain:
        language, heading = LANGUAGES[page]
        section = (DOCS / page).read_text(encoding="utf-8").split(heading)[1].split("\n## ")[0]
        files = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        assert [name for name, _ in files] == ["domain.yml", "flows.yml", "data/complaint.yml"]
        for name, text in [*files, ("config.yml", f"language: {language}\n")]:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Brain.load(tmp_path)

    return of


def test_the_english_example(written, tell):
    brain = written("bot.md")
    assert brain.notices == ()
    told = tell(brain) >> "something is wrong with my order" << "Which order is it?"
    told >> "the last one" << "the last one is no order number" << "Which order is it?"
    told >> "12345678" << "late, damaged"
    told >> "when do you open?" << "9 to 18" << "late, damaged"
    told >> "it came damaged" << "What exactly"
    told >> "never mind the box, but the vase is in pieces" << "money back?"
    told >> "no thank you" << "Noted for order 12345678: never mind the box, but the vase"
    told >> "I have a complaint" << "Which order is it?"
    told >> "forget it" << "let's leave it"


def test_the_french_example(written, tell):
    brain = written("fr/bot.md")
    assert brain.notices == ()
    told = tell(brain) >> "il y a un problème avec ma commande" << "De quelle commande"
    told >> "12345678" << "Un retard"
    told >> "quels sont vos horaires ?" << "de 9 h à 18 h" << "Un retard"
    told >> "un article abime" << "Que s'est-il passé"
    told >> "le vase est en morceaux" << "remboursé ?"
    told >> "oui, s'il vous plaît" << "conseiller"
    assert told.turn.handover is not None and "12345678" in told.turn.handover[1]
    told = tell(brain) >> "j'ai une réclamation" << "De quelle commande"
    told >> "12345678" << "Un retard"
    told >> "elle est en retard" << "demain"
    told >> "j'ai une réclamation" << "De quelle commande"
    told >> "laisse tomber" << "on laisse cela"


@pytest.mark.parametrize("page", LANGUAGES)
def test_the_manual_names_what_flows_understand(page):
    from bot.flow_files import _COLLECT_KEYS, _FLOW_KEYS, KINDS

    text = (DOCS / page).read_text(encoding="utf-8")
    known = {*KINDS, *_FLOW_KEYS, *_COLLECT_KEYS, *CANCEL_INTENTS, *PATTERNS, *WORDS} - {"metadata"}
    assert [name for name in sorted(known) if f"`{name}" not in text and f"{name}:" not in text] == []
