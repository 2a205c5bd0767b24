"""A conversation that an agent has left without a word goes back to the bot, so that the next question gets an answer.

Only when the customer waits for nothing: a question that nobody answered stays with people.
"""

from datetime import datetime, timedelta

from profiles.calendar import Clock
from profiles.conversation import Conversation, give_back
from profiles.every import Every
from profiles.record import matching
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.store import Store
from profiles.timeline import SYSTEM, Event
from profiles.writer import Writer

EVERY_SECONDS = 30.0
BATCH = 100


class IdleReturn:
    """Looks every 30 seconds; several processes may look at once, the conversation's version decides."""

    def __init__(self, writer: Writer, store: Store, *, after: timedelta, clock: Clock) -> None:
        self._writer, self._store, self._after, self._clock = writer, store, after, clock
        self._looking = Every(EVERY_SECONDS, self.look, name="idle")

    async def start(self) -> None:
        """Begin to look; a length of zero means never."""
        if self._after:
            await self._looking.start()

    async def close(self) -> None:
        """Stop looking."""
        await self._looking.close()

    async def look(self) -> int:
        """Give back what is idle now, at most 100, and return how many that was."""
        idle = matching(Conversation, owner="agent", status="open", waiting_since=None)
        quiet = {"last_at": {"$lt": self._clock() - self._after}}
        found = await self._store.find("conversations", {**idle, **quiet}, limit=BATCH, only=["_id"])
        ids = [str(document["_id"]) for document in found]
        outcomes = [await self._writer.commit(_return(id, self._after)) for id in ids]
        return sum(not isinstance(outcome, Refusal) for outcome in outcomes)


def _return(id: str, after: timedelta) -> Work:
    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None or not _is_idle(conversation, after, snapshot.now):
            return Refusal("not_idle")
        event = Event(
            id=f"{id}:idle:{conversation.version}",
            profile=conversation.profile,
            name="conversation.given_back",
            happened_at=snapshot.now,
            conversation=id,
            by=SYSTEM,
            properties={"reason": "idle", "from": conversation.assignee},
        )
        return Changes(conversations=(give_back(conversation),), events=(event,))

    return Work(think, conversations=(id,))


def _is_idle(conversation: Conversation, after: timedelta, now: datetime) -> bool:
    quiet = conversation.last_at is not None and conversation.last_at < now - after
    return conversation.owner == "agent" and conversation.is_open and conversation.waiting_since is None and quiet
