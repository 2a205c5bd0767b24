"""Somebody enters a segment, or leaves it: by what they do, or because time goes by; and whoever was there has not just come."""

from datetime import timedelta
from pathlib import Path

import pytest

from profiles.snapshot import Changes, Snapshot, Work
from tests.rules.test_engine import Town, book, second, town  # noqa: F401 (fixtures)

VIP = """
rule: vip
state: live
class: transactional
when: {segment: entered vip}
steps:
  - send: {channel: telegram, template: welcome}
"""
GONE = """
rule: gone
state: live
class: transactional
when: {segment: left active}
steps:
  - send: {channel: telegram, template: come_back}
"""
SEGMENTS = 'vip: contact.points >= 100\nactive: did("order.paid", within="30d")\n'


@pytest.fixture
def segments(book: Path) -> Path:  # noqa: F811
    (book / "segments.yml").write_text(SEGMENTS)
    (book / "vip.yml").write_text(VIP)
    (book / "gone.yml").write_text(GONE)
    return book


async def gets(town: Town, points: int, who: str = "anna") -> None:  # noqa: F811
    """Let somebody have so many points."""

    def think(snapshot: Snapshot) -> Changes:
        profile = snapshot.profiles[who]
        return Changes(profiles=(profile.learn("points", points, source="declared", at=snapshot.now),))

    await town.writer.commit(Work(think, profiles=(who,)))
    await town.rules.engine.settled()
    await town.rules.engine.settled()


async def settle(town: Town) -> None:  # noqa: F811
    """Sweep, and let the rules think about whoever differs."""
    await town.rules.sweep.look()
    for _ in range(3):
        await town.rules.engine.settled()


async def test_whoever_is_there_when_it_is_first_watched_has_not_just_come(segments: Path, town: Town) -> None:  # noqa: F811
    await gets(town, 150)
    await settle(town)
    await gets(town, 160)
    assert await town.outbox() == []
    assert [row["_id"] for row in await town.store.find("memberships", {"segment": "vip"})] == ["vip|anna"]


async def test_who_crosses_by_what_they_do_enters_once(segments: Path, town: Town) -> None:  # noqa: F811
    await settle(town)
    await settle(town)
    await gets(town, 99)
    await gets(town, 100)
    await gets(town, 120)
    assert await town.outbox() == ["welcome"]
    await gets(town, 50)
    assert await town.store.find("memberships", {"segment": "vip"}) == []
    (left,) = await town.store.find("events", {"name": "segment.left"})
    assert left["properties"] == {"segment": "vip"}
    await gets(town, 200)
    assert await town.outbox() == ["welcome"] * 2, "who comes back has entered again"


async def test_time_alone_makes_somebody_leave(segments: Path, town: Town) -> None:  # noqa: F811
    await settle(town)
    await settle(town)
    await town.happens("order.paid", total=10)
    await settle(town)
    assert [row["_id"] for row in await town.store.find("memberships", {"segment": "active"})] == ["active|anna"]
    town.clock.now += timedelta(days=29)
    await settle(town)
    assert await town.outbox() == []
    town.clock.now += timedelta(days=2)
    await settle(town)
    assert await town.outbox() == ["come_back"]
    await settle(town)
    assert await town.outbox() == ["come_back"]


async def test_an_edited_segment_takes_a_new_baseline(segments: Path, town: Town) -> None:  # noqa: F811
    await settle(town)
    await settle(town)
    await gets(town, 60)
    (segments / "segments.yml").write_text(SEGMENTS.replace("100", "50"))
    await town.rules.bookcase.look(at_once=True)
    await settle(town)
    assert [row["_id"] for row in await town.store.find("memberships", {"segment": "vip"})] == ["vip|anna"]
    assert await town.outbox() == []


async def test_two_processes_see_somebody_enter_once(segments: Path, town: Town, second: Town) -> None:  # noqa: F811
    for one in (town, second):
        await settle(one)
        await settle(one)
    await gets(town, 150)
    await settle(second)
    await settle(town)
    assert len(await town.store.find("events", {"name": "segment.entered"})) == 1
    assert await town.outbox() == ["welcome"]
