"""The passes of everybody as they are remembered: what is wished for is kept, what a device asks is answered.

Collections: `passes` (one row per person and card), `wallet_devices` (which pass is on which device), `wallet_tags` (one row: how
many changes there were). All of it is written by the one writer.
"""

import logging
from collections.abc import Sequence
from typing import Any, Literal

from channels.wallet_face import Face, Unshown, face_of
from channels.wallet_keeping import ALL, DEVICES, TAG_KEY, TAGS, added, device_id, kept, removed, saved
from profiles.calendar import Clock
from profiles.passes import PASSES, Card, Cards, Kept, Pass, Wish, serial_of
from profiles.profile import Profile
from profiles.record import from_document, replace
from profiles.snapshot import Done, Outcome, Refusal, Work
from profiles.store import Store
from profiles.writer import Writer

log = logging.getLogger("channels.wallet")

Registered = Literal["new", "known", "unknown_pass", "too_many"]


class Passes:
    """The passes, through the writer and the database."""

    def __init__(self, writer: Writer, store: Store, cards: Cards, *, secret: bytes, clock: Clock) -> None:
        self.cards = cards
        self._writer, self._store, self._secret, self._clock = writer, store, secret, clock

    async def keep(self, wish: Wish) -> Kept:
        """Make or change a person's pass as it is wished for; on disk when this returns. Raises Unavailable."""
        card = self.cards.known.get(wish.card)
        if card is None:
            return "no_card"
        profile = await self._profile(wish.profile)
        if profile is None:
            return "nobody"
        wish = replace(wish, profile=profile.id)
        serials = [serial_of(self._secret, id, card.id) for id in (profile.id, *profile.absorbed)]
        language, zone = self.cards.language, self.cards.zone
        work = Work(
            lambda snapshot: kept(snapshot, wish, card, serials, language=language, zone=zone),
            profiles=(profile.id,),
            records=(TAG_KEY, *((PASSES, serial) for serial in serials)),
        )
        outcome = await self._commit(profile.id, work)
        if isinstance(outcome, Refusal):
            log.warning("wallet.pass unkept card=%s reason=%s detail=%s", card.id, outcome.reason, outcome.detail)
            return "nobody" if outcome.reason == "nobody" else "unshown"
        return "changed" if isinstance(outcome, Done) and outcome.changes.answer == "changed" else "same"

    async def register(self, held: Pass, device: str, push_token: str) -> Registered:
        """Note that this pass is on this device. Raises Unavailable."""
        outcome = await self._commit(
            held.profile, self._work(held, device, lambda snapshot: added(snapshot, held.id, device, push_token))
        )
        if isinstance(outcome, Refusal):
            return "too_many" if outcome.reason == "too_many" else "unknown_pass"
        return "new" if isinstance(outcome, Done) and outcome.changes.answer == "new" else "known"

    async def unregister(self, held: Pass, device: str) -> None:
        """Note that this pass is no longer on this device; not there is fine. Raises Unavailable."""
        work = self._work(held, device, lambda snapshot: removed(snapshot, held.id, device))
        await self._commit(held.profile, work)

    async def note_saved(self, held: Pass, is_saved: bool) -> None:
        """Note whether Google says that somebody has it. Raises Unavailable."""
        if held.saved != is_saved:
            work = self._work(held, "", lambda snapshot: saved(snapshot, held.id, is_saved))
            await self._commit(held.profile, work)

    async def get(self, serial: str) -> Pass | None:
        """Return a pass."""
        found = await self._store.get(PASSES, serial)
        return from_document(Pass, found) if found else None

    async def of(self, profile: Profile) -> list[Pass]:
        """Return the passes of this person and of those who became this person, the newest first."""
        ids = [profile.id, *profile.absorbed]
        rows = await self._store.find(PASSES, {"profile": {"$in": ids}}, sort=[("made_at", -1)], limit=100)
        return [from_document(Pass, row) for row in rows]

    async def offered(self, profile: Profile) -> list[tuple[Pass, Card, Face]]:
        """Return what this person can put into their phone: their passes, and of loyalty cards also the one they lack."""
        passes = [held for held in await self.of(profile) if held.state == "active"]
        have = {held.card for held in passes}
        for card in self.cards.known.values():
            if card.kind == "loyalty" and card.id not in have:
                passes.append(self._new(profile, card))
        shown = [(held, await self.face(held)) for held in passes]
        return [(held, *found) for held, found in shown if not isinstance(found, Unshown)]

    def _new(self, profile: Profile, card: Card) -> Pass:
        """Return the pass that this person would get: kept nowhere yet."""
        now = self._clock()
        serial = serial_of(self._secret, profile.id, card.id)
        return Pass(serial, profile.id, card.id, now, now, 0, profile.language or self.cards.language)

    async def devices(self, serial: str) -> list[dict[str, Any]]:
        """Return the rows of the devices that this pass is on."""
        return await self._store.find(DEVICES, {"serial": {"$eq": serial}}, sort=[("_id", 1)], limit=100)

    async def changed_since(self, device: str, tag: int) -> tuple[list[str], int]:
        """Return the serials on this device that changed after this tag, and the tag to ask from next time.

        The highest tag of all is read first: what it counts is committed, so the passes read after it have it.
        """
        latest = int((await self._store.get(TAGS, ALL) or {}).get("tag", 0))
        rows = await self._store.find(DEVICES, {"device": {"$eq": device}}, sort=[("_id", 1)], limit=1_000)
        serials = [row["serial"] for row in rows]
        where = {"_id": {"$in": serials}, "tag": {"$gt": tag}}
        changed = await self._store.find(PASSES, where, sort=[("tag", 1)], limit=1_000) if serials else []
        return [str(row["_id"]) for row in changed], latest

    async def face(self, held: Pass) -> tuple[Card, Face] | Unshown:
        """Return what a pass shows now."""
        card, profile = self.cards.known.get(held.card), await self._profile(held.profile)
        if card is None or profile is None:
            return Unshown(held.card, "no such card" if card is None else "no such person")
        shown = face_of(card, profile, held, now=self._clock(), zone=self.cards.zone)
        return shown if isinstance(shown, Unshown) else (card, shown)

    def _work(self, held: Pass, device: str, think: Any) -> Work:
        rows: Sequence[tuple[str, str]] = ((PASSES, held.id), (DEVICES, device_id(device, held.id)))
        return Work(think, profiles=(held.profile,), identities=(f"wallet:{held.id}",), records=tuple(rows))

    async def _commit(self, profile: str, work: Work) -> Outcome:
        # a pass is built of what is read, not written: a profile that another process changed must not be remembered here
        self._writer.recent.forget_one("profiles", profile)
        return await self._writer.commit(work)

    async def _profile(self, id: str) -> Profile | None:
        while document := await self._store.get("profiles", id):
            profile = from_document(Profile, document)
            if not profile.merged_into:
                return profile
            id = profile.merged_into
        return None
