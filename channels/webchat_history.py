"""Reading a visitor's conversation back: pages of messages, without the agents' private notes."""

from collections.abc import Mapping
from typing import Any

from channels.webchat_frames import Frame, spoken
from channels.webchat_tokens import file_query
from profiles.calendar import Clock
from profiles.conversation import Conversation
from profiles.record import from_document
from profiles.store import Store
from profiles.timeline import Message

PAGE = 50


class History:
    """One per channel. Every read raises Unavailable when the database does not answer."""

    def __init__(self, store: Store, *, files_url: str, secret: bytes, clock: Clock) -> None:
        self._store, self._files_url, self._secret, self._clock = store, files_url, secret, clock
        self._names: dict[str, str] = {}

    async def conversation(self, id: str) -> Conversation | None:
        """Return the conversation's record, or None before its first message."""
        found = await self._store.get("conversations", id)
        return from_document(Conversation, found) if found else None

    async def before(self, conversation: str, seq: int | None = None) -> list[Message]:
        """Return the last messages before this one (None: of all), oldest first, notes among them, at most PAGE."""
        where: dict[str, Any] = {"conversation": conversation}
        if seq is not None:
            where["seq"] = {"$lt": seq}
        return list(reversed(await self._find(where, -1)))

    async def after(self, conversation: str, seq: int) -> list[Message]:
        """Return the messages after this one, oldest first, notes among them, at most PAGE."""
        return await self._find({"conversation": conversation, "seq": {"$gt": seq}}, 1)

    async def one(self, conversation: str, seq: int) -> Message | None:
        """Return this message, or None when there is none."""
        found = await self._store.first("messages", {"conversation": conversation, "seq": seq})
        return from_document(Message, found) if found else None

    async def frame(self, message: Message) -> Frame | None:
        """Return how the visitor's browser hears of this message; None for a note, which never leaves."""
        if message.direction == "note":
            return None
        return spoken(message, name=await self._name(message.author), link=self._link)

    async def frames(self, messages: list[Message]) -> list[Frame]:
        """Return the frames of these messages, notes left out."""
        frames = [await self.frame(message) for message in messages]
        return [frame for frame in frames if frame]

    async def page(self, page: list[Message], *, reset: bool) -> Frame:
        """Return the frame of a page; `reset` when it replaces whatever the browser shows."""
        return {
            "type": "history",
            "messages": await self.frames(page),
            "first": page[0].seq if page else 0,
            "more": len(page) == PAGE and page[0].seq > 1,
            "reset": reset,
        }

    async def _find(self, where: Mapping[str, Any], direction: int) -> list[Message]:
        found = await self._store.find("messages", where, sort=[("seq", direction)], limit=PAGE)
        return [from_document(Message, document) for document in found]

    async def _name(self, author: str) -> str:
        """Return the name by which visitors know this agent, remembered; empty for the bot and the visitor."""
        if not author.startswith("agent:"):
            return ""
        if author not in self._names:
            found = await self._store.get("agents", author.removeprefix("agent:")) or {}
            self._names[author] = str(found.get("public_name") or found.get("name") or "")
        return self._names[author]

    def _link(self, file: str) -> str:
        return f"{self._files_url}/{file}?{file_query(file, self._secret, self._clock())}"
