"""Everything that is known of a person, for them to take away as JSON, read and written page by page however much it is.

Private notes of the team are not in it: they speak of agents too, and people give them out on demand.
"""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from admin.throttle import Allowance, allowed
from profiles.consents import Consents
from profiles.ledgers import Ledgers
from profiles.passes import PASSES
from profiles.profile import Profile
from profiles.store import Store

PAGE = 500
EXPORTS = Allowance(2, timedelta(hours=1))
"""Of one person, by one who asks: each reads all that is kept of them."""


async def may_read(store: Store, profile: Profile, by: str, *, now: datetime) -> bool:
    """Count one reading by this person, agent or key, and return whether there were few enough in this hour."""
    return await allowed(store, f"export|{by}|{profile.id}", EXPORTS, now=now)


async def written(store: Store, consents: Consents, ledgers: Ledgers, profile: Profile) -> AsyncIterator[bytes]:
    """Yield the pieces of one JSON object: section -> list of items."""
    section = ""
    yield b"{"
    async for name, item in items(store, consents, ledgers, profile):
        opening = ",\n" if name == section else f"{'],' if section else ''}\n{json.dumps(name)}: [\n"
        section = name
        yield (opening + json.dumps(item, ensure_ascii=False, default=_plain)).encode("utf-8", "replace")
    yield b"]}\n"


async def whole(store: Store, consents: Consents, ledgers: Ledgers, profile: Profile) -> dict[str, list[Any]]:
    """Return the same object at once, for who asks by the API."""
    pieces = [piece async for piece in written(store, consents, ledgers, profile)]
    found: dict[str, list[Any]] = json.loads(b"".join(pieces))
    return found


async def items(store: Store, consents: Consents, ledgers: Ledgers, profile: Profile) -> AsyncIterator[tuple[str, Any]]:
    """Yield (section, item) of everything that is known of a person: a section's items follow one another."""
    whose = [profile.id, *profile.absorbed]
    ledger = (await ledgers.read([profile.id]))[profile.id]
    yield "profile", {"id": profile.id, "created_at": profile.created_at, "language": profile.language}
    for identity in profile.identities:
        yield "identities", {
            "channel": identity.channel, "address": identity.address, "added_at": identity.added_at,
            "verified_at": identity.verified_at,
            "suppressed": identity.suppression.reason if identity.suppression else None,
        }  # fmt: skip
    for name, known in profile.attributes.items():
        yield "attributes", {"name": name, "value": known.value, "source": known.source, "at": known.at}
    if learned := profile.reactivity:
        yield "reactivity", {
            "at": learned.at, "reactions_by_hour": list(learned.hours),
            "channels": {name: {"sent": one.sent, "reacted": one.reacted} for name, one in learned.channels.items()},
        }  # fmt: skip
    for name, given in ledger.on.items():
        yield "consents", {"about": name, "given": given, "at": ledger.at.get(name)}
    for proof in await consents.proofs(whose):
        yield "proofs", {
            "at": proof.at, "change": proof.change, "channel": proof.channel, "topic": proof.topic,
            "source": proof.source, "wording": proof.wording, "version": proof.version,
        }  # fmt: skip
    async for message in _all(store, "messages", {"profile": {"$in": whose}, "direction": {"$ne": "note"}}):
        delivery = message.get("delivery") or {}
        yield "messages", {
            "at": message["at"], "channel": message["channel"], "direction": message["direction"],
            "text": message["content"].get("text", ""), "state": delivery.get("state"),
            "files": [file.get("name") for file in message["content"].get("attachments", ())],
        }  # fmt: skip
    async for held in _all(store, PASSES, {"profile": {"$in": whose}}):
        yield "wallet_cards", {
            "card": held["card"], "made_at": held["made_at"], "changed_at": held["changed_at"],
            "apple_devices": held.get("devices", 0), "in_google_wallet": held.get("saved", False),
            "message": held.get("message", ""), "set": held.get("put", {}),
        }  # fmt: skip
    async for event in _all(store, "events", {"profile": {"$in": whose}}):
        yield "events", {
            "at": event["happened_at"], "name": event["name"], "properties": event.get("properties", {}),
        }  # fmt: skip


async def _all(store: Store, collection: str, where: dict[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    """Yield all of a person's rows, by key, so that a long history is read page by page."""
    after: str | None = None
    while True:
        page = await store.find(
            collection, {**where, **({"_id": {"$gt": after}} if after else {})}, sort=[("_id", 1)], limit=PAGE
        )
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        after = page[-1]["_id"]


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
