"""The phones and tablets that may be written to: one row per push token, beside the identity that says whose it is.

The token is the identity's address (`apns:<token>`), so a person's devices are their identities; the row knows what a push
service asks for beside the token. docs/channels/devices.md tells how apps register.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.apns_client import is_token
from channels.banning import ban, is_final
from channels.channel import Door, Failed, Later, Outbound, Sending, Sent, Unknown
from profiles.record import from_document
from profiles.store import Unavailable

COLLECTION = "devices"
PLATFORMS = ("fcm", "apns")
MOST_DEVICES = 10  # of one person, those registered last
LONGEST_TOKEN = 1024  # characters; Firebase's have about 160 and no promised length

_FCM_TOKEN = re.compile(r"[A-Za-z0-9_:.-]{20,1024}")


@dataclass(frozen=True, slots=True)
class Device:
    """One installation of an app."""

    id: str
    """The key of its identity: `fcm:<token>`."""
    app: str
    """The app's own id: com.example.shop. Apple wants it with each push."""
    registered_at: datetime
    """When the app said the token last; it may live again after Apple knew it as dead."""
    locale: str | None = None
    sandbox: bool = False
    """Whether a build from Xcode runs there: Apple keeps those apart."""


def token_of(platform: str, text: str) -> str | None:
    """Return the token as it is kept, or None when it can be none: nothing of another's may enter an address or header."""
    if platform == "apns":
        device = text.strip().lower() if len(text) <= LONGEST_TOKEN else ""
        return device if is_token(device) else None
    return text if _FCM_TOKEN.fullmatch(text) else None


async def to_every_device(
    outbound: Outbound, space: str, door: Door, one: Callable[[str, Device | None], Awaitable[Sending]]
) -> Sending:
    """Hand the message to each device of its person, and return what became of it for the person.

    `one` is called with an address and its row. The address that the message was decided for comes first; a dead one is
    suppressed whatever became of the others.
    """
    addresses = await _addresses(outbound, space, door)
    rows = await _rows(door, [f"{space}:{address}" for address in addresses])
    return await _to_all(addresses, space, door, lambda address: one(address, rows.get(f"{space}:{address}")))


async def to_every_address(
    outbound: Outbound, space: str, door: Door, one: Callable[[str], Awaitable[Sending]]
) -> Sending:
    """Do the same where the channel keeps rows of its own."""
    return await _to_all(await _addresses(outbound, space, door), space, door, one)


async def _to_all(
    addresses: Sequence[str], space: str, door: Door, one: Callable[[str], Awaitable[Sending]]
) -> Sending:
    if len(addresses) == 1:  # nearly always: no task is made for it
        outcomes = [await one(addresses[0])]
    else:
        outcomes = await asyncio.gather(*(one(address) for address in addresses))
    for address, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, Failed) and is_final(outcome.reason):
            await _bury(f"{space}:{address}", outcome.reason, door)
    return together(outcomes)


def together(outcomes: Sequence[Sending]) -> Sending:
    """Return what these outcomes of one message mean for its person: one device that has it is enough."""
    for kind in (Sent, Unknown, Later):  # what may have arrived is not tried again as if it had not
        if found := [outcome for outcome in outcomes if isinstance(outcome, kind)]:
            return found[0]
    living = [outcome for outcome in outcomes if isinstance(outcome, Failed) and not is_final(outcome.reason)]
    return living[0] if living else outcomes[0]


async def _addresses(outbound: Outbound, space: str, door: Door) -> list[str]:
    try:
        profile = await door.writer.recent.profile(outbound.profile) if outbound.profile else None
    except Unavailable:
        profile = None
    if profile is None:
        return [outbound.address]
    own = [
        identity for identity in profile.identities
        if identity.channel == space and identity.is_claimed and not identity.suppression
        and identity.address != outbound.address
    ]  # fmt: skip
    own.sort(key=lambda identity: identity.verified_at or identity.added_at, reverse=True)
    return [outbound.address, *(identity.address for identity in own[: MOST_DEVICES - 1])]


async def _rows(door: Door, keys: list[str]) -> Mapping[str, Device]:
    try:
        found = await door.store.get_many(COLLECTION, keys)
    except Unavailable:  # a push needs none of it when there is one app
        return {}
    return {row["_id"]: from_document(Device, row) for row in found}


async def _bury(key: str, reason: str, door: Door) -> None:
    """Suppress what can not be reached any more; the message's own fate does not wait for the database."""
    try:
        await door.writer.commit(ban(key, reason))
        await door.store.remove(COLLECTION, {"_id": {"$eq": key}})
    except Unavailable:  # the next push says so again
        return
