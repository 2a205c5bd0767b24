"""What a person did with a message, as their app or the widget tells it: seen, clicked, put away. Pure.

It is counted as a click through a link is (admin/links.py): never of somebody who wants nothing counted, and once within ten
minutes. What the person sees of it (that it was read, that it is gone) holds whatever is counted.
"""

from datetime import datetime
from typing import Literal

from channels.arrivals import mark
from channels.channel import Receipt
from channels.counting import ONE_CLICK_SECONDS, may_count
from channels.inapp_inbox import DISMISSED
from profiles.reactions import CLICKED, reaction
from profiles.reactions import DISMISSED as PUT_AWAY
from profiles.record import replace
from profiles.snapshot import Amend, Changes, Refusal, Snapshot, Work
from profiles.timeline import Event, Message

Did = Literal["seen", "clicked", "dismissed"]
DID: tuple[Did, ...] = ("seen", "clicked", "dismissed")


def reported(message: Message, did: Did, now: datetime) -> Work:
    """Return the Work that keeps what was done with this message. Whoever acts on it has seen it."""
    noted = mark(message.id, Receipt(message.channel, "", "read", now))
    event = _event(message, did, now)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        found = noted.think(snapshot)
        known = snapshot.messages.get(message.id)
        if isinstance(found, Refusal) or known is None or known.delivery is None:
            return found
        if did == "dismissed" and DISMISSED not in known.delivery.times:
            found = found.then(Changes(amends=(Amend(message.id, {f"delivery.times.{DISMISSED}": now}),)))
        if event and ("events", event.id) not in snapshot.records:
            found = found.then(Changes(events=(event,)))
        return found if may_count(snapshot, message) else replace(found, events=())

    read = (("events", event.id),) if event else ()
    return Work(think, messages=(message.id,), profiles=(message.profile,), records=read)


def delivered(message: Message, now: datetime) -> Work:
    """Return the Work that notes that an app or a page has fetched it."""
    return mark(message.id, Receipt(message.channel, "", "delivered", now))


def _event(message: Message, did: Did, now: datetime) -> Event | None:
    match did:
        case "clicked":
            id = f"{message.id}:clicked:app:{int(now.timestamp()) // ONE_CLICK_SECONDS}"
            return reaction(CLICKED, message, now, id=id, source="app")
        case "dismissed":
            return reaction(PUT_AWAY, message, now, id=f"{message.id}:dismissed", source="app")
        case _:
            return None
