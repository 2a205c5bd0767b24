"""A person says yes, no, not now, or not so often: kept in their ledger at once, and for ever as a row of proof.

A yes is proved first and then holds; a no holds first, is proved, and is acknowledged when no hand-over against it is under way.
A no said to a profile that was merged away holds for the one it became.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from profiles.caps import literal
from profiles.consent import CONFIRM_WITHIN, PROOFS, Change, Proof, may_give, verdict
from profiles.crash import crash_point
from profiles.hours import Hours
from profiles.ids import new_id
from profiles.ledger import (
    COLLECTION,
    LONGEST_WINDOW,
    MOST_OWN_CAPS,
    Document,
    OwnCap,
    key,
    own_document,
    quiet_document,
    wider,
)
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.record import from_document, to_document
from profiles.seals import sealable
from profiles.snapshot import Refusal
from profiles.store import AlreadyThere, Filter, Store
from profiles.topics import EVERY, Topic

MOST_PROOFS = 1_000
_DEEPEST_MERGE = 8


@dataclass(frozen=True, slots=True)
class Said:
    """Where a word of consent came from: what a judge would ask for."""

    source: str
    """preference_centre, one_click, keyword, form, api:<key>, agent:<id>, import ..."""
    language: str = "en"
    ip: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Consents:
    """What people said about being written to, for one database."""

    def __init__(self, store: Store, ledgers: Ledgers, permits: Permits) -> None:
        self._store, self._ledgers, self._permits = store, ledgers, permits

    async def give(self, profile: str, topic: Topic, channel: str, said: Said, *, now: datetime) -> Proof | Refusal:
        """Keep a yes. With double opt-in it counts once `confirm` was called with the id of the proof returned (`asked`).

        Refused: not_sent_here; withdrawn_before, when an import brings a yes to what the person refused.
        """
        name = key(channel, topic.id)
        ledger = (await self._ledgers.read([profile]))[profile]
        if ledger.into:
            return await self.give(ledger.into, topic, channel, said, now=now)
        if refusal := may_give(ledger, topic, channel, said.source):
            return refusal
        if topic.double_opt_in and verdict(ledger, channel, topic.id, "given"):
            proof = await self._prove(profile, "asked", channel, topic.id, said, now, topic)
            waiting = {"id": proof.id, "until": now + CONFIRM_WITHIN}
            await self._change(profile, [{"$set": {f"ask.{name}": literal(waiting)}}])
            return proof
        proof = await self._prove(profile, "given", channel, topic.id, said, now, topic)
        crash_point("yes.proved")
        unless = (
            {}
            if said.source != "import"
            else {f"on.{one}": {"$ne": False} for one in (name, *wider(channel, topic.id))}
        )
        if not await self._yes(profile, channel, topic.id, unless):
            return Refusal("withdrawn_before", name)
        return proof

    async def confirm(
        self, profile: str, channel: str, topic: str, asked: str, said: Said, *, now: datetime
    ) -> Proof | Refusal:
        """Keep the yes that waited under this id. Refused: nothing_to_confirm (unknown, used, refused since, or too old)."""
        name = key(channel, topic)
        ledger = (await self._ledgers.read([profile]))[profile]
        if ledger.into:
            return await self.confirm(ledger.into, channel, topic, asked, said, now=now)
        waiting = ledger.pending.get(name)
        if waiting is None or waiting.id != asked or waiting.until <= now:
            return Refusal("nothing_to_confirm", name)
        said = Said(said.source, said.language, said.ip, {**said.evidence, "asked": asked})
        proof = await self._prove(profile, "confirmed", channel, topic, said, now)
        if not await self._yes(profile, channel, topic, {f"ask.{name}.id": {"$eq": asked}}):
            return Refusal("nothing_to_confirm", name)
        return proof

    async def withdraw(
        self, profile: str, channel: str, topic: str, said: Said, *, now: datetime, shown: Topic | None = None
    ) -> Proof:
        """Keep a no to a topic on a channel; `*` in either place means all of them, also those to come.

        Returns when it is proved and no hand-over to this person is under way: nothing is sent against it afterwards.
        `shown` is the topic whose wording they had before them.
        """
        name = key(channel, topic)
        forgotten = ["ask"] if EVERY in (channel, topic) else [f"ask.{name}"]
        change: list[Filter] = [
            {"$set": {f"on.{name}": False, f"at.{name}": "$$NOW"}},
            {"$unset": [*forgotten, f"from.{name}"]},
        ]  # fmt: skip
        document = await self._change_wherever(profile, change)
        crash_point("no.kept")
        proof = await self._prove(document["_id"], "withdrawn", channel, topic, said, now, shown)
        crash_point("no.proved")
        await self._drain(document)
        return proof

    async def acknowledged(self, profile: str) -> None:
        """Return when no hand-over to this person is under way: a no that they said before may be answered now."""
        found = await self._store.get(COLLECTION, profile)
        if found:
            await self._drain(found)

    async def restore(self, profile: str, channel: str, said: Said, *, now: datetime) -> Proof:
        """Take back a no to a whole channel (START after STOP): what was said before it stands again."""
        name = key(channel, EVERY)
        document = await self._change_wherever(profile, [{"$unset": [f"on.{name}", f"at.{name}"]}])
        return await self._prove(document["_id"], "restored", channel, EVERY, said, now)

    async def pause(
        self, profile: str, channel: str, topic: str, until: datetime | None, said: Said, *, now: datetime
    ) -> Proof:
        """Keep that the person wants to hear nothing until then; None ends the pause."""
        name = key(channel, topic)
        change: Filter = {"$unset": f"mute.{name}"} if until is None else {"$set": {f"mute.{name}": literal(until)}}
        document = await self._change_wherever(profile, [change])
        evidence = {**said.evidence, "until": until} if until else said.evidence
        said = Said(said.source, said.language, said.ip, evidence)
        return await self._prove(document["_id"], "paused" if until else "resumed", channel, topic, said, now)

    async def limit(
        self, profile: str, own: Sequence[OwnCap], quiet: Sequence[Hours], said: Said, *, now: datetime
    ) -> Proof | Refusal:
        """Keep how often at most, and when not, the person wants to be written to. Refused: bad_limit."""
        if problem := _bad_limit(own, quiet):
            return Refusal("bad_limit", problem)
        caps, hours = own_document(own), quiet_document(quiet)
        change: Filter = {"$set": {"own": literal(caps), "quiet": literal(hours)}}
        document = await self._change_wherever(profile, [change])
        said = Said(said.source, said.language, said.ip, {**said.evidence, "at_most": caps, "quiet": hours})
        return await self._prove(document["_id"], "limited", EVERY, EVERY, said, now)

    async def proofs(self, profiles: Iterable[str]) -> list[Proof]:
        """Return what these profiles (a person's and those it absorbed) said, newest first, at most 1,000."""
        found = await self._store.find(
            PROOFS, {"profile": {"$in": list(profiles)}}, sort=[("at", -1), ("_id", -1)], limit=MOST_PROOFS
        )
        return [from_document(Proof, document) for document in found]

    async def _yes(self, profile: str, channel: str, topic: str, where: Filter) -> bool:
        """Set the yes, a moment later than every wider no: of two words in one millisecond the later one holds."""
        name = key(channel, topic)
        later = {"$max": ["$$NOW", *({"$add": [f"$at.{wide}", 1]} for wide in wider(channel, topic))]}
        change: list[Filter] = [
            {"$set": {f"on.{name}": True, f"at.{name}": later}},
            {"$unset": [f"ask.{name}", f"from.{name}"]},
        ]
        if where:
            await self._ledgers.make([profile])
            return await self._store.change(COLLECTION, {"_id": {"$eq": profile}, **where}, change) is not None
        return bool(await self._change(profile, change))

    async def _drain(self, document: Document) -> None:
        """Wait for the hand-overs under way, those to the profiles that were merged into this one too."""
        live = [permit["r"] for permit in document.get("p", ())]
        found = await self._store.get("profiles", document["_id"])
        absorbed = found.get("absorbed", ()) if found else ()
        await asyncio.gather(
            self._permits.drained(document["_id"], live), *(self._permits.drained(other) for other in absorbed)
        )

    async def _change_wherever(self, profile: str, change: Sequence[Filter]) -> Document:
        """Change the ledger, and that of whoever the profile was merged into; return the last."""
        document = await self._change(profile, change)
        for _ in range(_DEEPEST_MERGE):
            if not document.get("into"):
                break
            document = await self._change(document["into"], change)
        return document

    async def _change(self, profile: str, change: Sequence[Filter]) -> Document:
        try:
            document = await self._store.change(COLLECTION, {"_id": {"$eq": profile}}, change, upsert=True)
        except AlreadyThere:  # two made it at once: now it is there
            document = await self._store.change(COLLECTION, {"_id": {"$eq": profile}}, change)
        assert document is not None
        return document

    async def _prove(
        self,
        profile: str,
        change: Change,
        channel: str,
        topic: str,
        said: Said,
        now: datetime,
        shown: Topic | None = None,
    ) -> Proof:
        proof = Proof(
            id=new_id(now),
            profile=profile,
            change=change,
            channel=channel,
            topic=topic,
            at=now,
            source=said.source,
            version=shown.version if shown else "",
            wording=shown.wording(said.language) if shown else "",
            ip=said.ip,
            evidence=dict(said.evidence),
        )
        await self._store.insert(PROOFS, sealable(to_document(proof)))
        return proof


def _bad_limit(own: Sequence[OwnCap], quiet: Sequence[Hours]) -> str | None:
    if len(own) > MOST_OWN_CAPS or len(quiet) > MOST_OWN_CAPS:
        return f"expected at most {MOST_OWN_CAPS} of each"
    for cap in own:
        key(cap.channel, cap.topic)
        if cap.at_most < 0 or not timedelta(0) < cap.within <= LONGEST_WINDOW:
            return (
                f"expected 0 or more within at most {LONGEST_WINDOW.days} days, got {cap.at_most} within {cap.within}"
            )
    return None
