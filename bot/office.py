"""The desk behind `bot.sdk.profile` inside the server: one conversation, read from the store, changed by the writer.

Every change is committed at once, so that a later action of the same turn sees it. Each note and fact has the id of the
message and its number in the turn: the same turn run again after a crash writes nothing twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from bot.brain import Performs
from bot.cleaning import clean_text, clean_value
from bot.contract import ActionCall, ActionResult
from bot.sdk import working_at
from profiles.append import noted
from profiles.attributes import edit
from profiles.conversation import Conversation
from profiles.profile import Profile, Source
from profiles.record import from_document
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.spoken import heed
from profiles.store import Store
from profiles.survivor import survivor
from profiles.timeline import BOT, Event
from profiles.writer import Writer

MOST_CHANGES = 20


@dataclass(slots=True)
class Office:
    """One turn's desk."""

    store: Store
    writer: Writer
    conversation: str
    message: str
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    leaves: tuple[str | None] | None = None
    """(team,) once an action asked for people."""
    _written: int = 0
    _changes: int = 0

    async def known(self) -> Mapping[str, Any]:
        """Return id, name, language, channels and attributes. Raises LookupError when there is no such conversation."""
        person = await self._person()
        return {
            "id": person.id,
            "name": person.name,
            "language": person.language,
            "channels": sorted({identity.channel for identity in person.identities}),
            "attributes": {name: attribute.value for name, attribute in person.attributes.items()},
        }

    async def learn(self, values: Mapping[str, Any], source: str) -> Mapping[str, str]:
        """Keep these attributes; return what was refused, and why. The others are kept."""
        refused: dict[str, str] = {}

        def think(here: Conversation, before: Profile, now: datetime) -> Changes:
            refused.clear()
            person = before
            for name, value in values.items():
                edited = edit(person, name, value, source=cast(Source, source), by=BOT, now=now)
                if isinstance(edited, Refusal):
                    refused[name] = edited.detail or edited.reason
                else:
                    person = edited
            return Changes(profiles=(person,)) if person is not before else Changes()

        await self._commit(think)
        return refused

    async def record(self, name: str, properties: Mapping[str, Any]) -> None:
        """Put a fact on the timeline, once however often the turn is run."""
        id = self._next("f")

        def think(here: Conversation, person: Profile, now: datetime) -> Changes:
            told = {"channel": here.channel, "message": self.message, "source": "bot", **clean_value(dict(properties))}
            return heed(Changes(events=(Event(id, person.id, name, now, here.id, BOT, "bot", told),)), person.id)

        await self._commit(think, id, "events")

    async def note(self, text: str) -> None:
        """Put a private note into the conversation, once however often the turn is run."""
        id = self._next("n")

        def think(here: Conversation, person: Profile, now: datetime) -> Changes:
            here, message = noted(here, clean_text(text), id=id, author=BOT, now=now)
            return Changes(conversations=(here,), messages=(message,))

        await self._commit(think, id, "messages")

    def hand_over(self, team: str | None) -> None:
        """Give the conversation to people when the action is done."""
        self.leaves = (team,)

    def _next(self, kind: str) -> str:
        self._written += 1
        return f"{self.message}:{kind}{self._written}"

    async def _person(self) -> Profile:
        document = await self.store.get("conversations", self.conversation)
        person = await survivor(self.store, from_document(Conversation, document).profile) if document else None
        if person is None:
            raise LookupError(f"no conversation {self.conversation}")
        return person

    async def _commit(
        self,
        change: Callable[[Conversation, Profile, datetime], Changes],
        key: str | None = None,
        key_in: str = "messages",
    ) -> None:
        self._changes += 1
        if self._changes > MOST_CHANGES:
            raise RuntimeError(f"a turn may change at most {MOST_CHANGES} things of a person")

        def think(snapshot: Snapshot) -> Changes | Refusal:
            here = snapshot.conversations.get(self.conversation)
            person = snapshot.profile(here.profile) if here else None
            if here is None or person is None:
                return Refusal("unknown_conversation")
            return change(here, person, snapshot.now)

        outcome = await self.writer.commit(Work(think, conversations=(self.conversation,), key=key, key_in=key_in))
        if isinstance(outcome, Refusal):
            raise LookupError(f"no conversation {self.conversation}")


@dataclass(frozen=True, slots=True)
class Attended:
    """Custom actions with a desk behind them: `profile(tracker)` works while they run."""

    actions: Performs
    office: Office

    async def run(self, call: ActionCall) -> ActionResult:
        """Return what the action came to; a handover it asked for at the desk is its last event."""
        with working_at(self.office):
            result = await self.actions.run(call)
        if self.office.leaves is None or result.outcome != "done":
            return result
        (team,), self.office.leaves = self.office.leaves, None
        paused = {"event": "pause", "team": team, "tell": not result.responses}
        return ActionResult("done", (*result.events, paused), result.responses)
