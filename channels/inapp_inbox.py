"""What one person's inbox shows: the messages that reached it, the newest first, and how each looks to an app or the widget.

There is no second store: a message in the app is a message like any other, and its delivery says whether it was seen. One that
is put away, or not worth showing any more, is not shown.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from profiles.calendar import from_timestamp
from profiles.record import from_document
from profiles.store import Store
from profiles.timeline import Content, Message
from profiles.tracking import without_links

CHANNEL = "inapp"
DISMISSED = "dismissed"
REACHED = ("sent", "delivered", "read")
UNREAD = ("sent", "delivered")
KEPT_FOR = timedelta(days=90)
MOST_UNREAD = 99  # counted no further: nobody reads a larger number
_CURSOR = re.compile(r"(\d{1,15})-(.{1,400})", re.DOTALL)


class Inbox:
    """Reads. Every call raises Unavailable when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, profiles: Sequence[str], now: datetime, *, before: str, limit: int
    ) -> tuple[list[Message], str]:
        """Return messages of this person, the newest first, and the cursor of the next page, empty on the last.

        `profiles` are the ids that the person goes by. Raises ValueError for a cursor that is none of ours.
        """
        where = _shown(profiles, now) | (_older(before) if before else {})
        rows = await self._store.find("messages", where, sort=[("at", -1), ("_id", -1)], limit=limit + 1)
        messages = [from_document(Message, row) for row in rows[:limit]]
        return messages, _cursor(messages[-1]) if len(rows) > limit else ""

    async def unread(self, profiles: Sequence[str], now: datetime) -> int:
        """Return how many were not seen yet, at most 99."""
        where = _shown(profiles, now) | {"delivery.state": {"$in": list(UNREAD)}, "content.silent": {"$ne": True}}
        return await self._store.count("messages", where, at_most=MOST_UNREAD)

    async def some(self, ids: Sequence[str]) -> list[Message]:
        """Return those of these messages that exist."""
        return [from_document(Message, row) for row in await self._store.get_many("messages", ids)]


def item(message: Message) -> dict[str, Any]:
    """Return the message as an app or the widget gets it.

    Its link and buttons lead straight to where the author meant: an app opens its own pages, and reports the tap. Addresses in
    the text lead over the server, which counts them.
    """
    content: Content = without_links(message.content)
    assert message.delivery  # only what was sent is shown
    said: dict[str, Any] = {
        "id": message.id,
        "at": message.at.isoformat(),
        "is_seen": message.delivery.state == "read",
        "is_banner": content.banner,
        "urgency": str(message.metadata.get("urgency") or "normal"),
    }
    shown: dict[str, Any] = {
        "title": content.title, "text": message.content.text, "image": content.image, "link": content.link,
        "data": dict(content.data), "is_silent": content.silent,
        "buttons": [_button(button.title, button.url, button.payload) for button in content.buttons if button.title],
        "expires_at": content.expires_at.isoformat() if content.expires_at else None,
    }  # fmt: skip
    return said | {name: value for name, value in shown.items() if value}


def _button(title: str, url: str | None, payload: str | None) -> dict[str, str]:
    return {"title": title, **({"url": url} if url else {"payload": payload or title})}


def _shown(profiles: Sequence[str], now: datetime) -> dict[str, Any]:
    return {
        "profile": {"$in": list(profiles)},
        "channel": CHANNEL,
        "delivery.state": {"$in": list(REACHED)},
        f"delivery.times.{DISMISSED}": None,
        "content.expires_at": {"$not": {"$lte": now}},
        "at": {"$gte": now - KEPT_FOR},
    }


def _older(cursor: str) -> dict[str, Any]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("no cursor of ours")
    at, id = from_timestamp(int(found[1]) / 1000), found[2]
    return {"$or": [{"at": {"$lt": at}}, {"at": {"$eq": at}, "_id": {"$lt": id}}]}


def _cursor(message: Message) -> str:
    return f"{round(message.at.timestamp() * 1000)}-{message.id}"
