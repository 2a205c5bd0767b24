"""The published JSON Schema says what the reader says: it takes the full example, and underlines the same mistakes of form."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from rules.json_schema import rendered, rule_schema, schemas
from rules.options import RulesOptions, folder_of
from rules.schema_routes import schema_routes

EXAMPLE = Path(__file__).parent / "cart-reminder.yml"
SMALL = "rule: small\nwhen: {event: a.b}\nsteps:\n  - wait: 1h\n"


def faults(text: str, schema: dict[str, Any] | None = None) -> list[str]:
    """Read as an editor reads: numbers and booleans typed, dates as texts."""
    read = json.loads(json.dumps(YAML(typ="safe").load(text), default=str))
    return [error.message for error in Draft7Validator(schema or rule_schema()).iter_errors(read)]


def test_the_shipped_file_is_what_the_definitions_say() -> None:
    shipped = (EXAMPLE.parents[2] / "rules" / "book.schema.json").read_text(encoding="utf-8")
    assert shipped == rendered(rule_schema()), "run: make rules"


@pytest.mark.parametrize("name", schemas())
def test_each_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(schemas()[name])


def test_the_full_example_is_right() -> None:
    assert faults(EXAMPLE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sorted(path.name for path in folder_of(RulesOptions()).glob("*.yml")))
def test_the_shipped_book_is_right(file: str) -> None:
    text = (folder_of(RulesOptions()) / file).read_text(encoding="utf-8")
    name = file.replace(".yml", ".schema.json")
    assert faults(text, schemas().get(name, rule_schema())) == []


@pytest.mark.parametrize(
    "text",
    [
        SMALL + "topik: x\n",
        SMALL + "state: lve\n",
        SMALL + "priority: 101\n",
        SMALL + "entry: {grace: often}\n",
        SMALL + "entry: {garce: 7d}\n",
        SMALL + "for: {anny: [contact.x == 1]}\n",
        SMALL.replace("wait: 1h", "wiat: 1h"),
        SMALL.replace("wait: 1h", "send: {channel: sms}"),
        SMALL.replace("event: a.b", "evnt: a.b"),
        SMALL.replace("wait: 1h", "if: x\n    than: []"),
        "rule: small\nsteps: []\n",
    ],
)
def test_a_mistake_of_form_is_underlined(text: str) -> None:
    assert faults(SMALL) == []
    assert faults(text) != []


async def test_the_schemas_are_published() -> None:
    app = web.Application()
    app.add_routes(schema_routes())
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/rules/schema.json")
        assert (answer.status, answer.content_type) == (200, "application/schema+json")
        assert json.loads(await answer.text()) == rule_schema()
        assert (await client.get("/rules/topics.schema.json")).status == 200
