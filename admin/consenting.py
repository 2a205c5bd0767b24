"""What somebody else records of a person's word about being written to: an agent with the evidence, a shop's own server.

The same ledger and the same proofs as the person's own page; the source says who wrote it down. A yes needs evidence, a no none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin.choices import channels_of
from admin.desk import Desk
from admin.own_requests import requests_of
from profiles.consent import Change, Proof
from profiles.consents import Consents, Said
from profiles.ids import new_id
from profiles.ledger import Ledger
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.snapshot import Changes, Refusal, Work
from profiles.timeline import Event
from profiles.topics import EVERY, Topic
from profiles.writer import Writer

LONGEST_EVIDENCE = 2_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What was said last of a topic on a channel (`*`: all), whether it is a yes, and its proof."""

    channel: str
    topic: str
    state: Change
    """given, withdrawn, or asked: a yes that waits for its confirmation."""
    at: datetime | None
    proof: Proof | None = None

    @property
    def is_yes(self) -> bool:
        """Whether it lets us write."""
        return self.state == "given"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the panel beside a conversation shows of a person's consents."""

    standings: tuple[Standing, ...]
    said: tuple[Proof, ...]
    """Everything they ever said, newest first."""
    requests: tuple[Mapping[str, Any], ...]
    """What they ask of people, and nobody has done yet."""
    topics: Mapping[str, Topic]
    channels: tuple[str, ...]


def topics_of(desk: Desk) -> Mapping[str, Topic]:
    """Return the topics of the rule book; none where there is no book."""
    return desk.rules.bookcase.book.policy.topics if desk.rules else {}


async def heard_of(desk: Desk, profile: Profile) -> Heard | None:
    """Return what holds for this person, what is wider first, and all that they said; None where nobody asks."""
    if desk.consents is None:
        return None
    proofs = await desk.consents.proofs([profile.id, *profile.absorbed])
    ledger = (await Ledgers(desk.store).read([profile.id]))[profile.id]
    requests = await requests_of(desk.store, profile)
    return Heard(
        standings(ledger, proofs),
        tuple(proofs),
        tuple(requests.values()),
        topics_of(desk),
        channels_of(profile, ledger),
    )


def standings(ledger: Ledger, proofs: Iterable[Proof]) -> tuple[Standing, ...]:
    """Return what holds, each with the last proof of it; what is wider comes first."""
    latest: dict[str, Proof] = {}
    for proof in proofs:  # the newest first
        if proof.change in ("given", "withdrawn", "confirmed", "asked"):
            latest.setdefault(f"{proof.channel}:{proof.topic}", proof)
    found = [
        _standing(name, "given" if said else "withdrawn", ledger.at.get(name), latest.get(name))
        for name, said in ledger.on.items()
    ]
    found += [
        _standing(name, "asked", latest[name].at if name in latest else None, latest.get(name))
        for name in ledger.pending
        if not ledger.on.get(name)
    ]
    return tuple(sorted(found, key=lambda one: (one.topic != EVERY, one.channel != EVERY, one.topic, one.channel)))


async def give(
    consents: Consents, writer: Writer, profile: str, topic: Topic, channel: str, said: Said, *, now: datetime
) -> Proof | Refusal:
    """Keep a yes; one that must be confirmed is told on the timeline, so that a rule sends the link that confirms it."""
    proof = await consents.give(profile, topic, channel, said, now=now)
    if isinstance(proof, Proof) and proof.change == "asked":
        properties = {"channel": channel, "topic": topic.id, "asked": proof.id}
        event = Event(
            new_id(now), profile, "consent.asked", now, by=said.source, source=said.source, properties=properties
        )
        await writer.commit(Work(lambda snapshot: Changes(events=(event,))))
    return proof


def _standing(name: str, state: Change, at: datetime | None, proof: Proof | None) -> Standing:
    channel, _, topic = name.partition(":")
    return Standing(channel, topic, state, at, proof)
