"""Turns that need the outside world (custom actions) run here, after their message was committed and acknowledged.

Per conversation one at a time and in order. A crash loses nothing: the message stays in `pending` and is found again.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

from bot.answering import applied, broken, heard, known
from bot.brain import Help, Mind, Performs
from bot.office import Attended, Office
from bot.together import memory_of, remember
from profiles.append import said
from profiles.calendar import Clock
from profiles.conversation import Conversation
from profiles.every import Every
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Done, Refusal, Snapshot, Work
from profiles.spoken import heed
from profiles.store import Store, Unavailable, Unstorable
from profiles.tasks import end
from profiles.timeline import BOT, Message
from profiles.writer import Writer

log = logging.getLogger("bot.outside")

SWEEP_SECONDS = 10.0
FORGOTTEN_AFTER = timedelta(seconds=60)  # longer than a turn may take: whoever had it is gone
RETRY_SECONDS = 2.0
_TAKEN = frozenset({"conversation.handed_over", "conversation.taken", "conversation.assigned"})
_MOST_LOOKED_AT = 50

Finished = tuple[Profile, Conversation, Message]


class Outside:
    """Finishes pending messages. `hear` is a listener of the writer."""

    def __init__(
        self,
        mind: Mind,
        actions: Performs,
        writer: Writer,
        store: Store,
        *,
        clock: Clock,
        one_conversation: bool = False,
    ) -> None:
        self._together = one_conversation
        self._mind, self._actions, self._writer, self._store, self._clock = mind, actions, writer, store, clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._sweeping = Every(SWEEP_SECONDS, self.sweep, name="outside")

    async def start(self) -> None:
        """Begin to look for messages that a crash left unanswered."""
        await self._sweeping.start()

    def hear(self, committed: list[Changes]) -> None:
        """Begin with every conversation that was left owing an answer."""
        for changes in committed:
            for conversation in changes.conversations:
                if conversation.pending and conversation.owner == "bot":
                    self._begin(conversation.id)
            for event in changes.events:
                if event.name in _TAKEN and event.conversation:
                    self._tell(event.conversation)

    async def sweep(self) -> None:
        """Begin with the conversations that owe an answer for too long."""
        late = {"pending": {"$exists": True}, "last_inbound_at": {"$lt": self._clock() - FORGOTTEN_AFTER}}
        for document in await self._store.find("conversations", late, limit=100, only=["_id"]):
            self._begin(document["_id"])

    async def close(self) -> None:
        """Stop; what is unfinished stays pending and is found by the next process."""
        await self._sweeping.close()
        await end(*self._tasks.values(), *self._telling)

    def _tell(self, conversation: str) -> None:
        task = asyncio.create_task(self._mind.people_took(conversation), name="outside-taken")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _said_by_people(self, id: str, before: int) -> list[str]:
        """Return what agents said since the bot last spoke, the oldest first; of long silences the last 50 messages."""
        where = {"conversation": id, "seq": {"$lt": before}, "direction": "outbound"}
        found = await self._store.find("messages", where, sort=[("seq", -1)], limit=_MOST_LOOKED_AT)
        messages = [from_document(Message, document) for document in found]
        since = list(takewhile(lambda message: message.author != BOT, messages))
        return [message.content.text for message in reversed(since) if message.content.text]

    def _begin(self, conversation: str) -> None:
        if conversation not in self._tasks:
            task = asyncio.create_task(self._answer(conversation), name="outside-turn")
            self._tasks[conversation] = task
            task.add_done_callback(lambda _: self._tasks.pop(conversation, None))

    async def _answer(self, id: str) -> None:
        while True:
            try:
                owed = await self._owed(id)
                if owed is None or not await self._answer_one(*owed):
                    return
            except Unavailable as error:
                log.warning("outside.turn waits conversation=%s reason=%s", id, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _owed(self, id: str) -> Finished | None:
        """Return the next message that this conversation owes an answer to, with whom it is from."""
        document = await self._store.get("conversations", id)
        conversation = from_document(Conversation, document) if document else None
        if conversation is None or not conversation.pending or conversation.owner != "bot":
            return None
        profile = await self._store.get("profiles", conversation.profile)
        message = await self._store.get("messages", conversation.pending[0])
        if profile is None or message is None:
            return None
        return from_document(Profile, profile), conversation, from_document(Message, message)

    async def _answer_one(self, profile: Profile, conversation: Conversation, message: Message) -> bool:
        """Run one turn with its actions and commit what it comes to. False: somebody else has done it or taken over."""
        turn = None
        try:
            attended = Attended(self._actions, Office(self._store, self._writer, conversation.id, message.id))
            help = Help(attended, lambda: self._said_by_people(conversation.id, message.seq))
            memory = memory_of(profile, conversation) if self._together else conversation.bot
            turn = await self._mind.think(memory or None, heard(message), known(profile, conversation), help)
        except Exception as error:  # noqa: BLE001 (a bot's own code may raise anything; a person takes over)
            log.error("outside.turn broke message=%s error=%s", message.id, type(error).__name__, exc_info=error)

        def think(snapshot: Snapshot) -> Changes | Refusal:
            now, here = snapshot.now, snapshot.conversations.get(conversation.id)
            person = snapshot.profile(here.profile) if here else None
            if here is None or person is None or here.owner != "bot" or here.pending[:1] != (message.id,):
                return Refusal("answered_meanwhile")
            if self._together and turn:
                person = remember(person, here, turn.tracker)
            answer = applied(turn, person, here, message, now) if turn else broken(person, here, message, now)
            here = replace(answer.conversation, pending=answer.conversation.pending[1:])
            replies = []
            for number, content in enumerate(answer.says, 1):
                here, reply = said(
                    here, content, id=f"{message.id}:{number}", author=BOT, now=now,
                    to=here.identity, reply_to=message.id,
                )  # fmt: skip
                replies.append(reply)
            changes = Changes(
                profiles=(answer.profile,), conversations=(here,), messages=tuple(replies), events=answer.events
            )
            return heed(changes, answer.profile.id)

        work = Work(think, conversations=(conversation.id,), key=f"{message.id}:1")
        try:
            outcome = await self._writer.commit(work)
        except Unstorable:  # its actions would else be run again and again, and nobody answer
            log.error("outside.answer unstorable message=%s", message.id)
            turn = None
            outcome = await self._writer.commit(work)
        return isinstance(outcome, Done)
