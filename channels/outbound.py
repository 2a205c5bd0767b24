"""The back door: the one place that sends. It takes committed messages, in order per conversation, and records the outcome.

A message is born leased to the process that committed it and sent from memory; the record of its delivery goes through the
writer like everything else. After a crash another process (or the next start) finds it by its lease (channels/sweeper.py).
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from channels.channel import Channel, Elsewhere, Failed, Later, Outbound, Sending, Sent, Unknown
from channels.degrade import degrade
from channels.lanes import Lanes, is_answer
from channels.outcomes import Outcomes
from channels.pace import Pace
from profiles.calendar import Clock
from profiles.crash import crash_point
from profiles.permits import Pass, Permits, Stopped, passage
from profiles.snapshot import Changes
from profiles.store import Unavailable
from profiles.timeline import Content, Message
from profiles.writer import Writer

log = logging.getLogger("channels.outbound")

SEND_WITHIN_SECONDS = 30
UNKNOWN_RETRIES = 2  # a reply is rather said twice than never; a campaign's message rather never than twice
LATER_RETRIES = 8
BEGUN = "begun"
CONTENDED_SECONDS = 2.0
PARKED_SECONDS = 450.0  # while the database's clock is doubted: as often as a delivery is tried, that makes its hour
FRESH_FOR = timedelta(seconds=1)
ROOM = 2_000  # messages of rules in memory for each channel, some 8 KB each; the others wait in the database
HOLD_SECONDS = 60  # asked to wait longer than this, the lane lets go and the sweeper comes back to it

StillOurs: TypeAlias = Callable[[], Awaitable[bool]]
"""Whether this process holds a message by what is on record now."""


class Backlog(Protocol):
    """Where what there is no room for waits: channels/backlog.py."""

    @property
    def is_empty(self) -> bool: ...

    def note(self, message: Message) -> None: ...

    def wake(self, channel: str) -> None: ...


@dataclass(slots=True)
class _Try:
    """One try to hand a message over: the permits of its parts, settled once the outcome is recorded."""

    permits: list[Pass]
    objection: str = ""
    wait: float = 1.0
    """Seconds until it is worth asking for a permit again."""
    is_lost: bool = False
    """Whether others took this process for dead, so that the message is theirs."""


class BackDoor:
    """Sends through the connected channels. `take` is a listener of the writer.

    A rule's message asks for a permit in its person's ledger right before each part (profiles/permits.py).
    """

    def __init__(
        self, channels: Mapping[str, Channel], writer: Writer, *, clock: Clock, permits: Permits | None = None
    ) -> None:
        self.sending = 0
        self.processes = 1
        """How many processes send, this one included: they share what a provider allows a second."""
        self._channels, self._writer, self._clock, self._permits = channels, writer, clock, permits
        self._paces: dict[str, Pace] = {}
        self._lanes = Lanes(self._send)
        self._outcomes = Outcomes(writer, clock)
        self._closing = False
        self.backlog: Backlog | None = None
        self._held: dict[str, int] = {}
        """Message -> the life of this process in which it was taken."""
        self._held_of: Counter[str] = Counter()
        """Channel -> how many of them are its."""
        self._still_ours: dict[str, StillOurs] = {}
        self._life, self._alive_until = 0, float("inf")
        self.passed_on: Callable[[str, str], None] = lambda process, message: None
        """Called with (process, message) for what was given to another process, so that it hears of it at once."""

    def take(self, committed: list[Changes]) -> None:
        """Send the messages in these changes that this process holds the lease of."""
        for changes in committed:
            for message in changes.messages:
                if message.delivery and message.delivery.leased_by == self._writer.process:
                    self.send(message)

    def send(self, message: Message, still_ours: StillOurs | None = None) -> None:
        """Send this message after the earlier ones of its conversation.

        `still_ours` is asked right before each hand-over of what another process held before us.
        """
        if self._closing:
            return  # the lease runs out and the next process finds it
        if message.id in self._held:
            return
        if self.backlog and self._may_wait(message) and not self.room(message.channel):
            self.backlog.note(message)
            return
        self._held[message.id] = self._life
        self._held_of[message.channel] += 1
        if still_ours:
            self._still_ours[message.id] = still_ours
        is_behind = self._lanes.put(message)
        if is_behind and is_answer(message) and (pace := self._paces.get(message.channel)):
            pace.hurry(_address(message))

    def holds(self, message: str) -> bool:
        """Return whether this message waits here or is being sent right now."""
        return message in self._held

    def held(self) -> list[str]:
        """Return what waits here or is being sent right now."""
        return list(self._held)

    def room(self, channel: str) -> int:
        """Return how many more messages of rules this channel has room for."""
        return max(ROOM - self._held_of[channel], 0)

    @property
    def is_behind(self) -> bool:
        """Return whether some of what this process holds waits in the database."""
        return self.backlog is not None and not self.backlog.is_empty

    def count(self, living: Sequence[str]) -> None:
        """Take note of the processes that live."""
        self.processes = max(len(living), 1)

    def stay_alive(self, until: float) -> None:
        """Send only before this instant of the loop's clock: later, others may take this process for dead and send themselves.

        Said too late, a new life begins: what was held before is theirs, and they may have sent it.
        """
        if asyncio.get_running_loop().time() > self._alive_until:
            self._life += 1
        self._alive_until = until

    async def close(self, within_seconds: float = 10) -> None:
        """Finish what is being sent; what does not finish in time keeps its lease and is found later."""
        self._closing = True
        await self._lanes.close(within_seconds)

    async def _send(self, message: Message) -> None:
        self.sending += 1
        try:
            await self._deliver(message)
        except Unavailable as error:
            log.warning("outbound.record failed message=%s reason=%s", message.id, error)
        except Exception as error:  # noqa: BLE001 (one message's oddity must not hold up those behind it)
            log.error("outbound.message broke message=%s error=%s", message.id, type(error).__name__, exc_info=error)
        finally:
            self.sending -= 1
            self._let_go(message)

    def _let_go(self, message: Message) -> None:
        self._held.pop(message.id, None)
        self._still_ours.pop(message.id, None)
        self._held_of[message.channel] -= 1
        if self.backlog and self._held_of[message.channel] == ROOM // 2:
            self.backlog.wake(message.channel)

    def _may_wait(self, message: Message) -> bool:
        """Return whether it may stay in the database for now: nobody waits for it, and nothing of its thread is here."""
        return not is_answer(message) and message.conversation not in self._lanes

    async def _deliver(self, message: Message) -> None:
        channel = self._channels.get(message.channel)
        if channel is None:
            return await self._outcomes.record(message, Failed("config", f"channel {message.channel} is not connected"))
        for attempt in range(LATER_RETRIES + 1):
            if self._is_lost(message):  # we were frozen past our pulse: whoever took it over sends it
                return log.warning("outbound.let_go message=%s", message.id)
            if reason := await self._objection(message):
                return await self._outcomes.suppress(message, reason)
            await self._quiet(message)
            trying = _Try([])
            outcome = await self._hand_over(channel, message, trying)
            if trying.is_lost:
                return self._settle(trying)
            if trying.objection not in ("", BEGUN) and not trying.permits:
                return await self._outcomes.suppress(message, trying.objection)
            if isinstance(outcome, Elsewhere):
                await self._outcomes.pass_on(message, outcome.process)
                self.passed_on(outcome.process, message.id)
                return self._settle(trying)
            wait = _wait(outcome, attempt, again=is_answer(message))
            if wait is None:
                await self._outcomes.record(message, outcome)
                crash_point("send.recorded")
                return self._settle(trying)
            self._settle(trying)  # it was proved that nothing arrived, or it may be said twice
            if wait > HOLD_SECONDS or self._closing:
                return await self._outcomes.postpone(message, wait)
            log.info("outbound.later message=%s seconds=%.1f attempt=%d", message.id, wait, attempt + 1)
            await asyncio.sleep(wait)
        return await self._outcomes.record(message, outcome)

    async def _objection(self, message: Message) -> str | None:
        """Ask the legal gate again, at the moment of sending: has this identity been suppressed meanwhile?

        Of what rules send the permit says so: a profile read for each of a campaign would cost more than its sending.
        """
        if message.delivery is None or message.metadata.get("lawful") or message.metadata.get("class"):
            return None
        return await self._suppression(message)

    async def _suppression(self, message: Message) -> str | None:
        assert message.delivery
        waited = self._clock() - message.at > FRESH_FOR  # another process may have heard a STOP meanwhile
        profile = await self._writer.recent.profile(message.profile, afresh=waited)
        if profile is None:
            return "erased"
        identity = profile.identity(message.delivery.to)
        return identity.suppression.reason if identity and identity.suppression else None

    async def _hand_over(self, channel: Channel, message: Message, trying: _Try) -> Sending:
        pace = self._paces.setdefault(channel.name, Pace(channel.limits, lambda: self.processes))
        outcome: Sending = Sent()
        parts = degrade(message.content, channel.limits)
        for number, part in enumerate(parts):
            outbound = outbound_of(message, part, number)
            await pace.enter(outbound.address, answers=self._is_hurried(message))
            try:
                seconds = await self._leave(message, number, trying)
                crash_point("send.permitted")
                outcome = await _bounded(channel, outbound, seconds) if seconds else _not_begun(trying)
                crash_point("send.handed_over")
            finally:
                pace.leave()
            if not isinstance(outcome, Sent):
                # some of it has arrived: beginning again would say that part twice
                return outcome if number == 0 else Unknown(f"part {number + 1} of {len(parts)}: {outcome}")
        return outcome

    def _is_hurried(self, message: Message) -> bool:
        """Return whether it goes before what rules send: it is an answer, or an answer waits behind it."""
        return is_answer(message) or any(map(is_answer, self._lanes.behind(message.conversation)))

    async def _leave(self, message: Message, part: int, trying: _Try) -> float:
        """Return how many seconds the hand-over of this part may take; 0 when it must not begin."""
        asked = passage(message, part)
        if asked is None:
            trying.is_lost = await self._is_theirs(message)
            return 0.0 if trying.is_lost else SEND_WITHIN_SECONDS
        if self._permits is None:
            trying.objection = "no_gate"
            return 0.0
        match await self._permits.ask(asked):
            case Stopped("contended"):
                trying.wait = CONTENDED_SECONDS if self._permits.is_certain else PARKED_SECONDS
            case Stopped("suppressed"):
                trying.objection = await self._suppression(message) or "suppressed"
            case Stopped(reason):
                # begun: whoever began it died in the middle; recorded as unknown, never sent twice. The permit stays until it
                # runs out, for they may only be frozen, and a no waits for that
                trying.objection = reason
            case Pass() as permit if await self._is_theirs(message):  # while we asked, or while we waited for our turn
                trying.permits.append(permit)
                trying.is_lost = True
            case Pass() as permit:
                trying.permits.append(permit)
                return min(SEND_WITHIN_SECONDS, max(permit.until - asyncio.get_running_loop().time(), 0.0))
        return 0.0

    async def _quiet(self, message: Message) -> None:
        """Before a STOP is confirmed: wait until no hand-over to this person is under way, in whatever process."""
        if self._permits and message.metadata.get("lawful") == "stop":
            await self._permits.drained(message.profile)

    async def _is_theirs(self, message: Message) -> bool:
        """Asked once the permit is ours. Who had the message before us may have thawed: they record it, and then settle their
        permit, so ours says nothing against them; what is on record does."""
        ours = self._still_ours.get(message.id)
        return self._is_lost(message) or (ours is not None and not await ours())

    def _is_lost(self, message: Message) -> bool:
        late = asyncio.get_running_loop().time() > self._alive_until
        return late or self._held.get(message.id, self._life) != self._life

    def _settle(self, trying: _Try) -> None:
        if self._permits and trying.permits:
            self._permits.settle(trying.permits)


def outbound_of(message: Message, part: Content, number: int = 0) -> Outbound:
    """Return this part of a message as its channel is given it; the first part has the message's own id."""
    language = message.metadata.get("language")
    return Outbound(
        id=message.id if number == 0 else f"{message.id}/{number}",
        address=_address(message),
        content=part,
        conversation=message.conversation,
        seq=message.seq,
        language=language if isinstance(language, str) else None,
        reply_to=message.reply_to,
        author=message.author,
        profile=message.profile,
        at=message.at,
        metadata=message.metadata,
    )


async def _bounded(channel: Channel, outbound: Outbound, seconds: float) -> Sending:
    try:
        async with asyncio.timeout(seconds):
            return await channel.send(outbound)
    except TimeoutError:
        return Unknown(f"no answer within {seconds:.0f} s")
    except Exception as error:  # noqa: BLE001 (a channel's own mistake must not stop the lane)
        log.error("outbound.send broke channel=%s error=%s", channel.name, type(error).__name__, exc_info=error)
        return Unknown(f"{type(error).__name__} in channel {channel.name}")


def _not_begun(trying: _Try) -> Sending:
    """Return the outcome of a part that was not handed over: objected to, put off, or its permit ran out before it could begin."""
    return Unknown(trying.objection) if trying.objection else Later(trying.wait, "not_permitted")


def _address(message: Message) -> str:
    """Return where it goes: the conversation's address; a notice, which is in no conversation, goes to its identity's."""
    if message.conversation == message.id and message.delivery:
        return message.delivery.to.partition(":")[2]
    return message.conversation.removeprefix(f"{message.channel}:")


def _wait(outcome: Sending, attempt: int, *, again: bool) -> float | None:
    """Return how many seconds until the next try, or None when there is none. `again`: what may have arrived is tried again."""
    match outcome:
        case Later(seconds) if attempt < LATER_RETRIES:
            return max(seconds, 0.1)
        case Unknown() if again and attempt < UNKNOWN_RETRIES:
            return float(2**attempt) + random.random()  # spread, so that a recovered provider is not hit at once
        case _:
            return None
