"""The server keeps what its OpenAPI document promises, whatever comes: requests made from the document by schemathesis.

Good ones and bad ones, for every route, on a real server over a real database; bounded, so that it ends within a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from admin.api import PREFIX, ROUTES
from admin.openapi import document
from tests.admin.api_client import Caller, Clock, caller_on
from tests.admin.book_of_calls import write_book
from tests.cast import anna

EXAMPLES = 15
CHECKS: list[Any] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, negative_data_rejection, missing_required_header, ignored_auth,
]  # fmt: skip
SCHEMA = schemathesis.openapi.from_dict(document(ROUTES, base="http://127.0.0.1" + PREFIX))
ROUTINE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
async def caller(
    mongo_url: str, database_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Caller]:
    monkeypatch.setattr("admin.api.KNOCKS_PER_SECOND", 1e6)  # it knocks without a key again and again
    clock = Clock()
    clock.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    async with caller_on(mongo_url, database_name, book=write_book(tmp_path), clock=clock) as caller:
        await caller.add(anna())
        id = caller.key.split("_")[1]
        await caller.desk.store.change("keys", {"_id": id}, {"$set": {"per_second": 1e6}})
        yield caller


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
async def test_every_route_answers_as_the_document_says(caller: Caller, mode: GenerationMode) -> None:
    base = str(caller.client.make_url(PREFIX))
    for found in SCHEMA.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.POSITIVE or operation.body:  # what takes nothing can be asked nothing wrong
            assert await asyncio.to_thread(_asked, operation, base, caller.key, mode) >= 1, operation.label


def test_the_document_has_every_route() -> None:
    assert len(list(SCHEMA.get_all_operations())) == len(ROUTES)


def _asked(operation: Any, base: str, key: str, mode: GenerationMode) -> int:
    """Ask one route again and again, and return how often. Raises what a check found."""
    asked = 0

    @ROUTINE
    @given(operation.as_strategy(generation_mode=mode))
    def once(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(base_url=base, headers={"Authorization": f"Bearer {key}"}, checks=CHECKS, timeout=10)

    once()
    return asked
