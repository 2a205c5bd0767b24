"""The manual's reference of every key, written from the schema: `make rules` writes it, a test says when it differs.

`python -m rules.reference en` prints the English one, `fr` the French one.
"""

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from rules.card_file import CARD
from rules.house_files import TOPIC
from rules.pressure_file import PRESSURE_SHAPE
from rules.records import Key, Record, Verbs
from rules.schema import RULE
from rules.schema_steps import STEP
from rules.schema_triggers import TRIGGERS
from rules.shapes import Said
from rules.vocabulary_file import VOCABULARY_SHAPE

HEAD = Said(
    """# Rule files: every key

Written from the schema by `make rules`. Lengths are written `90m`, `4h`, `7d`, `2w`, `6mo`, `1y`; hours `09:00`.
Every value is read as the text it is, so nothing has to be quoted but what holds `: ` or ` #`, or begins with a quote,
`[`, `{`, `&`, `*`, `!` or `@`. Editors complete and underline with this first line, the address being your server's:
`# yaml-language-server: $schema=http://127.0.0.1:8080/rules/schema.json`
""",
    """# Fichiers de règles : toutes les clés

Écrit d'après le schéma par `make rules`. Les durées s'écrivent `90m`, `4h`, `7d`, `2w`, `6mo`, `1y` ; les heures `09:00`.
Chaque valeur est lue comme le texte qu'elle est : seul ce qui contient `: ` ou ` #`, ou commence par un guillemet,
`[`, `{`, `&`, `*`, `!` ou `@`, se met entre guillemets. Les éditeurs complètent et soulignent avec cette première ligne,
l'adresse étant celle de votre serveur : `# yaml-language-server: $schema=http://127.0.0.1:8080/rules/schema.json`
""",
)
COLUMNS = Said("| Key | Value | Default | What it is |", "| Clé | Valeur | Par défaut | Ce que c'est |")
MUST = Said("**needed**", "**obligatoire**")
HOUSE = Said("## The house files", "## Les fichiers de la maison")
SEGMENTS = Said(
    "`segments.yml` has a segment per key, written as `for` is; `topics.yml` has a topic per key.",
    "`segments.yml` a un segment par clé, écrit comme `for` ; `topics.yml` a un sujet par clé.",
)
CARDS = Said("## The wallet cards, `passes/*.yml`", "## Les cartes de portefeuille, `passes/*.yml`")


def reference(language: str) -> str:
    """Return the reference page in this language, as Markdown."""
    parts = [HEAD.in_(language), *_sections(RULE, language, 2)]
    for verbs in (TRIGGERS, STEP):
        parts.append(f"## {verbs.title.in_(language)}\n")
        for kind in verbs.kinds:
            parts += _sections(kind, language, 3)
    parts += [HOUSE.in_(language), "", SEGMENTS.in_(language), ""]
    for record in (TOPIC, PRESSURE_SHAPE, VOCABULARY_SHAPE):
        parts += _sections(record, language, 3)
    parts += [CARDS.in_(language), "", *_sections(CARD, language, 3)]
    return "\n".join(parts).rstrip() + "\n"


def _sections(record: Record, language: str, level: int) -> Iterator[str]:
    """Yield a record's table and those of the records inside it."""
    yield f"{'#' * level} {record.title.in_(language)}\n"
    yield COLUMNS.in_(language)
    yield "|---|---|---|---|"
    for key in record.keys:
        yield _row(key, language)
    yield ""
    for key in record.keys:
        for inner in _records(key.shape):
            yield from _sections(inner, language, level + 1)


def _row(key: Key, language: str) -> str:
    default = MUST.in_(language) if key.is_required else f"`{key.default}`" if key.default else ""
    cells = [f"`{key.name}`", key.shape.told(language), default, key.about.in_(language)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _records(shape: Any) -> Iterator[Record]:
    """Yield the records that a shape is made of and that have a section; verbs have sections of their own."""
    if isinstance(shape, Record):
        if shape.is_here:
            yield shape
            return
        for key in shape.keys:
            yield from _records(key.shape)
    elif is_dataclass(shape) and not isinstance(shape, Verbs):
        for field in fields(shape):
            part = getattr(shape, field.name)
            if hasattr(part, "told"):
                yield from _records(part)


if __name__ == "__main__":
    sys.stdout.write(reference(sys.argv[1]))
