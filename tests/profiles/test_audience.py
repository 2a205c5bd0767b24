"""Who is in an audience: where the database begins, what it looks at, and that ids come in order and can be taken up again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from profiles import audience as audiences
from profiles.audience import MOST_AUDIENCE_INDEXES, count, make_index, stream
from profiles.expression import Expression, Facts, Kind, Vocabulary, parse, parse_value
from profiles.expression_audience import Audience
from profiles.expression_operands import Scope, operand
from profiles.expression_syntax import DEEPEST
from profiles.profile import Attribute, Profile
from profiles.record import from_document, to_document
from profiles.store import Document, Store
from profiles.timeline import Event
from tests.cast import NOON
from tests.profiles.strangers import NOW, OPEN, people


def read(text: str, vocabulary: Vocabulary = OPEN) -> Expression:
    expression = parse(text, vocabulary)
    assert isinstance(expression, Expression), [str(mistake) for mistake in expression]
    return expression


def person(number: int, **known: Any) -> Profile:
    attributes = {name: Attribute(value, "declared", NOON) for name, value in known.items()}
    return Profile(f"P{number:05}", NOON - timedelta(days=number), attributes=attributes)


def paid(profile: Profile | str, days: float, **properties: Any) -> Event:
    owner = profile if isinstance(profile, str) else profile.id
    return Event(f"{owner}-{days}", owner, "order.paid", NOON - timedelta(days=days), properties=properties)


async def keep(store: Store, collection: str, *records: Any) -> None:
    await store._database[collection].insert_many([to_document(record) for record in records])


async def found(store: Store, text: str) -> list[str]:
    return [id async for chunk in stream(store, read(text).audience(NOON)) for id in chunk]


@pytest.fixture(autouse=True)
async def without_indexes_of_others(store: Store) -> AsyncIterator[None]:
    """Drop the indexes that a test made: its database is used again."""
    yield
    for name in await store.index_names("profiles"):
        if name.startswith("audience_"):
            await store._database["profiles"].drop_index(name)


async def test_ids_come_in_order_in_chunks_and_can_be_taken_up_behind_the_last(store: Store) -> None:
    await keep(store, "profiles", *[person(number, points=number) for number in range(25)])
    audience = read("contact.points >= 5").audience(NOON)
    chunks = [chunk async for chunk in stream(store, audience, at_once=8)]
    assert [len(chunk) for chunk in chunks] == [8, 8, 4]
    assert [id for chunk in chunks for id in chunk] == [f"P{number:05}" for number in range(5, 25)]
    rest = [id async for chunk in stream(store, audience, after=chunks[0][-1]) for id in chunk]
    assert rest == [*chunks[1], *chunks[2]]
    assert (await count(store, audience), await count(store, audience, at_most=7)) == (20, 7)


async def test_the_past_too_can_be_taken_up_behind_the_last(store: Store) -> None:
    everybody = [person(number, points=number) for number in range(12)]
    await keep(store, "profiles", *everybody)
    await keep(store, "events", *[paid(profile, 1) for profile in everybody])
    for text in ('did("order.paid", within="7d")', 'contact.points == 3 or did("order.paid")'):
        audience = read(text).audience(NOON)
        rest = [id async for chunk in stream(store, audience, after="P00003", at_once=5) for id in chunk]
        assert rest == [f"P{number:05}" for number in range(4, 12)]
        assert await count(store, audience, at_most=5) == 5


async def test_the_merged_away_are_nobody_and_their_past_is_that_of_whom_they_became(store: Store) -> None:
    kept, shell, older = person(1), replace(person(2), merged_into="P00001"), replace(person(3), merged_into="P00002")
    await keep(store, "profiles", replace(kept, absorbed=("P00002", "P00003")), shell, older)
    await keep(store, "events", paid(shell, 1, total=10), paid(older, 2, total=20), paid("gone", 1, total=5))
    assert await found(store, 'did("order.paid", within="7d", count="==2")') == ["P00001"]
    assert await found(store, 'sum("order.paid", "total") == 30') == ["P00001"]
    assert await found(store, "not contact.is_vip") == ["P00001"]


@pytest.mark.parametrize(
    ("text", "begins", "index"),
    [
        ('contact.country == "FR"', "profiles", ("attributes.country.value", "_id")),
        ('contact.country in ("FR", "BE") and contact.points > 5', "profiles", ("attributes.country.value", "_id")),
        ("contact.points > 5 and contact.points < 9", "profiles", ("attributes.points.value",)),
        ('contact.renewal_on == today + "30d"', "profiles", ("attributes.renewal_on.value", "_id")),
        ('contact.created_at > now - "1d"', "profiles", ("created_at",)),
        ("contact.is_vip", "profiles", ("attributes.is_vip.value", "_id")),
        ('contact.last_inbound_at > now - "1d"', "profiles", ()),
        ('contact.country != "FR" and not contact.is_vip', "profiles", ()),
        ('did("order.paid", within="90d", count=">=2") and contact.country != "FR"', "events", ()),
        ('did("order.paid") and contact.country == "FR"', "profiles", ("attributes.country.value", "_id")),
        ('did("order.paid", within="7d") and contact.country == "FR"', "events", ()),
        ('last("order.paid").total > 5', "events", ()),
        ('sum("order.paid", "total") > 5', "events", ()),
        ('sum("order.paid", "total") < 5', "profiles", ()),
        ('did_not("order.paid", within="7d")', "profiles", ()),
        ('did("order.paid", count="<2")', "profiles", ()),
        ('did("order.paid") or contact.country == "FR"', "profiles", ()),
    ],
)
def test_it_begins_where_it_is_narrowest(text: str, begins: str, index: tuple[str, ...]) -> None:
    audience = read(text).audience(NOON)
    assert (audience.collection, audience.index) == (begins, index)


@pytest.mark.parametrize(
    "text",
    ['contact.country == "FR"', 'contact.country in ("FR", "IT")', "contact.points >= 1990", 'startswith(contact.country, "F")',
     'contact.renewal_on == "2026-12-01"', 'contact.renewal_on <= date("2026-12-01")'],
)  # fmt: skip
async def test_with_its_index_the_database_looks_at_the_audience_alone(store: Store, text: str) -> None:
    few = [person(number, country="FR", points=number, renewal_on="2026-12-01") for number in range(10)]
    crowd = [*few, *(person(number, country="DE", points=number) for number in range(10, 2_000))]
    await keep(store, "profiles", *crowd)
    audience = read(text).audience(NOON)
    if not audience.index:  # the filter would find the same index, made for another
        audience = replace(audience, index=("attributes.country.value", "_id"))
    assert await make_index(store, audience)
    looked_at, selected = await _looked_at(store, audience)
    assert selected == 10
    assert looked_at == 10


async def test_what_happened_lately_is_looked_up_for_whom_it_happened_to(store: Store) -> None:
    crowd = [person(number) for number in range(1_000)]
    await keep(store, "profiles", *crowd)
    await keep(
        store, "events", *[paid(profile, 30) for profile in crowd], *[paid(profile, 1) for profile in crowd[:10]]
    )
    audience = read('did("order.paid", within="7d")').audience(NOON)
    plan = await _explained(store, audience)
    first = plan["stages"][0]["$cursor"]["executionStats"]
    assert (first["nReturned"], first["totalDocsExamined"] <= 10, first["totalKeysExamined"] <= 11) == (10, True, True)


async def test_indexes_are_made_once_and_are_bounded(store: Store) -> None:
    for _ in range(2):
        assert await make_index(store, read('contact.a0 == "x"').audience(NOON))
    assert "audience_a0__id" in await store.index_names("profiles")
    for number in range(1, MOST_AUDIENCE_INDEXES):
        assert await make_index(store, read(f'contact.a{number} == "x"').audience(NOON))
    assert not await make_index(store, read('contact.one_more == "x"').audience(NOON))
    assert await make_index(store, read('contact.a1 == "y"').audience(NOON))


@pytest.mark.parametrize("text", ["event.total > 1", "conversation.open", 'opened("first")', "score > 1"])
def test_what_asks_about_more_than_profiles_selects_nobody(text: str) -> None:
    journey = Vocabulary(event="", has_conversation=True, steps=frozenset({"first"}), extra={"score": Kind.NUMBER})
    with pytest.raises(ValueError, match="more than profiles"):
        read(text, journey).audience(NOON)


def test_only_named_zones_have_days_that_the_database_knows() -> None:
    with pytest.raises(ValueError, match="named zone"):
        read("today == contact.x").audience(NOON, timezone(timedelta(hours=2)))


async def test_the_deepest_condition_is_not_too_deep_for_the_database(store: Store) -> None:
    await keep(store, "profiles", person(1, points=1))
    deep = "contact.points" + " + contact.points" * (DEEPEST - 6) + " > 0"
    assert await found(store, deep) == ["P00001"]
    assert await found(store, f"len({'lower(' * (DEEPEST - 6)}contact.points{')' * (DEEPEST - 6)}) > 0") == []
    assert await found(store, "not " * (DEEPEST - 6) + "(contact.points == 1)") == ["P00001"]


@pytest.mark.parametrize(
    "text",
    ["contact.num + 1", "contact.num - contact.mix", "contact.num * 3", "contact.num / 4", "-contact.num", "len(contact.text)",
     "len(contact.tags)", "lower(contact.text)", "upper(contact.text)", "contact.name", "days_since(contact.day)",
     "days_until(contact.mix)", "month(contact.day)", "day(contact.at)", "weekday(contact.day)", "age(contact.day)",
     "age(contact.at)",
     "hour(contact.at)", "contact.created_at + '1mo'", "contact.created_at - '1y'", "contact.created_at + '90m'", "contact.id",
     "contact.last_inbound_at", "contact.mix"],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
async def test_values_are_the_same_in_memory_and_in_the_database(store: Store, text: str, zone: str) -> None:
    await keep(store, "profiles", *people(3, 120))
    expression = parse_value(text, OPEN)
    assert isinstance(expression, Expression)
    asked = operand(expression.tree, Scope(NOW, ZoneInfo(zone)))
    computed = {one["_id"]: one.get("v") for one in await store.aggregate("profiles", [{"$project": {"v": asked}}])}
    stored = [from_document(Profile, document) for document in await store.find("profiles", {})]
    inside = {profile.id: expression.value(Facts(NOW, profile, ZoneInfo(zone))) for profile in stored}
    assert len(stored) == 120 and any(value is not None for value in inside.values())
    for id, value in inside.items():
        assert computed[id] == value or (computed[id] != computed[id] and value != value), id  # NaN is not even itself


def test_the_past_is_not_asked_for_where_nobody_needs_it() -> None:
    needs = read("contact.points > 1").needs
    assert (needs.events, needs.sent) == ({}, False)


async def _looked_at(store: Store, audience: Audience) -> tuple[int, int]:
    plan = await _explained(store, audience)
    stats = plan["executionStats"] if "executionStats" in plan else plan["stages"][0]["$cursor"]["executionStats"]
    return int(stats["totalDocsExamined"]), int(stats["nReturned"])


async def _explained(store: Store, audience: Audience) -> Document:
    command = {"aggregate": audience.collection, "pipeline": audiences._in_order(audience, "", ""), "cursor": {}}
    explained: Document = await store._database.command({"explain": command, "verbosity": "executionStats"})
    return explained
