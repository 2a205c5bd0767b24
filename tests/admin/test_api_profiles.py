"""People through the API: made, found, described, linked, merged on proof, and never by a foreign word."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from profiles import people
from profiles.conversation import Conversation
from profiles.profile import Suppression
from profiles.snapshot import Work
from tests.admin.api_client import Caller, caller_on
from tests.world import NOON, person

MAIL = {"space": "email", "address": "Anna@Example.com"}
PROVED = {**MAIL, "verified": True}


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


async def create(caller: Caller, *identities: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    status, answer = await caller.ask("POST", "/profiles", {"identities": list(identities), "attributes": attributes})
    assert status == 201, answer
    return dict(answer)


async def test_a_profile_is_made_and_found_again(caller: Caller) -> None:
    made = await create(caller, PROVED, {"space": "sms", "address": "06 12 34 56 78"}, city="Lyon", sizes=["M"],
                        born={"instant": "1990-05-01T00:00:00+02:00"})  # fmt: skip
    assert made["attributes"]["city"] == {
        "value": "Lyon", "source": "declared", "at": "2026-03-02T12:00:00.000Z", "by": f"key:{caller.key.split('_')[1]}",
    }  # fmt: skip
    assert made["attributes"]["born"]["value"] == {"instant": "1990-04-30T22:00:00.000Z"}
    assert [(identity["address"], identity["claimed"]) for identity in made["identities"]] == [
        ("anna@example.com", True), ("+33612345678", False),
    ]  # fmt: skip
    assert await caller.ask("GET", f"/profiles/{made['id']}") == (200, made)
    assert await caller.ask("GET", "/profiles/by-identity?space=email&address=ANNA@example.com") == (200, made)


async def test_what_is_not_proved_does_not_lead_to_the_profile(caller: Caller) -> None:
    await create(caller, MAIL)
    assert (await caller.ask("GET", "/profiles/by-identity?space=email&address=anna@example.com"))[0] == 404


async def test_a_proved_identity_of_another_is_refused_with_whose_it_is(caller: Caller) -> None:
    first = await create(caller, PROVED)
    status, answer = await caller.ask("POST", "/profiles", {"identities": [PROVED]})
    assert (status, answer["profile"]) == (409, first["id"])
    blind = await caller.as_one_who_may("profiles:write", "identities:verify")
    status, answer = await blind.ask("POST", "/profiles", {"identities": [PROVED]})
    assert status == 409
    assert first["id"] not in str(answer)


async def test_saying_that_an_identity_is_proved_needs_its_own_scope(caller: Caller) -> None:
    few = await caller.as_one_who_may("profiles:write", "identities:write")
    assert (await few.ask("POST", "/profiles", {"identities": [PROVED]}))[0] == 403
    made = await create(caller)
    assert (await few.ask("POST", f"/profiles/{made['id']}/identities", PROVED))[0] == 403
    assert (await few.ask("POST", f"/profiles/{made['id']}/identities", MAIL))[0] == 200


@pytest.mark.parametrize(
    "identity",
    [{"space": "email", "address": "anna"}, {"space": "sms", "address": "abc-def-ghi-jkl"}, {"space": "user", "address": "a b"},
     {"space": "Email", "address": "a@example.com"}, {"space": "?email", "address": "a@example.com"}],
)  # fmt: skip
async def test_an_address_that_is_none_is_refused_with_its_place(caller: Caller, identity: dict[str, str]) -> None:
    status, answer = await caller.ask("POST", "/profiles", {"identities": [PROVED, identity]})
    assert status == 422
    assert answer["errors"][0]["pointer"].startswith("/identities/1/")
    assert await caller.desk.store.count("profiles", {}) == 0


async def test_the_same_person_made_at_once_by_many_is_made_once(caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.ask("POST", "/profiles", {"identities": [PROVED]}) for _ in range(20)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 19
    assert await caller.desk.store.count("profiles", {}) == 1


async def test_attributes_are_learned_and_forgotten_one_by_one(caller: Caller) -> None:
    made = await create(caller, city="Lyon", size="M")
    body = {"attributes": {"size": None, "points": 12}, "language": "fr"}
    status, answer = await caller.ask("PATCH", f"/profiles/{made['id']}", body)
    assert status == 200
    assert {name: known["value"] for name, known in answer["attributes"].items()} == {"city": "Lyon", "points": 12}
    assert answer["language"] == "fr"


async def test_what_was_declared_is_not_overwritten_by_what_was_tracked(caller: Caller) -> None:
    made = await create(caller, city="Lyon")
    body = {"attributes": {"city": "Paris"}, "source": "tracked"}
    _, answer = await caller.ask("PATCH", f"/profiles/{made['id']}", body)
    assert answer["attributes"]["city"]["value"] == "Lyon"


async def test_changes_at_once_all_hold(caller: Caller) -> None:
    made = await create(caller)
    await asyncio.gather(
        *(caller.ask("PATCH", f"/profiles/{made['id']}", {"attributes": {f"a{n}": n}}) for n in range(30))
    )
    _, answer = await caller.ask("GET", f"/profiles/{made['id']}")
    assert len(answer["attributes"]) == 30


async def test_attributes_are_bounded(caller: Caller) -> None:
    made = await create(caller, **{f"a{n}": n for n in range(200)})
    status, answer = await caller.ask("PATCH", f"/profiles/{made['id']}", {"attributes": {"one_more": 1}})
    assert (status, answer["type"].split("#")[1]) == (422, "too_many")


async def test_a_list_goes_on_after_a_key_and_shows_each_once(caller: Caller) -> None:
    for number in range(7):
        await caller.add(person(f"P{number}", f"telegram:{number}"))
    await caller.add(replace(person("P9"), merged_into="P1"))
    seen, after = [], ""
    while True:
        _, answer = await caller.ask("GET", f"/profiles?limit=3{after}")
        seen += [item["id"] for item in answer["items"]]
        if answer["after"] is None:
            break
        after = f"&after={answer['after']}"
    assert seen == ["P6", "P5", "P4", "P3", "P2", "P1", "P0"]


# -- identities


async def test_a_proved_identity_is_claimed_and_the_act_is_audited(caller: Caller) -> None:
    made = await create(caller)
    status, answer = await caller.ask("POST", f"/profiles/{made['id']}/identities", PROVED)
    assert (status, answer["outcome"]) == (200, "claimed")
    assert (await caller.ask("GET", "/profiles/by-identity?space=email&address=anna@example.com"))[0] == 200
    row = await caller.desk.store.first("audit", {"act": "identity.added"})
    assert row is not None
    assert (row["by"], row["about"]) == (f"key:{caller.key.split('_')[1]}", made["id"])
    _, again = await caller.ask("POST", f"/profiles/{made['id']}/identities", PROVED)
    assert again["outcome"] == "unchanged"


async def test_an_identity_that_is_only_said_is_noted_and_listed_when_another_has_it(caller: Caller) -> None:
    owner = await create(caller, PROVED)
    other = await create(caller)
    _, answer = await caller.ask("POST", f"/profiles/{other['id']}/identities", MAIL)
    assert answer["outcome"] == "conflict"
    rows = await caller.desk.store.find("conflicts", {})
    assert [row["profiles"] for row in rows] == [sorted([owner["id"], other["id"]])]
    _, found = await caller.ask("GET", "/profiles/by-identity?space=email&address=anna@example.com")
    assert found["id"] == owner["id"]


async def test_an_identity_that_two_proved_makes_them_one_with_their_conversations(caller: Caller) -> None:
    owner = await create(caller, PROVED, city="Lyon")
    thread = Conversation("telegram:42", "P2", "telegram", "42", NOON, last_at=NOON)
    await caller.add(person("P2", "telegram:42", at=NOON), thread)
    status, answer = await caller.ask("POST", "/profiles/P2/identities", PROVED)
    assert (status, answer["outcome"]) == (200, "merged")
    kept = answer["profile"]
    assert kept["absorbed"]
    for id in (owner["id"], "P2"):
        _, found = await caller.ask("GET", f"/profiles/{id}")
        assert found["id"] == kept["id"]
    _, moved = await caller.ask("GET", "/conversations/telegram:42")
    assert moved["profile"] == kept["id"]


async def test_two_users_of_the_shop_are_not_merged(caller: Caller) -> None:
    anna = await create(caller, {"space": "user", "address": "anna", "verified": True}, PROVED)
    boris = await create(caller, {"space": "user", "address": "boris", "verified": True})
    _, answer = await caller.ask("POST", f"/profiles/{boris['id']}/identities", PROVED)
    assert answer["outcome"] == "conflict"
    assert (await caller.ask("GET", f"/profiles/{anna['id']}"))[1]["absorbed"] == []
    status, _ = await caller.ask(
        "POST", f"/profiles/{anna['id']}/identities", {"space": "user", "address": "carol", "verified": True}
    )
    assert status == 409


async def test_an_identity_taken_off_is_free(caller: Caller) -> None:
    made = await create(caller, PROVED)
    key = quote("email:anna@example.com", safe="")
    status, answer = await caller.ask("DELETE", f"/profiles/{made['id']}/identities/{key}")
    assert (status, answer["identities"]) == (200, [])
    assert (await create(caller, PROVED))["id"] != made["id"]
    assert (await caller.ask("DELETE", f"/profiles/{made['id']}/identities/{key}"))[0] == 404


async def test_an_identity_of_somebody_else_can_not_be_taken_off_through_another(caller: Caller) -> None:
    await create(caller, PROVED)
    other = await create(caller)
    assert (await caller.ask("DELETE", f"/profiles/{other['id']}/identities/email:anna@example.com"))[0] == 404
    assert (await caller.ask("GET", "/profiles/by-identity?space=email&address=anna@example.com"))[0] == 200


async def test_a_banned_identity_stays(caller: Caller) -> None:
    banned = person("P1", "sms:+33612345678")
    ban = Suppression("opted_out", NOON)
    await caller.add(replace(banned, identities=(replace(banned.identities[0], suppression=ban),)))
    status, answer = await caller.ask("DELETE", "/profiles/P1/identities/sms:%2B33612345678")
    assert (status, answer["type"].split("#")[1]) == (409, "suppressed_identity")


async def test_a_merged_profile_answers_and_changes_as_the_one_it_became(caller: Caller) -> None:
    for id in ("P1", "P2"):
        await caller.add(person(id, f"telegram:{id}"))

    def think(snapshot: Any) -> Any:
        both = snapshot.profiles["P1"], snapshot.profiles["P2"]
        return people.merge(snapshot, *both, by="agent:7", why="", now=NOON)

    await caller.desk.writer.commit(Work(think, profiles=("P1", "P2")))
    _, answer = await caller.ask("PATCH", "/profiles/P2", {"attributes": {"city": "Lyon"}})
    assert (answer["id"], answer["attributes"]["city"]["value"]) == ("P1", "Lyon")
