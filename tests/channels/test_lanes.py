"""Lanes: one message of a conversation at a time, many conversations side by side, and who waits for an answer first."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from channels.lanes import BEGIN_AT_ONCE, Lanes
from profiles.timeline import Content, Message
from tests.cast import NOON
from tests.waiting import until

CROWD = 2 * BEGIN_AT_ONCE


class Street:
    """Notes what drives, and lets it arrive when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.arrived: list[str] = []
        self.ended = False
        self.opens = asyncio.Event()
        self.lanes = Lanes(self._drive)

    async def _drive(self, message: Message) -> None:
        self.begun.append(message.id)
        try:
            await self.opens.wait()
            self.arrived.append(message.id)
        finally:
            self.ended = True

    def put(self, conversation: str, *ids: str, kind: str = "marketing") -> Sequence[bool]:
        metadata = {"class": kind} if kind else {}
        return [self.lanes.put(_message(conversation, id, metadata)) for id in ids]

    def put_crowd(self) -> None:
        for number in range(CROWD):
            self.put(f"crowd{number}", f"{number}")


async def test_one_message_of_a_conversation_is_under_way_at_a_time() -> None:
    street = Street()
    assert street.put("anna", "first") == [False]
    await asyncio.sleep(0)
    assert street.put("anna", "second", "third") == [True, True]
    assert street.begun == ["first"]
    assert [message.id for message in street.lanes.behind("anna")] == ["second", "third"]
    street.opens.set()
    await street.lanes.close(5)
    assert street.arrived == ["first", "second", "third"]
    assert "anna" not in street.lanes and not street.lanes.behind("anna")


async def test_so_it_is_where_the_second_came_before_its_lane_had_begun() -> None:
    street = Street()
    street.put_crowd()
    assert street.put("anna", "first", "second") == [False, False]
    await until(lambda: "first" in street.begun)
    assert "second" not in street.begun
    street.opens.set()
    await street.lanes.close(5)
    assert street.arrived.index("first") < street.arrived.index("second")


@pytest.mark.parametrize(
    ("kind", "is_first"), [("", True), ("transactional", True), ("service", False), ("marketing", False)]
)
async def test_of_those_that_have_not_begun_they_go_first_where_somebody_waits(kind: str, is_first: bool) -> None:
    street = Street()
    street.put_crowd()
    street.put("anna", "hers", kind=kind)
    street.opens.set()
    await street.lanes.close(5)
    assert street.begun.index("hers") == (BEGIN_AT_ONCE if is_first else CROWD)


async def test_of_a_crowd_so_many_begin_in_each_pass_of_the_loop() -> None:
    street = Street()
    for _ in range(2):
        street.put_crowd()
    assert street.begun == []
    await asyncio.sleep(0)
    assert len(street.begun) == BEGIN_AT_ONCE
    street.opens.set()
    await street.lanes.close(5)
    assert len(street.arrived) == 2 * CROWD


async def test_what_does_not_finish_in_time_is_cut_off() -> None:
    street = Street()
    street.put("anna", "first", "second")
    await street.lanes.close(0.0)
    await asyncio.sleep(0)
    assert (street.begun, street.arrived, street.ended) == (["first"], [], True)


def _message(conversation: str, id: str, metadata: dict[str, Any]) -> Message:
    return Message(id, conversation, "p", "pigeon", "outbound", "bot", Content(id), 1, NOON, metadata=metadata)
