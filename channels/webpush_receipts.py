"""What a browser tells of a message: shown, clicked, dismissed. Believed when it brings the token that came inside the message.

Shown is delivered and clicked is read. A click on a link that counts is counted where that link leads (admin/links.py), every
other one here; a dismissal is told as an event of its own and is no sign of interest. Who has the attribute `no_tracking` is
told of as far as the sending itself needs it: that it arrived.
"""

from datetime import datetime

from channels.counting import may_count, opened
from profiles.links import read, sign
from profiles.reactions import CLICKED, DISMISSED, reaction
from profiles.snapshot import Amend, Changes, Snapshot, Work
from profiles.timeline import Event, Message

CHANNEL = "webpush"
SHOWN, PRESSED, CLOSED = "shown", "clicked", "closed"
WHAT = (SHOWN, PRESSED, CLOSED)
_PURPOSE = "webpush receipt"


def receipt_token(secret: bytes, message: str) -> str:
    """Return the token that comes inside the message and goes back with its receipts."""
    return sign(secret, _PURPOSE, message)


def message_of(secret: bytes, token: str) -> str | None:
    """Return the message whose token this is, or None when it is not ours."""
    parts = read(secret, _PURPOSE, token)
    return parts[0] if parts else None


def works_of(message: Message, what: str, action: int | None, *, public_url: str, now: datetime) -> list[Work]:
    """Return what is to be kept of a click or a dismissal, each once however often it is told. Shown is the front door's."""
    if what == CLOSED:
        told = reaction(DISMISSED, message, now, id=f"{message.id}:{CLOSED}")
        put_away = Amend(message.id, {"delivery.times.dismissed": now})
        return [_told(told, message, put_away)] if told else []
    if what != PRESSED:
        return []
    more = _pressed(message, action)
    if more.get("url", "").startswith(f"{public_url}/l/"):  # the link itself counts, and this very click opens it
        return [opened(message, now)]
    number = "" if action is None else action
    told = reaction(CLICKED, message, now, id=f"{message.id}:{PRESSED}:push{number}", **more)
    return [opened(message, now), *([_told(told, message)] if told else [])]


def _pressed(message: Message, action: int | None) -> dict[str, str]:
    """Return where the press leads, and the button's title; a button that does not exist is the message itself."""
    buttons = [button for button in message.content.buttons if button.title]
    if action is None or not 0 <= action < len(buttons):
        return {"url": message.content.link} if message.content.link else {}
    address = buttons[action].url or message.content.link
    return {"button": buttons[action].title[:100], **({"url": address} if address else {})}


def _told(event: Event, message: Message, *amends: Amend) -> Work:
    def think(snapshot: Snapshot) -> Changes:
        return Changes(events=(event,), amends=amends) if may_count(snapshot, message) else Changes()

    return Work(think, profiles=(message.profile,), key=event.id, key_in="events")
