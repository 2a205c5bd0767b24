"""What editors are told: the JSON Schemas of rule files and house files, made from the definitions that read them.

`make rules` writes rules/book.schema.json; the server publishes all of them. Draft 7, which editors of YAML understand best.
An editor completes and underlines with `# yaml-language-server: $schema=...` in a file's first line.
"""

import json
import sys
from typing import Any

from rules.audience import AUDIENCE
from rules.card_file import CARD
from rules.house_files import TOPICS_SHAPE
from rules.pressure_file import PRESSURE_SHAPE
from rules.schema import RULE
from rules.schema_steps import STEP
from rules.schema_triggers import TRIGGERS
from rules.shapes import Json, Shape
from rules.template_file import TEMPLATE
from rules.vocabulary_file import VOCABULARY_SHAPE


def schemas() -> dict[str, Json]:
    """Return file name -> JSON Schema: of rules (`schema.json`), topics, segments, pressure and vocabulary."""
    segments: Json = {"type": "object", "additionalProperties": {"$ref": "#/$defs/audience"}}
    return {
        "schema.json": rule_schema(),
        "topics.schema.json": _document("Topics", TOPICS_SHAPE),
        "segments.schema.json": _whole("Segments", segments, audience=AUDIENCE.body()),
        "pressure.schema.json": _document("Pressure", PRESSURE_SHAPE),
        "vocabulary.schema.json": _document("Vocabulary", VOCABULARY_SHAPE),
        "template.schema.json": _document("A template", TEMPLATE),
        "card.schema.json": _document("A wallet card", CARD),
    }


def rule_schema() -> Json:
    """Return the JSON Schema of a rule file."""
    return _whole("A rule", RULE.json(), when=TRIGGERS.body(), step=STEP.body(), audience=AUDIENCE.body())


def rendered(schema: Json) -> str:
    """Return a schema as the text of a file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _document(title: str, shape: Shape) -> Json:
    return _whole(title, shape.json())


def _whole(title: str, body: Json, **definitions: Any) -> Json:
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title}
    return {**head, **body, **({"$defs": definitions} if definitions else {})}


if __name__ == "__main__":
    sys.stdout.write(rendered(rule_schema()))
