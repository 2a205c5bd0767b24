"""Telling the wallets: every pass that changed is told to Apple's devices and to Google, until both know.

A row is claimed by moving its instant ahead, so a crash between the commit and the push costs a minute, and the push comes
twice at worst: it says nothing but "ask me". What was told is unset only if the pass did not change meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from channels.channel import Failed, Later, Sending, Sent
from channels.wallet_face import Unshown
from channels.wallet_google import Seller, class_of, message_of, object_of
from channels.wallet_google_client import GoogleWallet, Trouble
from channels.wallet_passes import Passes
from profiles.calendar import Clock
from profiles.every import Every
from profiles.passes import PASSES, Pass
from profiles.record import Document, from_document
from profiles.store import Store

log = logging.getLogger("channels.wallet")

LOOK_SECONDS = 0.5
AT_ONCE = 50
HELD_FOR = timedelta(seconds=60)  # longer than an attempt: whoever claimed it is gone
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
NOTIFYING = 3
"""Google notifies of so many messages a pass and day; what comes beyond is added in silence."""
ELSEWHERE = "DeviceTokenNotForTopic"
"""Apple's word for a token that is no wallet's: whoever has a pass may register any. A wrong certificate is `TopicDisallowed`."""
DAY = timedelta(days=1)
ASKED_AGAIN_IN = timedelta(minutes=2)
"""After a save link was given, or Google told of saving or deleting, it is asked so much later what is true."""
Push = Callable[[str], Awaitable[Sending]]
"""Tells the device of this push token that there is something new."""


@dataclass(frozen=True, slots=True)
class GoogleSide:
    """What telling Google needs."""

    wallet: GoogleWallet
    seller: Seller


class Post:
    """Carries news of passes to the wallets, from `start` to `close`."""

    def __init__(
        self, store: Store, passes: Passes, *, push: Push | None, google: GoogleSide | None, clock: Clock
    ) -> None:
        self._store, self._passes, self._clock = store, passes, clock
        self._push, self._google = push, google
        self._looking = Every(LOOK_SECONDS, self.look, name="wallet")

    async def start(self) -> None:
        """Begin to look for passes that changed."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop; what is under way is done again by the next process."""
        await self._looking.close()

    async def look(self) -> int:
        """Tell of all that is due, and return how many passes that were."""
        told = 0
        if not self._passes.cards.known:
            return told  # the book has not been read yet
        while claimed := await self._claim():
            await asyncio.gather(*(self._tell(row) for row in claimed))
            told += len(claimed)
        return told

    async def put_on_google(self, held: Pass) -> Trouble | None:
        """Let Google have this pass, so that it can be saved by its id. Raises Unavailable."""
        trouble = await self._to_google(held)
        if trouble is None:
            await self._store.change(PASSES, {"_id": held.id}, {"$set": {"is_google": True}})
            await self.ask_again(held)
        return trouble

    async def ask_again(self, held: Pass) -> None:
        """Let Google be asked soon whether somebody has this pass. Raises Unavailable."""
        soon = {"$set": {"due_at": self._clock() + ASKED_AGAIN_IN}}
        await self._store.change(PASSES, {"_id": held.id, "due_at": {"$exists": False}}, soon)

    async def _claim(self) -> list[Document]:
        now = self._clock()
        found = await self._store.find(PASSES, {"due_at": {"$lte": now}}, sort=[("due_at", 1)], limit=AT_ONCE)
        ours = await asyncio.gather(
            *(
                self._store.change(
                    PASSES,
                    {"_id": row["_id"], "due_at": row["due_at"]},
                    {"$set": {"due_at": now + HELD_FOR}, "$inc": {"attempts": 1}},
                )
                for row in found
            )
        )
        return [row for row in ours if row]

    async def _tell(self, row: Document) -> None:
        held = from_document(Pass, row)
        wrong, google = await asyncio.gather(self._to_devices(held), self._told_google(held))
        now, trouble = self._clock(), google or wrong
        asked = max((one.seconds for one in (wrong, google) if one), default=0.0)
        mine = {"_id": held.id, "due_at": row["due_at"]}
        if trouble is None or now - held.changed_at > GIVE_UP_AFTER:
            if trouble:
                log.error("wallet.pass untold pass=%s reason=%s", held.id, trouble.detail)
            done = {"$unset": {"due_at": "", "attempts": "", **({} if trouble else {"trouble": ""})}}
            await self._store.change(PASSES, mine, done)
            return
        log.warning("wallet.pass later pass=%s attempt=%d reason=%s", held.id, held.attempts, trouble.detail)
        pause = min(max(FIRST_PAUSE * 2 ** min(held.attempts - 1, 12), timedelta(seconds=asked)), LONGEST_PAUSE)
        await self._store.change(PASSES, mine, {"$set": {"due_at": now + pause, "trouble": trouble.detail}})

    async def _to_devices(self, held: Pass) -> Trouble | None:
        """Push to every device; a token that Apple knows to be dead takes the pass off its device. Return what went wrong."""
        if self._push is None or not held.devices:
            return None
        rows = await self._passes.devices(held.id)
        answers = await asyncio.gather(*(self._push(str(row["push_token"])) for row in rows))
        trouble: Trouble | None = None
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, Failed) and (answer.reason == "dead" or ELSEWHERE in answer.detail):
                log.info("wallet.device dropped pass=%s reason=%s", held.id, answer.detail)
                await self._passes.unregister(held, str(row["device"]))
            elif not isinstance(answer, Sent):
                wait = answer.seconds if isinstance(answer, Later) else 0.0
                longest = max(wait, trouble.seconds if trouble else 0.0)
                trouble = Trouble("later", f"apple: {getattr(answer, 'detail', '')}"[:200], longest)
        return trouble

    async def _told_google(self, held: Pass) -> Trouble | None:
        if self._google is None or not held.is_google:
            return None
        trouble = await self._to_google(held)
        if trouble is None and held.message and held.message_id != held.told:
            trouble = await self._message(held)
        return replace(trouble, detail=f"google: {trouble.detail}"[:200]) if trouble else None

    async def _to_google(self, held: Pass) -> Trouble | None:
        shown = await self._passes.face(held)
        if isinstance(shown, Unshown):
            return Trouble("content", f"{shown.field}: {shown.problem}")
        if self._google is None:
            return Trouble("config", "no issuer")
        card, face = shown
        wallet, seller = self._google.wallet, self._google.seller
        if trouble := await wallet.put_class(card.kind, class_of(card, seller, self._passes.cards.language)):
            return trouble
        has_users = await wallet.put_object(card.kind, object_of(face, card, seller))
        if isinstance(has_users, Trouble):
            return has_users
        await self._passes.note_saved(held, has_users)
        return None

    async def _message(self, held: Pass) -> Trouble | None:
        """Tell Google of the latest message: with a notification while it allows one, else in silence."""
        shown = await self._passes.face(held)
        if isinstance(shown, Unshown) or self._google is None:
            return None
        card, face = shown
        id = f"{self._google.seller.issuer}.{held.id}"
        now = self._clock()
        recent = [at for at in held.notified if now - at < DAY]
        for notifies in (True, False) if len(recent) < NOTIFYING else (False,):
            told = message_of(face, held.message, held.message_id, notifies=notifies)
            trouble = await self._google.wallet.add_message(card.kind, id, told)
            if trouble is None:
                put = {"told": held.message_id, "notified": [*recent, now] if notifies else recent}
                await self._store.change(PASSES, {"_id": held.id}, {"$set": put})
                return None
            if trouble.kind != "quota":
                return trouble
        return trouble
