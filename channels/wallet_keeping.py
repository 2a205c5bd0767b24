"""What becomes of a pass: made, changed, put on a device, taken off it. Pure: snapshot in, changes out.

Every change of what passes show takes the next tag of all, from one record that its commit must find as it read it: so tags are
given in the order of commits, whatever process commits, and a device that has seen tag 7 has missed nothing before it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from channels.wallet_face import Unshown, face_of
from profiles.ids import new_id
from profiles.passes import PASSES, SPACE, Card, Pass, Wish
from profiles.profile import Identity, Profile, Suppression
from profiles.record import from_document, replace, to_document
from profiles.snapshot import Changes, Refusal, Snapshot, Write
from profiles.timeline import CUSTOMER, SYSTEM, Event

DEVICES = "wallet_devices"
TAGS, ALL = "wallet_tags", "all"
TAG_KEY = (TAGS, ALL)
SETTLES_IN = timedelta(seconds=1)
"""How long a change waits for others of the same pass before the wallets are told."""
MOST_DEVICES = 30
"""On how many devices one pass may be: nobody has more, and whoever has a pass could register devices for ever."""


def kept(
    snapshot: Snapshot, wish: Wish, card: Card, serials: Sequence[str], *, language: str, zone: tzinfo
) -> Changes | Refusal:
    """Return the changes that make or change this person's passes of this card; `answer` is changed or same.

    `serials` are those that such a pass may have, the person's own first: whoever was merged may have several. Refused:
    nobody, unshown.
    """
    profile = snapshot.profile(wish.profile)
    if profile is None:
        return Refusal("nobody")
    records = [(serial, snapshot.records.get((PASSES, serial))) for serial in serials]
    there = [one for one in records if one[1]] or records[:1]
    tag = int(snapshot.records.get(TAG_KEY, {}).get("tag", 0))
    changes, first = Changes(answer="same"), tag
    for serial, record in there:
        before = from_document(Pass, record) if record else None
        made = before or Pass(
            serial, wish.profile, card.id, snapshot.now, snapshot.now, 0, profile.language or language
        )
        after = _changed(_wished(made, wish), before, card, profile, now=snapshot.now, zone=zone, tag=tag + 1)
        if isinstance(after, Refusal):
            return after
        if after is None:
            continue
        tag += 1
        changes = changes.then(
            Changes(writes=(_write(after),), events=() if before else (_issued(after, snapshot.now),))
        )
    if tag == first:
        return changes
    return replace(changes, writes=(*changes.writes, Write(TAGS, ALL, {"tag": tag})), answer="changed")


def added(snapshot: Snapshot, serial: str, device: str, push_token: str) -> Changes | Refusal:
    """Return the changes that put a pass on a device; `answer` is new or known. Refused: unknown_pass, too_many."""
    record = snapshot.records.get((PASSES, serial))
    if record is None:
        return Refusal("unknown_pass", serial)
    held, id = from_document(Pass, record), device_id(device, serial)
    known = snapshot.records.get((DEVICES, id))
    row = {"device": device, "serial": serial, "push_token": push_token, "at": snapshot.now}
    if known:
        same = known["push_token"] == push_token
        return Changes(writes=() if same else (Write(DEVICES, id, row),), answer="known")
    if held.devices >= MOST_DEVICES:
        return Refusal("too_many", serial)
    after = replace(held, devices=held.devices + 1)
    changes = Changes(writes=(Write(DEVICES, id, row), _write(after)), answer="new")
    return changes if held.is_held else changes.then(_reachable(snapshot, after))


def removed(snapshot: Snapshot, serial: str, device: str) -> Changes | Refusal:
    """Return the changes that take a pass off a device; one that is not there changes nothing."""
    record, id = snapshot.records.get((PASSES, serial)), device_id(device, serial)
    if record is None or (DEVICES, id) not in snapshot.records:
        return Changes()
    held = from_document(Pass, record)
    after = replace(held, devices=max(0, held.devices - 1))
    changes = Changes(writes=(Write(DEVICES, id, None), _write(after)))
    return changes if after.is_held else changes.then(_unreachable(snapshot, after))


def saved(snapshot: Snapshot, serial: str, is_saved: bool) -> Changes | Refusal:
    """Return the changes that say whether a pass is in somebody's Google Wallet."""
    record = snapshot.records.get((PASSES, serial))
    if record is None:
        return Refusal("unknown_pass", serial)
    held = from_document(Pass, record)
    after = replace(held, saved=is_saved)
    if held.saved == is_saved:
        return Changes()
    changes = Changes(writes=(_write(after),))
    if held.is_held == after.is_held:
        return changes
    return changes.then((_reachable if is_saved else _unreachable)(snapshot, after))


def device_id(device: str, serial: str) -> str:
    """Return the id of the record that says that this pass is on this device."""
    return f"{device}|{serial}"


def _wished(made: Pass, wish: Wish) -> Pass:
    put = {name: text for name, text in {**made.put, **wish.put}.items() if text}
    told = wish.message and wish.id != made.message_id
    return replace(
        made,
        put=put,
        message=wish.message if told else made.message,
        message_id=wish.id if told else made.message_id,
        state="expired" if wish.ends else "active",
    )


def _changed(
    after: Pass, before: Pass | None, card: Card, profile: Profile, *, now: datetime, zone: tzinfo, tag: int
) -> Pass | Refusal | None:
    """Return the pass with its next tag, or None when it shows what it showed."""
    face = face_of(card, profile, after, now=now, zone=zone)
    if isinstance(face, Unshown):
        return Refusal("unshown", f"{face.field}: {face.problem}")
    if before and face.digest == before.seen and after.message_id == before.message_id:
        return None
    since = now.replace(microsecond=0)
    if before:  # a device asks by the second: two changes within one would be one to it
        since = max(since, before.changed_at + timedelta(seconds=1))
    due = None
    if after.is_held or after.is_google:
        soon = now + SETTLES_IN
        due = min(after.due_at or soon, soon)
    return replace(after, seen=face.digest, changed_at=since, tag=tag, due_at=due, attempts=0)


def _reachable(snapshot: Snapshot, held: Pass) -> Changes:
    """Let the person be reached by this pass, and their timeline say so."""
    profile, key = snapshot.profile(held.profile), f"{SPACE}:{held.id}"
    if profile is None:
        return Changes()
    known = profile.identity(key)
    if known is None:
        known = Identity(SPACE, held.id, snapshot.now, verified_at=snapshot.now)
    claims: Mapping[str, str] = {} if snapshot.identities.get(key) else {key: profile.id}
    event = _event("pass.added", profile, held, snapshot.now)
    open = replace(known, suppression=None)
    return Changes(profiles=(profile.with_identity(open),), claims=claims, events=(event,))


def _unreachable(snapshot: Snapshot, held: Pass) -> Changes:
    """Let nothing be sent to a pass that is nowhere any more."""
    profile = snapshot.profile(held.profile)
    known = profile.identity(f"{SPACE}:{held.id}") if profile else None
    if profile is None or known is None:
        return Changes()
    closed = replace(known, suppression=Suppression("unreachable", snapshot.now))
    event = _event("pass.removed", profile, held, snapshot.now)
    return Changes(profiles=(profile.with_identity(closed),), events=(event,))


def _issued(held: Pass, now: datetime) -> Event:
    properties = {"card": held.card, "pass": held.id}
    return Event(
        f"pass:{held.id}:issued", held.profile, "pass.issued", now, by=SYSTEM, source=SPACE, properties=properties
    )


def _event(name: str, profile: Profile, held: Pass, now: datetime) -> Event:
    properties: dict[str, Any] = {"card": held.card, "pass": held.id}
    return Event(new_id(now), profile.id, name, now, by=CUSTOMER, source=SPACE, properties=properties)


def _write(held: Pass) -> Write:
    document = to_document(held)
    document.pop("version", None)
    return Write(PASSES, held.id, document)
