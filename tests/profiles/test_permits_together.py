"""The mails of a campaign ask for their permits together, and each gets the answer that it would get alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profiles.calendar import utc_now
from profiles.consents import Consents, Said
from profiles.ledger import mark
from profiles.ledgers import Ledgers
from profiles.permit_terms import ALIKE, apart
from profiles.permits import Leave, Pass, Passage, Permits
from profiles.store import Store, Unavailable
from profiles.topics import Topic
from tests.profiles.works import Commands

OFFERS, HERE = Topic("offers"), Said("form")
PEOPLE = ("anna", "boris", "clara", "dmitri", "elif", "farid", "gina")


def asks(person: str, *, message: str = "m", kind: str = "marketing") -> Passage:
    return Passage(f"{message}-{person}/0", person, f"email:{person}", "email", "offers", kind, "given")  # type: ignore[arg-type]


@pytest.fixture
async def commands() -> Commands:
    return Commands()


@pytest.fixture
async def store(mongo_url: str, database_name: str, commands: Commands) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name, listeners=[commands])
    ledgers = Ledgers(store)
    consents = Consents(store, ledgers, Permits(store, ledgers, clock=utc_now))
    for person in PEOPLE[1:]:  # anna never said yes
        await consents.give(person, OFFERS, "email", HERE, now=utc_now())
    off = {"$set": {f"off.{mark('email:clara')}": True}}
    await store.change("ledgers", {"_id": "clara"}, off)
    await store.change("ledgers", {"_id": "dmitri"}, {"$set": {f"off.{mark('email:other')}": True}})
    await store.change("ledgers", {"_id": "elif"}, {"$set": {"mute": {"email:offers": utc_now() + timedelta(days=1)}}})
    yield store
    await store.close()


@pytest.fixture
def permits(store: Store) -> Permits:
    return Permits(store, Ledgers(store), clock=utc_now)


async def answers(permits: Permits, passages: list[Passage]) -> list[str]:
    def said(leave: Leave) -> str:
        return "granted" if isinstance(leave, Pass) else leave.code

    return [said(leave) for leave in await asyncio.gather(*map(permits.ask, passages))]


async def test_each_gets_the_answer_that_they_would_get_alone(permits: Permits) -> None:
    alone = [(await answers(permits, [asks(one, message="alone")]))[0] for one in PEOPLE]
    together = await answers(permits, [asks(one) for one in PEOPLE])
    assert together == alone
    assert alone == ["no_consent:topic:offers", "granted", "suppressed", "granted", "paused", "granted", "granted"]


@pytest.mark.parametrize(
    "other", [{"channel": "sms"}, {"topic": "news"}, {"kind": "service"}, {"basis": "not_withdrawn"}]
)
def test_only_those_of_whom_the_same_is_asked_are_asked_for_together(other: dict[str, Any]) -> None:
    ones = [asks(f"one{number}") for number in range(ALIKE)]
    others = [replace(asks(f"other{number}"), **other) for number in range(ALIKE)]
    assert apart([*ones, *others]) == ([ones, others], [])


async def test_what_had_begun_does_not_begin_again_and_is_settled(permits: Permits, store: Store) -> None:
    first = [asks(one) for one in PEOPLE if one in ("boris", "dmitri", "farid", "gina")]
    granted = await asyncio.gather(*map(permits.ask, first))
    assert await answers(Permits(store, Ledgers(store), clock=utc_now), first) == ["begun"] * 4
    permits.settle([one for one in granted if isinstance(one, Pass)])
    assert await answers(permits, first) == ["granted"] * 4  # asked in this process, it waits until that is written
    await permits.close()


async def test_they_are_one_command_and_settled_in_one(permits: Permits, store: Store, commands: Commands) -> None:
    willing = [asks(one) for one in ("boris", "farid", "gina")] + [asks("boris", message="other")]
    assert len(willing) == ALIKE  # of which one person twice: who asks again is asked for alone
    many = [asks(f"p{number}") for number in range(20)]
    await store.insert_missing("ledgers", [{"_id": one.profile, "on": {"email:offers": True}, "h": []} for one in many])
    commands.seen.clear()
    granted = await asyncio.gather(*map(permits.ask, many))
    assert commands.seen == {"update": 1}
    permits.settle([one for one in granted if isinstance(one, Pass)])
    await permits.close()
    assert commands.seen == {"update": 2}
    assert await store.count("ledgers", {"p.0": {"$exists": True}}) == 0
    assert await answers(permits, willing) == ["granted"] * 4


async def test_a_lost_connection_is_looked_up(permits: Permits, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change_many: Callable[..., object] = store.change_many

    async def unsure(*change: object) -> int:
        await change_many(*change)  # type: ignore[misc]
        raise Unavailable("connection lost")  # after it was written

    monkeypatch.setattr(store, "change_many", unsure)
    willing = [asks(one) for one in ("boris", "dmitri", "farid", "gina")]
    assert await answers(permits, willing) == ["granted"] * 4


def test_only_those_who_ask_alike_are_put_together() -> None:
    alike = [asks(one) for one in PEOPLE]
    others = [asks("anna", message="again"), asks("boris", kind="transactional"), asks("boris", kind="service")]
    assert apart([*alike, *others]) == ([alike], [others[0], others[1], others[2]])
    assert apart(alike[: ALIKE - 1]) == ([], alike[: ALIKE - 1])
