"""Mail in by IMAP: a mailbox looked at again and again, from where it was left, so that a restart neither loses nor doubles.

How far it was read is kept in the collection `imap`: the folder's numbering (UIDVALIDITY) and the last number (UID). When a server
has renumbered its folder, the last days are read again, and what is known already is known by its Message-ID. The first look of all
begins with the mail that comes after it. Of several processes one reads.

A server that offers IDLE tells of what comes at once, and is asked again every two minutes all the same: a connection may die in
silence. Without it, and after any trouble, the mailbox is looked at every so many seconds.
"""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from channels.channel import Door
from channels.email_incoming import Incoming
from channels.email_mailbox import Folder, Mailbox, Unreachable
from channels.email_options import Options
from channels.email_reading import Unreadable
from channels.webchat_limits import Bucket
from profiles.every import Every
from profiles.store import AlreadyThere, Unavailable

log = logging.getLogger("channels.email")

COLLECTION = "imap"
HELD_FOR = timedelta(minutes=3)  # longer than the largest mail takes; who reads says so again with each batch
BATCH = 20  # mails after which it is remembered how far we are
IDLE_SECONDS = 120.0  # at most without a look: shorter than HELD_FOR, and than routers remember a silent connection
WOKEN_PER_SECOND, WOKEN_AT_ONCE = 0.5, 20.0
"""How often a server may tell of something: one that always has something to tell is looked at every so many seconds instead."""
AGAIN = timedelta(days=3)  # what is read again after a renumbering, before the last look
ATTEMPTS = 5  # at a mail that breaks us; then it is passed over, or it would hold up all others


class Imap:
    """Reads one mailbox from `start` to `close`."""

    def __init__(self, options: Options, door: Door, incoming: Incoming) -> None:
        self._options, self._door, self._incoming = options, door, incoming
        self._id = f"{options.imap_user}@{options.imap_host}:{options.imap_port}/{options.imap_folder}"
        self._mailbox: Mailbox | None = None
        self._attempts: Counter[int] = Counter()
        self._wakes = Bucket(per_second=WOKEN_PER_SECOND, burst=WOKEN_AT_ONCE)
        self._looking = Every(options.imap_seconds, self.look, name="imap")

    async def start(self) -> None:
        """Begin to look."""
        with suppress(AlreadyThere):
            await self._door.store.insert(COLLECTION, {"_id": self._id})
        await self._looking.start()

    async def close(self) -> None:
        """Stop, also in the middle of an answer; another process may read at once."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox:
            mailbox.cut()
        await self._looking.close()
        mine = {"_id": self._id, "held_by": self._door.writer.process}
        with suppress(Unavailable):
            await self._door.store.change(COLLECTION, mine, {"$unset": {"held_until": ""}})

    async def look(self) -> None:
        """Take what has come, and what comes, for as long as the server tells of it. Raises Unavailable: what was not stored is
        taken at the next look.
        """
        try:
            while position := await self._hold():
                if not (await self._read(position) and await self._told()):
                    return
        except Unreachable as error:
            log.warning("email.imap failed reason=%s", error)
            self._drop()
        except Unavailable:
            raise
        except BaseException:
            self._drop()
            raise

    async def _read(self, position: dict[str, Any]) -> bool:
        """Return whether all that is there was taken. Raises Unavailable, Unreachable."""
        mailbox = await self._open()
        folder = await asyncio.to_thread(mailbox.look)
        if "validity" not in position:
            await self._remember(folder, folder.next - 1)
            log.info("email.imap begins")
            return True
        uids = await asyncio.to_thread(self._new, mailbox, folder, position)
        done = position["uid"] if position["validity"] == folder.validity else 0
        for number, uid in enumerate(uids, 1):
            if not await self._taken(mailbox, uid):
                if done:  # in a new numbering nothing is done yet: the days are read again
                    await self._remember(folder, done)
                return False
            done = uid
            if number % BATCH == 0:
                await self._remember(folder, done)
        if uids or position["validity"] != folder.validity:
            await self._remember(folder, max(done, folder.next - 1))
        return True

    async def _told(self) -> bool:
        """Wait until the server has something to tell, or for a while; return False when it does not tell. Raises Unreachable."""
        mailbox = await self._open()
        if self._wakes.take(asyncio.get_running_loop().time()):
            return False
        if not (mailbox.idles and await asyncio.to_thread(mailbox.idle)):
            return False
        if not mailbox.has_heard:
            await _readable(mailbox.fileno, IDLE_SECONDS)
        await asyncio.to_thread(mailbox.wake)
        return True

    def _new(self, mailbox: Mailbox, folder: Folder, position: dict[str, Any]) -> list[int]:
        if position["validity"] == folder.validity:
            return mailbox.after(position["uid"]) if folder.next > position["uid"] + 1 else []
        log.warning("email.imap renumbered")
        at: datetime = position["at"]
        return mailbox.since((at - AGAIN).date())

    async def _taken(self, mailbox: Mailbox, uid: int) -> bool:
        """Return whether this mail is done with. Raises Unavailable, Unreachable."""
        octets = await asyncio.to_thread(mailbox.fetch, uid, largest=self._options.largest_in)
        if octets is None:
            log.warning("email.imap passed over uid=%d reason=gone_or_too_large", uid)
            return True
        try:
            await self._incoming.take(octets, to=(), path=None)
        except Unreadable as error:
            log.warning("email.imap passed over uid=%d reason=%s", uid, error)
            return True
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 (one mail's trouble must not stop the others for ever)
            self._attempts[uid] += 1
            given_up = self._attempts[uid] >= ATTEMPTS
            log.error("email.imap broke uid=%d error=%s given_up=%s", uid, type(error).__name__, given_up)
            return given_up
        if self._options.imap_deletes:
            await asyncio.to_thread(mailbox.delete, uid)
        return True

    async def _open(self) -> Mailbox:
        if self._mailbox is None:
            self._mailbox = await asyncio.to_thread(Mailbox, self._options)
        return self._mailbox

    def _drop(self) -> None:
        mailbox, self._mailbox = self._mailbox, None
        if mailbox:
            mailbox.cut()

    async def _hold(self) -> dict[str, Any] | None:
        """Return how far the mailbox was read, ours to read now; None while another process does."""
        now, me = self._door.clock(), self._door.writer.process
        free = {"$or": [{"held_until": {"$exists": False}}, {"held_until": {"$lte": now}}, {"held_by": me}]}
        held = {"$set": {"held_by": me, "held_until": now + HELD_FOR}}
        return await self._door.store.change(COLLECTION, {"_id": self._id, **free}, held)

    async def _remember(self, folder: Folder, uid: int) -> None:
        now, me = self._door.clock(), self._door.writer.process
        known = {"validity": folder.validity, "uid": uid, "at": now, "held_until": now + HELD_FOR}
        await self._door.store.change(COLLECTION, {"_id": self._id, "held_by": me}, {"$set": known})


async def _readable(descriptor: int, seconds: float) -> None:
    """Return when there is something to read, or the time is over."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), seconds)
    finally:
        loop.remove_reader(descriptor)
