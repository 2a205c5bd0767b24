"""Carries out what was begun to be erased: in small batches, by any process, from wherever the last one came to.

1. What still waits to be sent is called off, and what is being sent is waited for (at most as long as a lease).
2. All rows of the person are removed or redacted, batch by batch (admin/erasing_rows.py).
3. One transaction takes the profile, its conversations, ledgers and addresses, only if nothing was added since they were read;
   else 2 again. From then on the addresses are known as keyed hashes alone.
4. Five minutes later it is looked once more for what another process may have written from memory, and the ledger, whose bans
   held until then, goes.

A crash at any point leaves the row in `erasing`, and whoever finds it goes on.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from admin.agents import audit_row
from admin.erasing_rows import Person, sweep
from admin.erasure import ERASING, HELD_FOR
from profiles.calendar import Clock
from profiles.erased import PREFIX, Hashes
from profiles.every import Every
from profiles.ledger import COLLECTION as LEDGERS
from profiles.live import Feed
from profiles.neighbours import RING
from profiles.snapshot import Changes
from profiles.store import Document, Interrupted, Plan, Stale, Store, Unavailable, Update
from profiles.writer import Writer

log = logging.getLogger("admin.erasing")

LOOK_SECONDS = 10.0
ASK_AGAIN = timedelta(seconds=1)
ROUNDS = 10  # who writes faster than they are erased waits for a second, and others have their turn
LOOK_BACK_AFTER = timedelta(minutes=5)  # longer than anything waits in memory to be sent
_SAID = ("on", "at", "ask", "mute", "own", "quiet", "from")
"""What a ledger tells of a person. Their bans stay until it is looked back: a hand-over may still ask."""
DONE = "erasure.done"
"""The hint that these profiles are gone: pages leave them or load afresh, and no process remembers them."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the last transaction takes, as it was read."""

    profile: Document
    threads: tuple[Document, ...]
    claims: tuple[str, ...]


class Erasing:
    """One per process, from `start` to `close`. Each erasure is carried out by one of them."""

    def __init__(
        self, store: Store, writer: Writer, feed: Feed, hashes: Hashes, *, clock: Clock,
        look_back_after: timedelta = LOOK_BACK_AFTER,
    ) -> None:  # fmt: skip
        self._store, self._writer, self._feed, self._hashes, self._clock = store, writer, feed, hashes, clock
        self._look_back_after = look_back_after
        self._looking, self._is_running = Every(LOOK_SECONDS, self.look, name="erasing"), False
        feed.hints.on(DONE, self._hear)
        writer.listen(self.note)

    async def start(self) -> None:
        """Begin to look for what is to be erased."""
        self._is_running = True
        await self._looking.start()

    async def close(self) -> None:
        """Stop, also in the middle of an erasure: the next process goes on. Not begun, or stopped before, is fine."""
        was_running, self._is_running = self._is_running, False
        await self._looking.close()
        if was_running:
            with suppress(Unavailable):
                await self.bury(self._writer.process)

    def note(self, committed: list[Changes]) -> None:
        """Wake up when an erasure was begun here. A listener of the writer."""
        if any(write.collection == ERASING for changes in committed for write in changes.writes):
            self._looking.hurry()

    async def bury(self, process: str) -> None:
        """Let others go on with what a process held that is dead."""
        await self._store.change_many(ERASING, {"held_by": process}, {"$set": {"due_at": self._clock(), "held_by": ""}})

    async def take_over(self) -> None:
        """Let all that is not over be due now, whoever holds it: after a restore nobody does."""
        await self._store.change_many(ERASING, {"is_gone": None}, {"$set": {"due_at": self._clock(), "held_by": ""}})

    async def look(self) -> int:
        """Carry out all that is due and return how many erasures were worked on."""
        worked = 0
        while row := await self._claim():
            try:
                await self._go_on(row)
            except Exception:
                with suppress(Unavailable):  # held by us it is claimed again, as soon as there is a database
                    await self._put_off(row)
                raise
            worked += 1
        return worked

    async def _claim(self) -> Document | None:
        """Return an erasure that is due, or that this process had when something went wrong: it works on one at a time."""
        now = self._clock()
        held = {"$set": {"due_at": now + HELD_FOR, "held_by": self._writer.process}}
        free = {"$or": [{"due_at": {"$lte": now}}, {"held_by": self._writer.process}]}
        return await self._store.change(ERASING, free, held)

    async def _put_off(self, row: Document) -> None:
        later = {"$set": {"due_at": self._clock() + ASK_AGAIN, "held_by": ""}}
        await self._store.change(ERASING, {"_id": row["_id"]}, later)
        asyncio.get_running_loop().call_later(ASK_AGAIN.total_seconds(), self._looking.hurry)

    async def _go_on(self, row: Document) -> None:
        if row.get("is_gone"):
            await self._look_back(row)
        elif await self._is_quiet(row):
            await self._erase(row)
        else:
            await self._put_off(row)

    async def _is_quiet(self, row: Document) -> bool:
        """Call off what waits to be sent, and return whether nothing is being sent."""
        theirs = {"profile": {"$in": row["whose"]}, "delivery.lease_until": {"$exists": True}}
        nobodys = {"$or": [{"delivery.leased_by": None}, {"delivery.lease_until": {"$lte": self._clock()}}]}
        called_off = {"delivery.state": "suppressed", "delivery.reason": "erased"}
        drop = {"delivery.lease_until": "", "delivery.leased_by": ""}
        await self._store.change_many("messages", {**theirs, **nobodys}, {"$set": called_off, "$unset": drop})
        return not await self._store.count("messages", theirs, at_most=1)

    async def _erase(self, row: Document) -> None:
        for _ in range(ROUNDS):
            if not await self._is_ours(row):
                return  # we were too slow, and another process took it over
            known = await self._known(row)
            person = self._person(row, known)
            try:
                await sweep(self._store, person, self._clock)
                await self._store.commit(await self._farewell(row, person, known))
                break
            except (Stale, Interrupted):  # they wrote, or somebody wrote to them, since it was read
                log.info("erasing.again erasure=%s", row["erasure"])
        else:
            await self._put_off(row)
            return
        log.info("erasing.done erasure=%s", row["erasure"])
        self._forget(person)
        self._feed.hints.tell(DONE, list(person.whose))
        self._feed.hints.take(self._writer.process, DONE, list(person.whose))

    async def _is_ours(self, row: Document) -> bool:
        held = {"_id": row["_id"], "held_by": self._writer.process, "is_gone": None}
        return await self._store.count(ERASING, held, at_most=1) > 0

    async def _known(self, row: Document) -> _Known:
        profile = await self._store.get("profiles", row["_id"])
        of_them = {"profile": {"$in": row["whose"]}}
        threads = await self._store.find("conversations", of_them, only=["version"])
        claims = await self._store.find("identities", of_them, only=["_id"])
        return _Known(profile or {}, tuple(threads), tuple(str(claim["_id"]) for claim in claims))

    def _person(self, row: Document, known: _Known) -> Person:
        said = {f"{one['channel']}:{one['address']}" for one in known.profile.get("identities", ())}
        held = {claim for claim in known.claims if not claim.startswith(("?", PREFIX))}
        return Person(
            id=str(row["_id"]),
            erasure=str(row["erasure"]),
            name=self._hashes.profile(str(row["_id"])),
            whose=tuple(row["whose"]),
            keys=tuple(sorted(said | held)),
            threads=tuple(str(thread["_id"]) for thread in known.threads),
        )

    async def _farewell(self, row: Document, person: Person, known: _Known) -> Plan:
        """Return the transaction after which this person is not in the database any more."""
        plan, now = Plan(), self._clock()
        if known.profile:
            plan.update("profiles", Update(person.id, int(known.profile["version"])))
        for thread in known.threads:
            plan.update("conversations", Update(str(thread["_id"]), int(thread["version"])))
            plan.delete("conversations", str(thread["_id"]))
        for id in person.whose:
            plan.delete("profiles", id)
            plan.update(LEDGERS, Update(id, None, {"h": []}, dict.fromkeys(_SAID, ""), upsert=True))
        for claim in known.claims:
            plan.delete("identities", claim)
        for mark in self._hashes.addresses(person.keys):
            plan.update("identities", Update(mark, None, {"profile": "", "at": now}, upsert=True, first={"since": now}))
        counted = await self._store.get(ERASING, person.id) or {}
        details = {"erased": dict(counted.get("counts", {}))}
        about = f"erasure:{person.erasure}"
        by = str(row["by"]).removeprefix("agent:")
        plan.insert("audit", audit_row("profile.erased", by=by, about=about, at=now, **details))
        gone = {"is_gone": True, "due_at": now + self._look_back_after, "held_by": ""}
        plan.update(ERASING, Update(person.id, None, gone))
        return plan

    async def _look_back(self, row: Document) -> None:
        """Remove what another process wrote from memory while the last transaction was under way; and its bulletins."""
        person = self._person(row, await self._known(row))
        await sweep(self._store, person, self._clock)
        of_them = {"profile": {"$in": list(person.whose)}}
        for collection in ("conversations", "identities"):
            await self._store.remove(collection, of_them)
        for collection in ("profiles", LEDGERS):
            await self._store.remove(collection, {"_id": {"$in": list(person.whose)}})
        await self._store.remove(RING, {})  # names of conversations; whoever misses a bulletin sees the gap, and reads
        await self._store.remove(ERASING, {"_id": person.id})

    def _forget(self, person: Person) -> None:
        recent = self._writer.recent
        for collection, ids in (
            ("profiles", person.whose), ("conversations", person.threads), ("identities", person.keys),
        ):  # fmt: skip
            for id in ids:
                recent.forget_one(collection, id)

    def _hear(self, process: str, value: object) -> None:
        if value and process != self._writer.process:
            self._writer.recent.forget_all()
