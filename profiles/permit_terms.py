"""Under which terms a hand-over may begin: the filter over ledgers and the change that keeps its permit, for one or for many. Pure.

The mails of a campaign ask the same of everybody. Asked for one by one, each pays for a filter that the database reads and plans
anew: 195 us of its CPU and 90 of ours; asked for together a permit takes some 35 and 10.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.caps import ago, even, literal
from profiles.consent import awake, lawful
from profiles.ledger import WHOLE, Document, mark
from profiles.store import Alter, Filter
from profiles.swift import swift
from profiles.topics import Basis, Class

KEPT_FOR = timedelta(days=1)
"""A permit that was never settled tells this long that its message may have gone out."""
ALIKE = 4  # from here on one change for all is less work


@swift
@dataclass(frozen=True, slots=True)
class Passage:
    """One hand-over that is to begin now: which part of which message, to whom, and the consent it stands on."""

    id: str
    profile: str
    address: str
    """The identity key."""
    channel: str
    topic: str
    kind: Class
    basis: Basis


def apart(asked: Iterable[Passage]) -> tuple[list[list[Passage]], list[Passage]]:
    """Return those who ask alike, each person once in each list, and the others."""
    alike: defaultdict[tuple[str, ...], dict[str, Passage]] = defaultdict(dict)
    single: list[Passage] = []
    for one in asked:
        others = alike[one.channel, one.topic, one.kind, one.basis]
        if one.kind == "transactional" or one.profile in others:
            single.append(one)
        else:
            others[one.profile] = one
    few = [one for others in alike.values() if len(others) < ALIKE for one in others.values()]
    return [list(others.values()) for others in alike.values() if len(others) >= ALIKE], [*single, *few]


def for_each(
    asked: Iterable[Passage], token: str, seconds: float, latest: datetime | None
) -> list[tuple[Filter, Alter]]:
    """Return what grants each what they ask, if they may have it."""
    return [
        (
            {
                "_id": one.profile,
                f"off.{mark(one.address)}": None,
                **({} if one.kind == "transactional" else {"p.r": {"$ne": one.id}}),
                **_said(one, latest),
            },
            _kept(literal(one.id), token, seconds, but=[{"$ne": ["$$p.r", literal(one.id)]}]),
        )
        for one in asked
    ]


def for_all(alike: Sequence[Passage], token: str, seconds: float, latest: datetime | None) -> tuple[Filter, Alter]:
    """Return one change that grants all of them what they ask. Who has any banned address is asked for alone."""
    ids, profiles = [one.id for one in alike], [one.profile for one in alike]
    where = {"_id": {"$in": profiles}, "off": {"$in": [None, {}]}, "p.r": {"$nin": ids}, **_said(alike[0], latest)}
    own = {"$arrayElemAt": [literal(ids), {"$indexOfArray": [literal(profiles), "$_id"]}]}
    return where, _kept(own, token, seconds)


def _said(asked: Passage, latest: datetime | None) -> Filter:
    """Return what holds for whoever asks this: what was said, and no pause.

    What is transactional is rather sent twice than never, so it may begin again, and whatever the clock says.
    """
    pauses = awake(asked.channel, asked.topic) if asked.kind == "marketing" else []
    trusted = even(latest) if asked.kind != "transactional" else []
    return {
        **WHOLE,
        **lawful(asked.channel, asked.topic, asked.basis),
        "$expr": {"$and": [*pauses, *trusted]},
    }


def _kept(id: Any, token: str, seconds: float, *, but: Sequence[Any] = ()) -> Alter:
    kept = {"$filter": {
        "input": {"$ifNull": ["$p", []]},
        "as": "p",
        "cond": {"$and": [{"$gt": ["$$p.e", ago(KEPT_FOR)]}, *but]},
    }}  # fmt: skip
    fresh: Document = {"r": id, "n": literal(token), "e": {"$add": ["$$NOW", round(seconds * 1000)]}}
    return [{"$set": {"p": {"$concatArrays": [kept, [fresh]]}}}]
