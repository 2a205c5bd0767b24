"""Fires the reminders that custom actions set: each comes due as an event from outside, and the bot answers it.

The reminders stand in the conversation's own memory, so nothing is lost when the server stops, and several processes may
look at once: the memory decides who was first. Where people own the conversation by then, the bot keeps quiet.
"""

import logging
from datetime import datetime

from bot.answering import applied, broken, known
from bot.brain import Bot, Heard, Performs, Turn, perform
from bot.office import Attended, Office
from bot.reminding import Reminder, next_due, without
from profiles.append import said
from profiles.calendar import Clock
from profiles.conversation import Conversation
from profiles.every import Every
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Done, Duplicate, Outcome, Refusal, Snapshot, Think, Work
from profiles.spoken import heed
from profiles.store import Store, Unstorable
from profiles.timeline import BOT, SYSTEM, Content, Message
from profiles.writer import Writer

log = logging.getLogger("bot.reminders")

EVERY_SECONDS = 5.0
BATCH = 100


class Reminders:
    """Looks every 5 seconds for reminders that are due."""

    def __init__(self, bot: Bot, actions: Performs, writer: Writer, store: Store, *, clock: Clock) -> None:
        self._bot, self._actions, self._writer, self._store, self._clock = bot, actions, writer, store, clock
        self._looking = Every(EVERY_SECONDS, self.look, name="reminders")

    async def start(self) -> None:
        """Begin to look."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop looking; what is due by then is fired by the next process."""
        await self._looking.close()

    async def look(self) -> int:
        """Fire what is due now, in at most 100 conversations, and return how many reminders that was."""
        if not self._bot.current.has_actions:  # then nothing sets reminders
            return 0
        due = {"bot.due_at": {"$lte": self._clock().timestamp()}}
        fired = 0
        for document in await self._store.find("conversations", due, limit=BATCH, only=["_id"]):
            while await self._fire_next(str(document["_id"])):
                fired += 1
        return fired

    async def _fire_next(self, id: str) -> bool:
        """Fire the conversation's next reminder that is due; False when there is none, or others were faster."""
        document = await self._store.get("conversations", id)
        conversation = from_document(Conversation, document) if document else None
        reminder = next_due(conversation.bot, self._clock()) if conversation else None
        if conversation is None or reminder is None or conversation.pending:
            return False  # what is pending is answered first
        person = await self._store.get("profiles", conversation.profile)
        if person is None:
            return False
        event, quiet = _event(conversation, reminder, self._clock()), _quiet(conversation, reminder)
        if refused := self._why_quiet(conversation, reminder):
            log.info("reminders.fire skipped conversation=%s reason=%s", id, refused)
            return isinstance(await self._commit(conversation, quiet, event), Done)
        turn = await self._turn(conversation, from_document(Profile, person), reminder, event)
        try:
            outcome = await self._commit(conversation, turn, event, key=f"{event.id}:1")
        except Unstorable:  # its actions would else be run again and again, and those after it never come due
            log.error("reminders.answer unstorable conversation=%s", id)
            outcome = await self._commit(conversation, None, event)
        if isinstance(outcome, Duplicate):  # an action set it anew for the very second at which it was said
            log.info("reminders.fire skipped conversation=%s reason=said", id)
            outcome = await self._commit(conversation, quiet, event)
        return isinstance(outcome, Done)

    def _why_quiet(self, conversation: Conversation, reminder: Reminder) -> str | None:
        """Return why nothing is said, if so: people answer, or the bot knows this intent no more."""
        if conversation.owner != "bot":
            return conversation.owner
        return None if reminder["intent"] in self._bot.current.script.domain.intents else "unknown_intent"

    async def _commit(
        self, conversation: Conversation, turn: Turn | None, event: Message, key: str | None = None
    ) -> Outcome:
        work = Work(_think(conversation, turn, event), conversations=(conversation.id,), key=key)
        return await self._writer.commit(work)

    async def _turn(
        self, conversation: Conversation, person: Profile, reminder: Reminder, event: Message
    ) -> Turn | None:
        heard = Heard(
            id=event.id,
            text="",
            channel=conversation.channel,
            at=event.at,
            event=reminder["intent"],
            entities=tuple(reminder["entities"]),
        )
        attended = Attended(self._actions, Office(self._store, self._writer, conversation.id, event.id))
        try:
            memory = without(conversation.bot, reminder)
            return await perform(self._bot.current, memory, heard, known(person, conversation), attended)
        except Exception as error:  # noqa: BLE001 (a bot's own code may raise anything; a person takes over)
            log.error(
                "reminders.turn broke conversation=%s error=%s", conversation.id, type(error).__name__, exc_info=error
            )
            return None


def _event(conversation: Conversation, reminder: Reminder, now: datetime) -> Message:
    """Return what the bot answers; it is not stored, its id names the answers."""
    return Message(
        id=f"{conversation.id}:reminder:{reminder['name']}:{reminder['at']:.0f}",
        conversation=conversation.id,
        profile=conversation.profile,
        channel=conversation.channel,
        direction="inbound",
        author=SYSTEM,
        content=Content(),
        seq=conversation.seq,
        at=now,
    )


def _quiet(conversation: Conversation, reminder: Reminder) -> Turn:
    return Turn(tracker=without(conversation.bot, reminder), says=())


def _think(before: Conversation, turn: Turn | None, event: Message) -> Think:
    def think(snapshot: Snapshot) -> Changes | Refusal:
        here = snapshot.conversations.get(before.id)
        person = snapshot.profile(here.profile) if here else None
        if here is None or person is None or here.bot != before.bot or here.owner != before.owner:
            return Refusal("changed_meanwhile")
        answer = applied(turn, person, here, event, snapshot.now) if turn else broken(person, here, event, snapshot.now)
        here, replies = answer.conversation, []
        for number, content in enumerate(answer.says, 1):
            here, reply = said(here, content, id=f"{event.id}:{number}", author=BOT, now=snapshot.now, to=here.identity)
            replies.append(reply)
        changes = Changes(
            profiles=(answer.profile,), conversations=(here,), messages=tuple(replies), events=answer.events
        )
        return heed(changes, answer.profile.id)

    return think
