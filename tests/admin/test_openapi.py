"""The OpenAPI document is valid, whole, and says what the server does."""

from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from admin import api_bodies
from admin.api import ROUTES
from admin.api_problems import SORTS
from admin.openapi import document
from admin.schema import Problem
from tests.admin.api_client import Caller, caller_on

DOCUMENT = document(ROUTES, base="https://shop.example/api/v1")


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


async def test_the_served_document_is_open_to_all_and_valid(caller: Caller) -> None:
    async with caller.client.get("/api/v1/openapi.json") as response:
        served = await response.json()
    assert response.status == 200
    assert served == DOCUMENT
    assert served["openapi"] == "3.1.0"
    validate(served, cls=OpenAPIV31SpecValidator)


def test_every_route_is_in_it_with_its_scope() -> None:
    described = {
        (method.upper(), path): operation["x-scope"]
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {(route.method, route.path): route.scope for route in ROUTES}
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


def test_every_problem_that_a_route_names_is_one() -> None:
    for route in ROUTES:
        assert set(route.problems) <= SORTS.keys(), route.name


BODIES: list[tuple[Any, Any]] = [
    (api_bodies.PROFILE_IN, {}),
    (
        api_bodies.PROFILE_IN,
        {"attributes": {"a": {"instant": "2026-01-01T00:00:00Z"}, "b": None, "c": ["x"], "d": 1.5}},
    ),
    (api_bodies.PROFILE_IN, {"identities": [{"space": "email", "address": "a@example.com", "verified": True}]}),
    (api_bodies.PROFILE_IN, {"identities": [{"space": "email"}]}),
    (api_bodies.PROFILE_IN, {"attributes": {"A": 1}}),
    (api_bodies.PROFILE_IN, {"attributes": {"a": {"$gt": ""}}}),
    (api_bodies.PROFILE_IN, {"attributes": {"a": [1]}}),
    (api_bodies.PROFILE_IN, {"language": 1}),
    (api_bodies.PROFILE_IN, {"nothing": 1}),
    (api_bodies.PROFILE_PATCH, {"language": None}),
    (api_bodies.MESSAGE_IN, {"text": ""}),
    (api_bodies.MESSAGE_IN, {"text": "a", "buttons": [{"title": "b", "url": "https://a.example"}]}),
    (api_bodies.MESSAGE_IN, {"text": "a", "buttons": [{"title": "b", "url": "javascript:1"}]}),
    (api_bodies.EVENT_IN, {"id": "e", "name": "a.b", "profile": "P1"}),
    (api_bodies.EVENT_IN, {"id": "e", "name": "a.b"}),
    (api_bodies.EVENT_IN, {"id": "e", "name": "a.b", "profile": "P1", "identity": {"space": "sms", "address": "1"}}),
    (api_bodies.EVENT_IN, {"id": "e", "name": "a.b", "identity": {"space": "sms", "address": "1"}}),
    (api_bodies.EVENTS_IN, {"events": []}),
]


@pytest.mark.parametrize(("shape", "body"), BODIES)
def test_the_document_and_the_server_agree_on_what_is_taken(shape: Any, body: Any) -> None:
    """A JSON Schema validator, fed with what we serve, comes to our own reader's judgement."""
    problems: list[Problem] = []
    shape.read(body, "", problems)
    schema = {**shape.describe(), "components": DOCUMENT["components"]}
    judge = jsonschema.Draft202012Validator(schema)
    assert judge.is_valid(body) == (not problems), problems
