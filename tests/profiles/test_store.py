"""A plan is written whole or not at all, and what went wrong has one of five names."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from profiles.store import (
    AlreadyThere,
    Interrupted,
    Plan,
    Stale,
    Store,
    Unavailable,
    Unstorable,
    Update,
    ascending,
    full_text,
)
from profiles.store_statements import statement
from tests.profiles.dropped import drop_the_next
from tests.wire import by_road, road_to


def inserting(*documents: dict[str, Any], collection: str = "messages") -> Plan:
    plan = Plan()
    for document in documents:
        plan.insert(collection, {"conversation": document["_id"], "seq": 1, **document})
    return plan


def updating(update: Update, collection: str = "profiles") -> Plan:
    plan = Plan()
    plan.update(collection, update)
    return plan


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"a": document}
    return document


@pytest.fixture
async def other(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    """Another process's store on the same database."""
    store = Store(mongo_url, database_name)
    yield store
    await store.close()


async def test_a_plan_is_written_whole(store: Store) -> None:
    plan = inserting({"_id": "m1"})
    plan.update("profiles", Update("P1", 0, {"language": "fr"}))
    plan.update("identities", Update("telegram:42", 0, {"profile": "P1"}))
    await store.commit(plan)
    assert await store.get("profiles", "P1") == {"_id": "P1", "language": "fr", "version": 1}
    assert await store.get("messages", "m1") is not None


async def test_of_a_plan_that_fails_nothing_is_written(store: Store) -> None:
    plan = inserting({"_id": "m1"})
    plan.update("profiles", Update("P1", 7, {"language": "fr"}))
    with pytest.raises(Stale):
        await store.commit(plan)
    assert await store.get("messages", "m1") is None


async def test_a_key_that_is_taken_says_so(store: Store) -> None:
    await store.commit(inserting({"_id": "m1"}))
    with pytest.raises(AlreadyThere):
        await store.commit(inserting({"_id": "m2"}, {"_id": "m1"}))
    assert await store.get("messages", "m2") is None


async def test_two_in_one_plan_with_one_key_say_so(store: Store) -> None:
    with pytest.raises(AlreadyThere):
        await store.commit(inserting({"_id": "m1"}, {"_id": "m1"}))


async def test_making_what_exists_says_so(store: Store) -> None:
    await store.commit(updating(Update("P1", 0, {"language": "fr"})))
    with pytest.raises(AlreadyThere):
        await store.commit(updating(Update("P1", 0, {"language": "en"})))


async def test_a_version_that_is_gone_says_so(store: Store) -> None:
    await store.commit(updating(Update("P1", 0, {"language": "fr"})))
    await store.commit(updating(Update("P1", 1, {"language": "en"})))
    with pytest.raises(Stale):
        await store.commit(updating(Update("P1", 1, {"language": "de"})))
    document = await store.get("profiles", "P1")
    assert document is not None
    assert (document["language"], document["version"]) == ("en", 2)


@pytest.mark.parametrize("version", [None, 1])
async def test_a_change_to_what_is_not_there_says_so(store: Store, version: int | None) -> None:
    with pytest.raises(Stale):
        await store.commit(updating(Update("P1", version, {"language": "fr"})))


@pytest.mark.parametrize("value", ["$_id", "$$ROOT", {"$add": [1, {"a.b": "$x"}]}, {}, [], None, 1.5])
async def test_what_is_put_at_a_version_is_kept_as_it_is(store: Store, value: Any) -> None:
    """Put whole, though the statement is a pipeline, in which such values could mean something."""
    await store.commit(updating(Update("P1", 0, {"bot": {"old": 1}, "stays": "as it was", "goes": 1})))
    await store.commit(updating(Update("P1", 1, {"bot": value}, {"goes": ""})))
    assert await store.get("profiles", "P1") == {"_id": "P1", "bot": value, "stays": "as it was", "version": 2}


async def test_a_path_at_a_version_is_a_path(store: Store) -> None:
    await store.commit(updating(Update("P1", 0, {"bot": {"a": 1, "b": 2}})))
    await store.commit(updating(Update("P1", 1, {"bot.a": 3}, {"bot.b": ""})))
    assert await store.get("profiles", "P1") == {"_id": "P1", "bot": {"a": 3}, "version": 2}


async def test_a_change_at_a_version_needs_no_query_plan(store: Store) -> None:
    """By its _id alone: planning was a third of what an update cost the database."""
    await store.commit(updating(Update("P1", 0, {"language": "fr"})))
    at_one = statement(Update("P1", 1, {"language": "en"}, {"name": ""}))
    explained = store._client[store.name].command("explain", {"update": "profiles", "updates": [at_one]})
    assert "IDHACK" in str(explained["queryPlanner"]["winningPlan"])


async def test_first_is_put_only_where_nothing_was(store: Store) -> None:
    for at in (1, 2):
        await store.commit(updating(Update("a:b", None, first={"at": at}, upsert=True), "conflicts"))
    assert await store.get("conflicts", "a:b") == {"_id": "a:b", "at": 1}


async def test_deleting_what_is_gone_is_fine(store: Store) -> None:
    await store.commit(updating(Update("telegram:42", 0, {"profile": "P1"}), "identities"))
    for _ in range(2):
        plan = Plan()
        plan.delete("identities", "telegram:42")
        await store.commit(plan)
    assert await store.get("identities", "telegram:42") is None


@pytest.mark.parametrize(
    "value",
    ["\ud800", {"\ud800": 1}, {"a\x00": 1}, {1: 2}, 2**63, object(), "x" * 17_000_000, deep(250)],
    ids=["surrogate", "surrogate key", "NUL key", "number key", "2**63", "object", "17 MB", "deep"],
)
async def test_what_the_database_can_not_keep_is_unstorable(store: Store, value: Any) -> None:
    with pytest.raises(Unstorable):
        await store.commit(inserting({"_id": "m1", "value": value}))
    with pytest.raises(Unstorable):
        await store.commit(updating(Update("P1", 0, {"value": value})))
    await store.commit(inserting({"_id": "m2"}))  # and the store still works


@pytest.mark.parametrize(
    "put", [{"a..b": 1}, {"a.\x00": 1}, {"_id": "P9"}, {"": 1}], ids=["dots", "NUL", "_id", "empty"]
)
async def test_a_path_that_is_none_is_unstorable(store: Store, put: dict[str, Any]) -> None:
    await store.commit(updating(Update("P1", 0, {"language": "fr"})))
    with pytest.raises(Unstorable):
        await store.commit(updating(Update("P1", None, put)))


async def test_a_document_that_grows_too_large_is_unstorable(store: Store) -> None:
    await store.commit(updating(Update("P1", 0, {"a": "x" * 9_000_000})))
    with pytest.raises(Unstorable):
        await store.commit(updating(Update("P1", 1, {"b": "x" * 9_000_000})))


async def test_the_error_does_not_quote_the_document(store: Store) -> None:
    with pytest.raises(Unstorable) as caught:
        await store.commit(inserting({"_id": "m1", "text": "my secret" + "x" * 17_000_000}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["$where", "$gt", "a.b", "", "__proto__", "$a.b"])
async def test_odd_keys_are_kept_as_they_are(store: Store, value: str) -> None:
    await store.commit(inserting({"_id": "m1", "metadata": {value: {value: "1"}}}))
    document = await store.get("messages", "m1")
    assert document is not None
    assert document["metadata"] == {value: {value: "1"}}


@pytest.mark.parametrize("id", ["\ud800", "x" * 17_000_000], ids=["surrogate", "17 MB"])
async def test_asking_for_what_can_not_be_there_is_unstorable(store: Store, id: str) -> None:
    with pytest.raises(Unstorable):
        await store.get_many("messages", [id])


async def test_a_write_that_meets_an_open_transaction_is_stale(store: Store, other: Store) -> None:
    await store.commit(updating(Update("P1", 0, {"language": "fr"})))
    session = other._client.start_session()
    session.start_transaction()
    other._client[other.name]["profiles"].update_one({"_id": "P1"}, {"$set": {"language": "en"}}, session=session)
    with pytest.raises(Stale):
        await store.commit(updating(Update("P1", 1, {"language": "de"})))
    session.commit_transaction()


async def test_a_plan_larger_than_a_command_is_written_whole_or_not_at_all(store: Store) -> None:
    plan = inserting(*({"_id": f"m{number}", "text": "x" * 3_000_000} for number in range(8)))
    for number in range(8):
        plan.update("profiles", Update(f"P{number}", 0, {"text": "x" * 3_000_000}))
    await store.commit(plan)
    assert await store.count("messages", {}) == await store.count("profiles", {}) == 8
    stale = inserting(*({"_id": f"n{number}", "text": "x" * 3_000_000} for number in range(8)))
    stale.update("profiles", Update("P1", 7, {"text": "y" * 12_000_000}))
    with pytest.raises(Stale):
        await store.commit(stale)
    assert await store.count("messages", {}) == 8


async def test_a_transaction_that_the_server_dropped_is_interrupted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the server between two commands: NoSuchTransaction, and nothing was written."""
    dropped = drop_the_next(monkeypatch)
    plan = inserting({"_id": "m1"})
    plan.update("profiles", Update("P1", None, {"language": "fr"}, upsert=True))
    with pytest.raises(Interrupted):
        await store.commit(plan)
    assert len(dropped) == 1
    assert await store.get("messages", "m1") is None
    await store.commit(plan)


async def test_a_transaction_dropped_before_its_commit_is_interrupted(store: Store) -> None:
    transactions = store._transactions
    confirm = transactions._confirm

    def dropped(session: Any) -> None:
        store._client.admin.command("killSessions", [session.session_id])
        confirm(session)

    transactions._confirm = dropped  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        await store.commit(inserting({"_id": "m1"}))
    transactions._confirm = confirm  # type: ignore[method-assign]
    assert await store.get("messages", "m1") is None
    await store.commit(inserting({"_id": "m1"}))


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_commit_whose_answer_is_lost_is_confirmed_by_asking_again(
    mongo_url: str, database_name: str, store: Store, where: Any
) -> None:
    port = int(mongo_url.split("@127.0.0.1:")[1].split("/")[0])
    async with road_to(port) as road:
        far = Store(by_road(mongo_url, road.port), database_name)
        await far.commit(inserting({"_id": "m0"}))
        road.cut("commitTransaction", where, times=3)  # more often than the driver repeats by itself
        await far.commit(inserting({"_id": "m1"}))
        await far.close()
        assert road.cuts == 3
    assert await store.get("messages", "m1") is not None
    assert await store.count("messages", {}) == 2


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_connection_lost_before_the_commit_is_interrupted(
    mongo_url: str, database_name: str, store: Store, where: Any
) -> None:
    port = int(mongo_url.split("@127.0.0.1:")[1].split("/")[0])
    async with road_to(port) as road:
        far = Store(by_road(mongo_url, road.port), database_name)
        await far.commit(inserting({"_id": "m0"}))
        road.cut("m1-in-flight", where)
        with pytest.raises(Interrupted):
            await far.commit(inserting({"_id": "m1-in-flight"}))
        assert await store.get("messages", "m1-in-flight") is None
        await far.commit(inserting({"_id": "m1-in-flight"}))
        await far.close()


async def test_a_commit_that_is_never_confirmed_is_unavailable(
    mongo_url: str, database_name: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.store_transactions.COMMIT_WITHIN_SECONDS", 0.2)
    port = int(mongo_url.split("@127.0.0.1:")[1].split("/")[0])
    async with road_to(port) as road:
        far = Store(by_road(mongo_url, road.port), database_name)
        await far.commit(inserting({"_id": "m0"}))
        road.cut("commitTransaction", "after", times=1000)
        with pytest.raises(Unavailable):
            await far.commit(inserting({"_id": "m1"}))
        road.left = 0
        with pytest.raises(AlreadyThere):  # it was written after all: the natural key tells
            await far.commit(inserting({"_id": "m1"}))
        await far.close()


async def test_no_server_is_unavailable(free_port: int) -> None:
    nowhere = Store(f"mongodb://127.0.0.1:{free_port}/?serverSelectionTimeoutMS=100", "shop")
    with pytest.raises(Unavailable):
        await nowhere.get("profiles", "P1")
    with pytest.raises(Unavailable):
        await nowhere.commit(inserting({"_id": "m1"}))
    await nowhere.close()


async def test_a_closed_store_is_unavailable(mongo_url: str, database_name: str) -> None:
    store = Store(mongo_url, database_name)
    await store.close()
    with pytest.raises(Unavailable):
        await store.commit(inserting({"_id": "m1"}))


async def test_a_password_that_is_wrong_is_unavailable_and_unsaid(mongo_url: str) -> None:
    wrong = Store(mongo_url.replace("causerie:", "causerie:x"), "shop")
    with pytest.raises(Unavailable) as caught:
        await wrong.get("profiles", "P1")
    assert isinstance(caught.value.__cause__, OperationFailure)
    assert "causerie:" not in str(caught.value)
    await wrong.close()


async def test_preparing_twice_and_at_once_is_fine(store: Store, other: Store) -> None:
    indexes = {"things": [ascending("a", "-b"), full_text("text")]}
    for _ in range(2):
        await store.prepare(indexes)
    await other.prepare(indexes)
    assert await store.find("things", {}) == []
