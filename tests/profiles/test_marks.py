"""What became of deliveries is recorded for many at once, each on its own, and whoever listens hears of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from profiles.snapshot import Amend
from profiles.store import Store, Unavailable, Unstorable, Update
from profiles.writer import Writer
from tests.profiles.works import Commands, hears

DROPPED = ("delivery.lease_until",)


def sent(number: int, reason: str = "") -> Amend:
    more = {"delivery.reason": reason} if reason else {}
    return Amend(f"telegram:42/{number}", {"delivery.state": "sent", **more}, DROPPED)


async def states(store: Store) -> list[str | None]:
    return [one.get("delivery", {}).get("state") for one in await store.find("messages", {}, sort=[("seq", 1)])]


async def test_those_of_a_moment_are_one_command_and_are_heard_of(mongo_url: str, database_name: str) -> None:
    commands, heard = Commands(), list[str]()
    store = Store(mongo_url, database_name, listeners=[commands])
    writer = Writer(store, process="here")
    await asyncio.gather(*(writer.commit(hears(number)) for number in range(6)))
    writer.listen(lambda group: heard.extend(amend.message for changes in group for amend in changes.amends))
    commands.seen.clear()
    await asyncio.gather(*(writer.mark(sent(number)) for number in range(5)))
    assert commands.seen == {"update": 1}
    assert await states(store) == ["sent"] * 5 + [None]
    assert heard == [f"telegram:42/{number}" for number in range(5)]
    await writer.close()
    await store.close()


async def test_one_that_can_not_be_kept_fails_alone(store: Store, writer: Writer) -> None:
    await asyncio.gather(*(writer.commit(hears(number)) for number in range(4)))
    marks = [sent(0), sent(1), sent(2, reason="\ud800"), sent(3)]
    outcomes = await asyncio.gather(*map(writer.mark, marks), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), Unstorable, type(None)]
    assert await states(store) == ["sent", "sent", None, "sent"]


async def test_close_waits_for_them_without_their_patience(store: Store, writer: Writer) -> None:
    await writer.commit(hears(0))
    marking = asyncio.create_task(writer.mark(sent(0)))
    await asyncio.sleep(0)
    await writer.close()
    assert marking.done() and marking.exception() is None
    assert await states(store) == ["sent"]


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_connection_is_tried_once_more_and_then_told(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    update_each, failing = store.update_each, iter([True] * lost)

    async def unsure(collection: str, updates: Sequence[Update], **more: Any) -> None:
        await update_each(collection, updates, **more)
        if next(failing, False):
            raise Unavailable("connection lost")  # after it was written: nobody knows

    await writer.commit(hears(0))
    monkeypatch.setattr(store, "update_each", unsure)
    (outcome,) = await asyncio.gather(writer.mark(sent(0)), return_exceptions=True)
    assert isinstance(outcome, Unavailable) == (lost == 2)
    assert await states(store) == ["sent"]


async def test_a_receipt_that_came_between_two_tries_stays(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_each, tries = store.update_each, iter([True])
    delivered = {"$set": {"delivery.state": "delivered"}}

    async def unsure(collection: str, updates: Sequence[Update], **more: Any) -> None:
        await update_each(collection, updates, **more)
        if next(tries, False):
            await store.change("messages", {"delivery.state": "sent"}, delivered)
            raise Unavailable("connection lost")

    await writer.commit(hears(0))
    monkeypatch.setattr(store, "update_each", unsure)
    await writer.mark(sent(0))
    assert await states(store) == ["delivered"]
