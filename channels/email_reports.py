"""What becomes of a mail that bounced, that somebody called spam or wants no more of: its delivery, the address, the consent.

Each report is one commit with a natural key, so the same report twice is one. Soft bounces are counted on the timeline: so many
within so many days, and the mailbox is taken for dead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias, TypeGuard

from channels.banning import ban
from channels.channel import Door
from channels.email_bounces import Bounce, Complaint, Delayed, Heard, Leaving
from channels.email_options import Options
from channels.webchat_limits import Bucket
from profiles.brakes import Complaints
from profiles.consent import verdict
from profiles.consents import Said
from profiles.ledgers import Ledgers
from profiles.profile import Identity, Profile, Suppression
from profiles.record import from_document, replace
from profiles.snapshot import Amend, Changes, Done, Refusal, Snapshot, Work
from profiles.spoken import Word, no
from profiles.timeline import SYSTEM, Event, Message
from profiles.topics import EVERY

log = logging.getLogger("channels.email")

WAITS = (0.2, 0.8, 2.0)  # seconds; a server at hand may bounce a mail before we have noted its token
LONG_WAITS_PER_SECOND, LONG_WAITS_AT_ONCE = 0.1, 20.0
"""How often we wait longer than the first time: anybody can write any number of reports about mails that never were, and a mailbox
is read one mail after the other."""
TAKEN_AT_ONCE = 20
MEANT = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list"})
"""Reports of which somebody means us; `not-spam` is praise, `auth-failure` speaks of our set-up (RFC 5965, RFC 6591)."""
_WEAKER = ("blocked", "bounced", "unreachable")
_REASONS = {"hard": "dead", "soft": "mailbox", "refused": "refused"}

_Telling: TypeAlias = Bounce | Complaint | Leaving
"""What speaks of one mail, and changes something."""


class Reports:
    """Takes the reports of one sending address. `scopes` are those of its domain, for the brake."""

    def __init__(
        self, options: Options, door: Door, complaints: Complaints, scope: str,
        *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._options, self._door, self._complaints, self._scope = options, door, complaints, scope
        self._sleep = sleep
        self._long_waits = Bucket(per_second=LONG_WAITS_PER_SECOND, burst=LONG_WAITS_AT_ONCE)

    async def take(self, *heard: Heard) -> None:
        """Return when what they say is on disk, or they say nothing that changes anything. Raises Unavailable.

        Mails that are not noted yet are waited for together: three seconds in all, however many they are.
        """
        telling = [one for one in heard if _tells(one)]
        for wait in (*WAITS, None):
            telling = await self._of_unknown_mails(telling)
            if not telling or wait is None or (wait > WAITS[0] and self._is_waited_enough()):
                break
            await self._sleep(wait)
        if telling:
            log.info("email.report ignored reason=unknown_mail reports=%d", len(telling))

    async def _of_unknown_mails(self, telling: Sequence[_Telling]) -> list[_Telling]:
        """Take those that speak of mails we know, and return the others."""
        unknown: list[_Telling] = []
        for begin in range(0, len(telling), TAKEN_AT_ONCE):
            some = telling[begin : begin + TAKEN_AT_ONCE]
            names = list({f"email:{one.token}" for one in some})
            found = await self._door.store.find("messages", {"delivery.provider_id": {"$in": names}})
            known = {one["delivery"]["provider_id"]: from_document(Message, one) for one in found}
            spoken = [(one, known.get(f"email:{one.token}")) for one in some]
            await asyncio.gather(*(self._taken(message, one) for one, message in spoken if message))
            unknown += [one for one, message in spoken if message is None]
        return unknown

    async def _taken(self, message: Message, told: _Telling) -> None:
        match told:
            case Bounce():
                await self._bounced(message, told)
            case Complaint():
                await self._complained(message, told)
            case Leaving():
                await self._left(message)

    def _is_waited_enough(self) -> bool:
        return self._long_waits.take(asyncio.get_running_loop().time()) > 0

    async def _bounced(self, message: Message, bounce: Bounce) -> None:
        outcome = await self._door.writer.commit(bounced(message, bounce))
        log.info("email.bounced message=%s kind=%s status=%s", message.id, bounce.kind, bounce.status)
        if bounce.kind != "soft" or message.delivery is None:
            return
        since = self._door.clock() - timedelta(days=self._options.soft_bounce_days)
        where = {
            "profile": {"$eq": message.profile},
            "name": {"$eq": "message.bounced"},
            "happened_at": {"$gte": since},
            "properties.identity": {"$eq": message.delivery.to},
            "properties.kind": {"$eq": "soft"},
        }
        most = self._options.soft_bounces
        if not isinstance(outcome, Refusal) and await self._door.store.count("events", where, at_most=most) >= most:
            await self._door.writer.commit(ban(message.delivery.to, "dead"))

    async def _complained(self, message: Message, complaint: Complaint) -> None:
        outcome = await self._door.writer.commit(complained(message, complaint))
        log.info("email.complained message=%s", message.id)
        if isinstance(outcome, Done) and message.metadata.get("class") == "marketing":
            rule = str(message.metadata.get("rule") or "")
            await self._complaints.complained(self._scope, *((f"rule:{rule}",) if rule else ()))

    async def _left(self, message: Message) -> None:
        """End the topic of this mail by e-mail, as its one-click link does; said again it is not proved again."""
        door, topic = self._door, str(message.metadata.get("topic") or EVERY)
        if door.consents is None:
            log.error("email.left ignored message=%s reason=no_consents", message.id)
            return
        ledger = (await Ledgers(door.store).read([message.profile]))[message.profile]
        if not ledger.into and verdict(ledger, "email", topic, "not_withdrawn") is not None:
            await door.consents.acknowledged(message.profile)
            return
        profile = await door.writer.recent.profile(message.profile)
        language = (profile.language if profile else None) or "en"
        said = Said("one_click", language, evidence={"message": message.id, "by": "mail"})
        await door.consents.withdraw(
            message.profile, "email", topic, said, now=door.clock(), shown=door.topics().get(topic)
        )
        log.info("email.left message=%s topic=%s", message.id, topic)


def _tells(heard: Heard) -> TypeGuard[_Telling]:
    match heard:
        case Complaint(_, kind) if kind.lower() not in MEANT:
            log.info("email.report ignored kind=%s", kind.lower()[:20])
        case Delayed(_, status):
            log.info("email.delayed status=%s", status)
        case Bounce() | Complaint() | Leaving():
            return True
    return False


def bounced(message: Message, bounce: Bounce) -> Work:
    """Return the Work that records a bounce: the delivery failed, and a mailbox that is gone is not written to again."""
    id = f"{message.id}:bounced"
    to = message.delivery.to if message.delivery else ""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        known = snapshot.messages.get(message.id)
        if known is None or known.delivery is None:
            return Refusal("unknown_delivery", message.id)
        status = "" if bounce.status in bounce.detail else bounce.status
        said = " ".join(filter(None, (_REASONS[bounce.kind], status, bounce.detail)))[:200]
        put = {"delivery.state": "failed", "delivery.reason": said, "delivery.times.failed": snapshot.now}
        amend = Amend(message.id, put, ("delivery.lease_until", "delivery.leased_by"))
        told = {"kind": bounce.kind, "status": bounce.status, "detail": bounce.detail}
        suppressed = _suppressed(snapshot, to, Suppression("bounced", snapshot.now)) if bounce.kind == "hard" else ()
        return Changes(profiles=suppressed, amends=(amend,), events=(_event(id, "bounced", message, snapshot, told),))

    return Work(think, identities=(to,), messages=(message.id,), key=id, key_in="events")


def complained(message: Message, complaint: Complaint) -> Work:
    """Return the Work that records a complaint: nothing is written there again, and no marketing by e-mail to this person."""
    id = f"{message.id}:complained"
    to = message.delivery.to if message.delivery else ""

    def think(snapshot: Snapshot) -> Changes:
        holder = snapshot.holder(to)
        word = Word(
            id=id, profile=holder.id if holder else message.profile, channel="email", at=snapshot.now, source="complaint",
            evidence={"message": message.id, "identity": to, "kind": complaint.kind[:20]},
        )  # fmt: skip
        event = _event(id, "complained", message, snapshot, {"kind": complaint.kind[:20]})
        suppressed = _suppressed(snapshot, to, Suppression("complained", snapshot.now))
        return Changes(profiles=suppressed, events=(event,)).then(no(word))

    return Work(think, identities=(to,), key=id, key_in="events")


def _suppressed(snapshot: Snapshot, to: str, why: Suppression) -> tuple[Profile, ...]:
    """Return the holder with this address banned; nothing when nobody has it, or a ban stands that is no weaker."""
    holder = snapshot.holder(to)
    identity: Identity | None = holder.identity(to) if holder else None
    if holder is None or identity is None:
        return ()
    if identity.suppression and (why.reason == "bounced" or identity.suppression.reason not in _WEAKER):
        return ()
    return (holder.with_identity(replace(identity, suppression=why)),)


def _event(id: str, what: str, message: Message, snapshot: Snapshot, told: dict[str, str]) -> Event:
    thread = None if message.conversation == message.id else message.conversation  # a notice has none
    rule = {"rule": message.metadata["rule"]} if message.metadata.get("rule") else {}
    properties = {"message": message.id, "identity": message.delivery.to if message.delivery else "", **rule, **told}
    return Event(id, message.profile, f"message.{what}", snapshot.now, thread, SYSTEM, "email",
                 {name: value for name, value in properties.items() if value})  # fmt: skip
