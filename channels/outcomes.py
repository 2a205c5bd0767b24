"""What became of a message, on record: sent, failed, suppressed or unknown, put off, or given to another process."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from channels.banning import ban, is_final
from channels.channel import Elsewhere, Failed, Later, Sending, Sent, Unknown
from profiles.calendar import Clock
from profiles.ids import new_id
from profiles.plan import LEASE_FOR
from profiles.reactions import BY_STATE, reaction
from profiles.snapshot import Amend, Changes, Work
from profiles.timeline import Event, Message
from profiles.writer import Writer

log = logging.getLogger("channels.outbound")


class Outcomes:
    """Records through the writer. Everything here raises Unavailable when it is not on disk: its lease is then found."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer, self._clock = writer, clock

    async def record(self, message: Message, outcome: Sending) -> None:
        """Write the delivery's new state, tell the rules of it, and suppress an address that is gone for good."""
        (state, reason), now = _state(outcome), self._clock()
        put: dict[str, object] = {"delivery.state": state, f"delivery.times.{state}": now}
        if reason:
            put["delivery.reason"] = reason
            log.warning("outbound.%s message=%s channel=%s reason=%s", state, message.id, message.channel, reason)
        if isinstance(outcome, Sent) and outcome.provider_id:
            put["delivery.provider_id"] = f"{message.channel}:{outcome.provider_id}"
        told = reaction(BY_STATE[state], message, now, id=new_id(now)) if state in BY_STATE else None
        await self._amend(message, put, told)
        if isinstance(outcome, Failed) and is_final(outcome.reason) and message.delivery:
            await self._writer.commit(ban(message.delivery.to, outcome.reason))

    async def suppress(self, message: Message, reason: str) -> None:
        """Write that the message was not sent, and why."""
        put = {"delivery.state": "suppressed", "delivery.reason": reason, "delivery.times.suppressed": self._clock()}
        await self._amend(message, put)

    async def pass_on(self, message: Message, process: str) -> None:
        """Give the message to another process: should it die, or not hear of it, the sweepers find it by its lease."""
        lease = {"delivery.leased_by": process, "delivery.lease_until": self._clock() + LEASE_FOR}
        changes = Changes(amends=(Amend(message.id, lease),), answer=message.conversation)
        await self._writer.commit(Work(lambda _: changes))

    async def postpone(self, message: Message, seconds: float) -> None:
        """Let go of the message for so long; then whoever looks first sends it."""
        until = self._clock() + timedelta(seconds=seconds)
        amend = Amend(message.id, {"delivery.lease_until": until}, ("delivery.leased_by",))
        await self._commit(amend, message)

    async def _amend(self, message: Message, put: Mapping[str, object], told: Event | None = None) -> None:
        await self._commit(Amend(message.id, put, ("delivery.lease_until", "delivery.leased_by")), message, told)

    async def _commit(self, amend: Amend, message: Message, told: Event | None = None) -> None:
        if told is None:
            await self._writer.mark(amend)
            return
        changes = Changes(amends=(amend,), events=(told,), answer=message.conversation)
        await self._writer.commit(Work(lambda _: changes), patient=True)


def _state(outcome: Sending) -> tuple[str, str | None]:
    """Return the delivery's state and, where it did not go well, why."""
    match outcome:
        case Sent(_, delivered):
            return ("delivered" if delivered else "sent"), None
        case Failed(reason, _):
            return "failed", reason
        case Later(_, detail) | Unknown(detail):
            return "unknown", detail[:200] or "no_answer"
        case Elsewhere(process):  # between two parts: the first has arrived
            return "unknown", f"held by {process}"
