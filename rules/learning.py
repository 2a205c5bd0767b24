"""Learns how contacts react: whoever reacted is learned anew, soon after, from all that rules sent and what came back.

Nothing is counted up, so nothing drifts: a merge, a late receipt, a lost second are right again at the next reaction. A profile
is written only when its person reacts, and many at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice

from profiles.calendar import Clock
from profiles.profile import Profile
from profiles.reactivity import LOOKS_BACK, WEIGHTS, Trial, learn
from profiles.record import Document, from_document, replace
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store, Unavailable
from profiles.writer import Writer
from rules.reading import zone_of

AT_ONCE = 200
"""Contacts learned together: two queries for all of them."""
BATCHES = 5
"""In one look: a campaign that many open at once is learned over some time, beside the work that people wait for."""
DEEPEST_MERGE = 10
MOST = 10_000  # messages of one batch; who got more is learned from the newest


class Learning:
    """`hear` is a listener of the writer; `look` learns whoever reacted since the last time."""

    def __init__(self, store: Store, writer: Writer, *, zone: tzinfo, clock: Clock) -> None:
        self._store, self._writer, self._zone, self._clock = store, writer, zone, clock
        self._reacted: dict[str, None] = {}

    def hear(self, committed: list[Changes]) -> None:
        """Note who reacted."""
        for changes in committed:
            for event in changes.events:
                if event.name in WEIGHTS:
                    self._reacted[event.profile] = None

    async def look(self) -> int:
        """Learn those who reacted, as many as a look takes, and return how many."""
        learned = 0
        for _ in range(BATCHES):
            if not (ids := list(islice(self._reacted, AT_ONCE))):
                break
            await self._learn(ids)
            learned += len(ids)
        return learned

    async def _learn(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._reacted.pop(id, None)  # whoever reacts from now on is learned again
        try:
            await self._commit(ids)
        except Unavailable:
            self._reacted |= dict.fromkeys(ids)
            raise

    async def _commit(self, ids: Sequence[str]) -> None:
        profiles = await self._profiles(ids)
        now = self._clock()
        trials = await self._trials(profiles, now)
        works = [_learned(profile, trials[profile.id], self._zone, now) for profile in profiles if trials[profile.id]]
        await asyncio.gather(*(self._writer.commit(work, patient=True) for work in works))

    async def _profiles(self, ids: Iterable[str]) -> list[Profile]:
        """Return these contacts, merged ones as who they are now."""
        kept: dict[str, Profile] = {}
        for _ in range(DEEPEST_MERGE):
            found = [from_document(Profile, row) for row in await self._store.get_many("profiles", ids)]
            kept |= {profile.id: profile for profile in found if not profile.merged_into}
            ids = {one.merged_into for one in found if one.merged_into} - kept.keys()
            if not ids:
                break
        return list(kept.values())

    async def _trials(self, profiles: Iterable[Profile], now: datetime) -> Mapping[str, list[Trial]]:
        """Return what rules sent to each, with what came back; a merged contact's stand under who they are now."""
        owner = {id: profile.id for profile in profiles for id in (profile.id, *profile.absorbed)}
        since, theirs = now - LOOKS_BACK, {"profile": {"$in": list(owner)}}
        messages, events = await asyncio.gather(
            self._store.find(
                "messages",
                {**theirs, "at": {"$gte": since}, "metadata.rule": {"$exists": True}},
                sort=[("at", -1)], limit=MOST, only=["profile", "at", "channel", "delivery.to", "delivery.state"],
            ),
            self._store.find(
                "events",
                {**theirs, "name": {"$in": list(WEIGHTS)}, "happened_at": {"$gte": since}},
                sort=[("happened_at", -1)], limit=MOST * 2, only=["name", "happened_at", "properties.message"],
            ),
        )  # fmt: skip
        back: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        for event in events:  # the newest first: the oldest of a name stays
            back[str(event["properties"].get("message", ""))][event["name"]] = event["happened_at"]
        trials: defaultdict[str, list[Trial]] = defaultdict(list)
        for message in messages:
            if _has_left(message):
                space = str(message["delivery"]["to"]).partition(":")[0]
                trials[owner[message["profile"]]].append(Trial(space, message["at"], back.get(message["_id"], {})))
        return trials


def _has_left(message: Document) -> bool:
    """Return whether the contact may have seen it: what failed or was stopped says nothing about them."""
    return bool(message.get("delivery", {}).get("to")) and message["delivery"].get("state") not in (
        "failed",
        "suppressed",
    )


def _learned(profile: Profile, trials: Iterable[Trial], zone: tzinfo, now: datetime) -> Work:
    known = learn(trials, zone_of(profile, zone), now)

    def think(snapshot: Snapshot) -> Changes:
        stands = snapshot.profile(profile.id)
        return Changes(profiles=(replace(stands, reactivity=known),)) if stands else Changes()

    return Work(think, profiles=(profile.id,))
