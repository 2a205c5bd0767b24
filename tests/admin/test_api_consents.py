"""Consents over the API: kept with their evidence, read with their proofs, and no import turns anybody in again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from profiles.consents import Said
from tests.admin.api_client import Caller, caller_on
from tests.admin.book_of_calls import write_book
from tests.world import NOON, person

YES = {"channel": "email", "topic": "offers", "state": "given", "source": "form", "evidence": "https://shop.example/join",
       "language": "fr", "ip": "192.0.2.7"}  # fmt: skip
IMPORT = {**YES, "source": "import", "evidence": "contacts.csv, line 7"}
NO = {"channel": "email", "topic": "offers", "state": "withdrawn", "source": "phone"}
PATH = "/profiles/anna/consents"


@pytest.fixture
async def caller(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name, book=write_book(tmp_path)) as caller:
        await caller.add(person("anna", "email:anna@example.org"))
        yield caller


async def says(caller: Caller, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    return await caller.ask("POST", PATH, body, headers=headers)


async def standing(caller: Caller) -> dict[str, str]:
    status, answer = await caller.ask("GET", PATH)
    assert status == 200
    return {f"{one['channel']}:{one['topic']}": one["state"] for one in answer["items"]}


async def test_a_yes_is_kept_with_the_wording_and_its_evidence(caller: Caller) -> None:
    status, proof = await says(caller, YES)
    assert status == 200
    assert (proof["change"], proof["wording"], proof["version"], proof["ip"]) == (
        "given", "Oui aux offres", "1", "192.0.2.7"
    )  # fmt: skip
    assert proof["source"].startswith("key:") and proof["source"].endswith(" form")
    assert await standing(caller) == {"email:offers": "given"}
    (row,) = await caller.desk.store.find("consents", {})
    assert row["evidence"]["note"] == "https://shop.example/join"
    (audit,) = await caller.desk.store.find("audit", {"act": "consent.recorded"})
    assert audit["about"] == "anna"


async def test_a_no_may_be_to_all_and_needs_no_evidence(caller: Caller) -> None:
    await says(caller, YES)
    assert (await says(caller, {**NO, "channel": "*", "topic": "*"}))[0] == 200
    assert await standing(caller) == {"*:*": "withdrawn", "email:offers": "given"}
    _, answer = await caller.ask("GET", PATH)
    assert {proof["change"] for proof in answer["proofs"]} == {"given", "withdrawn"}


@pytest.mark.parametrize("no", [NO, {**NO, "topic": "*"}, {**NO, "channel": "*"}, {**NO, "channel": "*", "topic": "*"}])
async def test_an_import_never_turns_in_somebody_who_refused(caller: Caller, no: dict[str, Any]) -> None:
    await says(caller, no)
    status, problem = await says(caller, IMPORT)
    assert status == 409 and problem["type"].endswith("withdrawn_before")
    assert "given" not in (await standing(caller)).values()


async def test_an_import_that_races_with_a_no_never_wins(caller: Caller) -> None:
    consents = caller.desk.consents
    assert consents
    for number in range(40):
        profile = f"P{number}"
        await caller.add(person(profile, f"email:p{number}@example.org"))
        no = consents.withdraw(profile, "email", "offers", Said("keyword"), now=NOON)
        bring_in = caller.ask("POST", f"/profiles/{profile}/consents", IMPORT)
        await asyncio.gather(*((no, bring_in) if number % 2 else (bring_in, no)))
        _, answer = await caller.ask("GET", f"/profiles/{profile}/consents")
        assert [one["state"] for one in answer["items"]] == ["withdrawn"], number


async def test_an_import_of_somebody_who_said_nothing_is_kept(caller: Caller) -> None:
    assert (await says(caller, IMPORT))[0] == 200
    assert await standing(caller) == {"email:offers": "given"}


@pytest.mark.parametrize(
    "wrong",
    [{"evidence": ""}, {"topic": "nothing"}, {"topic": "*"}, {"channel": "*"}, {"channel": {"$gt": ""}}, {"state": "maybe"},
     {"source": "preference_centre"}, {"source": "keyword"}, {"channel": "e.mail"}, {"topic": "$where"}, {"language": "xx"}],
)  # fmt: skip
async def test_what_is_no_consent_is_refused(caller: Caller, wrong: dict[str, Any]) -> None:
    status, problem = await says(caller, {**YES, **wrong})
    assert status == 422 and problem["errors"]
    assert await standing(caller) == {}


async def test_the_same_request_twice_is_kept_once(caller: Caller) -> None:
    first = await says(caller, YES, **{"Idempotency-Key": "a1"})
    again = await says(caller, YES, **{"Idempotency-Key": "a1"})
    assert first == again
    assert len(await caller.desk.store.find("consents", {})) == 1


async def test_reading_and_writing_ask_for_their_scopes(caller: Caller) -> None:
    reader = await caller.as_one_who_may("consents:read")
    assert (await says(reader, YES))[0] == 403
    writer = await caller.as_one_who_may("consents:write")
    assert (await writer.ask("GET", PATH))[0] == 403
    assert (await caller.ask("GET", "/profiles/nobody/consents"))[0] == 404
