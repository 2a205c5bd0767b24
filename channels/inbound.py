"""The front door: whatever a channel hears becomes one Work for the writer, and is acknowledged when that is on disk.

An inbound message: whose is it, does it say STOP, who owns the conversation, what does the bot answer: one pure function,
one commit. Receipts, edits, reads and blocks come the same way.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from channels import arrivals
from channels.banning import ban, is_final
from channels.channel import Arrival, Inbound, Limits, Receipt
from channels.degrade import joined, pressed
from channels.floods import Floods
from channels.obey import has_refused, obey, ordered
from profiles import people
from profiles.answer import Answerer
from profiles.append import begin, heard, said
from profiles.conversation import Conversation, Handover, hand_over
from profiles.crash import crash_point
from profiles.profile import Identity, Profile
from profiles.reactions import answered
from profiles.record import replace
from profiles.snapshot import Changes, Done, Outcome, Refusal, Snapshot, Work
from profiles.spoken import Word, heed, no, word_id
from profiles.store import Store, Unstorable
from profiles.text import clean
from profiles.timeline import BOT, Content, Event, Message
from profiles.writer import Writer

log = logging.getLogger("channels.inbound")

OVER_WHEN_THEY_WRITE = ("blocked", "bounced", "complained", "unreachable", "erased")
"""Bans that end with a message of theirs. Who called a mail of ours spam and writes is answered; their no to offers stays.
Who was erased and writes again is answered as well, and is offered nothing on that channel until they ask for it."""
PROFILE_LAG = timedelta(minutes=1)
"""How old a profile may say that somebody's last message is: who writes on is stored with their conversation alone."""
RECEIPT_WAITS = (0.2, 0.8, 2.0)  # seconds; a provider's receipt may overtake our own note of its id


class FrontDoor:
    """Receives for all channels. `answer` is asked for every message that the bot owns."""

    def __init__(
        self,
        writer: Writer,
        store: Store,
        *,
        answer: Answerer,
        limits: Mapping[str, Limits],
        country: str = "FR",
        language: str = "en",
        page: Callable[[str, datetime], str] = lambda profile, now: "",
        lag: timedelta = PROFILE_LAG,
        floods: Floods | None = None,
    ) -> None:
        """`page` gives the address of a person's own page, by the profile's id."""
        self._floods = floods or Floods()
        self._page, self._lag = page, lag
        self._writer, self._store, self._answer, self._limits = writer, store, answer, limits
        self._country, self._language = country, language
        self._following: set[asyncio.Task[Outcome]] = set()

    async def receive(self, arrival: Arrival) -> Outcome:
        """Return when the arrival is on disk. Raises Unavailable when it may not be: let the provider repeat it."""
        match arrival:
            case Inbound():
                outcome = await self._hear(arrival)
                crash_point("message.kept")
                if isinstance(outcome, Done) and outcome.changes.claims:
                    self._list_doubts(next(iter(outcome.changes.claims)))
                return outcome
            case Receipt():
                return await self._receipt(arrival)
            case _:
                return await self._writer.commit(arrivals.work(arrival, country=self._country))

    async def close(self) -> None:
        """Finish what follows first messages."""
        if self._following:
            await asyncio.wait(self._following, timeout=5)

    async def _hear(self, inbound: Inbound) -> Outcome:
        refused, key = await self._has_refused(inbound), f"{inbound.space or inbound.channel}:{inbound.address}"
        is_flood, outcome = self._floods.is_one(key, channel=inbound.channel), None
        try:
            outcome = await self._kept(inbound, refused, is_flood)
            return outcome
        finally:
            if not is_flood and not isinstance(outcome, Done):
                self._floods.take_back(key)

    async def _kept(self, inbound: Inbound, refused: bool, is_flood: bool) -> Outcome:
        """Store it and what the bot makes of it; where the database can not keep that, the message alone, for people.

        A number of thirty digits in the bot's memory would else lose what the person said, for no channel repeats it.
        """
        try:
            return await self._writer.commit(self._message(inbound, refused, is_flood))
        except Unstorable:
            if inbound.answers != "bot":
                raise
            log.error("inbound.answer unstorable message=%s:%s", inbound.channel, inbound.id)
            return await self._writer.commit(self._message(replace(inbound, answers="people"), refused, is_flood))

    async def _has_refused(self, inbound: Inbound) -> bool:
        limits = self._limits_of(inbound.channel)
        return await has_refused(
            self._store, inbound.content, f"{inbound.space or inbound.channel}:{inbound.address}", limits
        )

    def _limits_of(self, channel: str) -> Limits:
        return self._limits.get(channel) or Limits()

    def _message(self, inbound: Inbound, refused: bool, is_flood: bool) -> Work:
        thread = f"{inbound.channel}:{inbound.address}"
        key = f"{inbound.space or inbound.channel}:{inbound.address}"
        id = f"{inbound.channel}:{inbound.id}"
        limits = self._limits_of(inbound.channel)

        def think(snapshot: Snapshot) -> Changes:
            now = snapshot.now
            profile, claims = _whose(snapshot, inbound, key)
            conversation = snapshot.conversations.get(thread) or begin(
                thread, profile, channel=inbound.channel, address=inbound.address, identity=key, now=now
            )
            content = _understood(inbound.content, conversation)
            conversation, message = heard(
                conversation, content, id=id, now=now, sent_at=inbound.sent_at, metadata=inbound.metadata
            )
            if inbound.answers == "nobody":
                return Changes((profile,), (conversation,), claims=claims, messages=(message,))
            came_back = _was_erased(profile, key)
            profile = _reachable_again(profile, key)
            profile = _noticed(profile, inbound.channel, now, self._lag)
            if order := ordered(content, profile.identity(key), limits, refused=refused):
                page = self._page(profile.id, now)
                return obey(
                    order, profile, conversation, message, key=key, claims=claims, language=self._language, page=page
                )
            conversation, told = answered(conversation, now, now)
            if inbound.answers == "people" and conversation.owner == "bot":
                conversation = hand_over(conversation, Handover("not_understood", now))
            changes = self._answered(snapshot, profile, conversation, message, key, claims, told, is_flood)
            return changes.then(_nothing_unasked(profile, message, key)) if came_back else changes

        return Work(think, identities=(key,), conversations=(thread,), key=id)

    def _answered(
        self,
        snapshot: Snapshot,
        profile: Profile,
        conversation: Conversation,
        message: Message,
        key: str,
        claims: Mapping[str, str],
        told: tuple[Event, ...],
        is_flood: bool,
    ) -> Changes:
        messages, events = [message], told
        identity = profile.identity(key)
        if conversation.owner == "bot" and not is_flood and not (identity and identity.suppression):
            if conversation.pending:  # earlier messages are still being answered: keep the order
                conversation = replace(conversation, pending=(*conversation.pending, message.id))
            else:
                answer = self._answer(snapshot, profile, conversation, message)
                profile, conversation, events = answer.profile, answer.conversation, (*told, *answer.events)
                if answer.unfinished:
                    conversation = replace(conversation, pending=(message.id,))
                for number, content in enumerate(joined(answer.says, self._limits_of(message.channel)), 1):
                    conversation, reply = said(
                        conversation,
                        content,
                        id=f"{message.id}:{number}",
                        author=BOT,
                        now=snapshot.now,
                        to=key,
                        reply_to=message.id,
                    )
                    messages.append(reply)
        return heed(
            Changes(
                profiles=(profile,),
                conversations=(conversation,),
                claims=claims,
                messages=tuple(messages),
                events=events,
            ),
            profile.id,
        )

    def _list_doubts(self, key: str) -> None:
        """After a first message from an address: had somebody else said that it was theirs? Off the message's path."""
        work = Work(lambda snapshot: people.doubts(snapshot, key, snapshot.now), identities=people.keys_for(key))
        task = asyncio.create_task(self._writer.commit(work), name="doubts")
        self._following.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: "asyncio.Task[Outcome]") -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("inbound.doubts failed error=%s", type(error).__name__)

    async def _receipt(self, receipt: Receipt) -> Outcome:
        provider_id = f"{receipt.channel}:{receipt.provider_id}"
        for wait in (*RECEIPT_WAITS, None):
            found = await self._store.first("messages", {"delivery.provider_id": provider_id})
            if found:
                outcome = await self._writer.commit(arrivals.mark(str(found["_id"]), receipt))
                if receipt.state == "failed" and receipt.reason and is_final(receipt.reason):
                    await self._writer.commit(ban(str(found["delivery"]["to"]), receipt.reason))
                return outcome
            if wait is not None:
                await asyncio.sleep(wait)
        return Refusal("unknown_delivery", receipt.provider_id)


def _whose(snapshot: Snapshot, inbound: Inbound, key: str) -> tuple[Profile, Mapping[str, str]]:
    identity = Identity(
        channel=inbound.space or inbound.channel,
        address=inbound.address,
        added_at=snapshot.now,
        verified_at=snapshot.now if inbound.verified else None,
    )
    return people.resolve(
        snapshot, key, identity, language=inbound.language, declared=inbound.declared, now=snapshot.now
    )


def _noticed(profile: Profile, channel: str, now: datetime, lag: timedelta) -> Profile:
    """Return the profile knowing that they wrote, on which channel, and when: to the minute."""
    last = profile.last_inbound_at
    if last and profile.last_channel == channel and timedelta() <= now - last < lag:
        return profile
    return replace(profile, last_channel=channel, last_inbound_at=now)


def _reachable_again(profile: Profile, key: str) -> Profile:
    """Whoever writes can be written to: a block or a dead address is over. What they asked for themselves stays."""
    identity = profile.identity(key)
    if identity is None or identity.suppression is None or identity.suppression.reason not in OVER_WHEN_THEY_WRITE:
        return profile
    return profile.with_identity(replace(identity, suppression=None))


def _was_erased(profile: Profile, key: str) -> bool:
    identity = profile.identity(key)
    return bool(identity and identity.suppression and identity.suppression.reason == "erased")


def _nothing_unasked(profile: Profile, message: Message, key: str) -> Changes:
    """Return the no to all offers on this channel of somebody who came back: what they had agreed to was erased with them."""
    id = word_id(message.id, "erased")
    return no(Word(id=id, profile=profile.id, channel=key.partition(":")[0], at=message.at, source="erasure"))


def _understood(content: Content, conversation: Conversation) -> Content:
    """Return the content cleaned, and with the payload of the offered button that a typed text names."""
    if (text := clean(content.text)) != content.text:
        content = replace(content, text=text)
    if content.payload is None and conversation.offered and (button := pressed(content.text, conversation.offered)):
        return replace(content, payload=button.payload or button.title)
    return content
