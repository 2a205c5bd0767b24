"""All that is kept about one person, collection by collection, and what becomes of it: removed, or left without the person in it.

Every step takes a bounded batch in one small transaction and returns how many rows that was; it is repeated until it finds none.
Each may be repeated at any time, by any process: what was done is not found again. tests/admin/test_erasing.py walks through
every collection of the database and finds what is missing here.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.erasure import ERASING, HELD_FOR
from admin.idempotency import COLLECTION as IDEMPOTENCY
from admin.own_requests import REQUESTS
from channels.devices import COLLECTION as DEVICES
from channels.smpp_parts import RECEIVED
from channels.wallet_keeping import DEVICES as WALLET_DEVICES
from channels.webpush_subscriptions import COLLECTION as SUBSCRIPTIONS
from profiles import words
from profiles.calendar import Clock
from profiles.consent import PROOFS
from profiles.erased import ERASED
from profiles.ids import new_id
from profiles.passes import PASSES
from profiles.redaction import redaction
from profiles.store import Document, Plan, Store, Update
from rules.applying import DECISIONS, RUNS
from rules.effects import ERRANDS
from rules.membership import BASELINES, MEMBERSHIPS, row_id
from rules.reaction import NUDGES

AT_ONCE = 200
_COUNTED_BY = ("rule", "version", "step", "reason", "at", "channel", "variant")
PAGE = 2_000  # answers that are looked through together
_GONE = json.dumps({"erased": True})
_TELLING = 8
"""An address of fewer characters, such as the number of a customer, stands by chance in answers about others."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: everything by which their rows are found."""

    id: str
    erasure: str
    name: str
    """What their redacted rows call them: a keyed hash."""
    whose: tuple[str, ...]
    keys: tuple[str, ...] = ()
    """Their identity keys."""
    threads: tuple[str, ...] = ()
    """Their conversations."""

    def addresses(self, *spaces: str) -> list[str]:
        """Return their addresses in these spaces."""
        apart = (key.partition(":") for key in self.keys)
        return [address for space, _, address in apart if space in spaces]


Step = Callable[[Store, Person, datetime], Awaitable[int]]


async def sweep(store: Store, person: Person, clock: Clock) -> None:
    """Take every step until it finds nothing more of this person; the profile itself is left for the last transaction."""
    for step in STEPS:
        while await step(store, person, clock()):
            pass


def _removed(collection: str, by: str, values: Callable[[Person], Sequence[str]]) -> Step:
    """Return the step that removes the rows of a collection whose field is one of these."""

    async def step(store: Store, person: Person, now: datetime) -> int:
        wanted = list(values(person))
        if not wanted:
            return 0
        rows = await store.find(collection, {by: {"$in": wanted}}, limit=AT_ONCE, only=["_id"])
        return await _remove(store, person, now, collection, [str(row["_id"]) for row in rows])

    return step


async def _remove(
    store: Store, person: Person, now: datetime, collection: str, ids: Sequence[str], **more: Sequence[str]
) -> int:
    """Remove these rows, those of `more` collections with them; count them where the erasure is kept, which stays ours for it."""
    if not ids:
        return 0
    plan = Plan()
    for place, some in {collection: ids, **more}.items():
        for id in some:
            plan.delete(place, id)
    plan.update(ERASING, _counted(person, collection, len(ids), now))
    await store.commit(plan)
    return len(ids)


def _counted(person: Person, collection: str, number: int, now: datetime) -> Update:
    return Update(person.id, None, {"due_at": now + HELD_FOR}, add={f"counts.{collection}": number})


async def _messages(store: Store, person: Person, now: datetime) -> int:
    where = {"profile": {"$in": list(person.whose)}}
    only = ["at", "content.attachments.file"]
    rows = await store.find("messages", where, sort=[("profile", 1), ("at", 1)], limit=AT_ONCE, only=only)
    if not await _words(store, rows):
        return len(rows)  # another erasure took words of the same commit: look again
    said = [file for row in rows for file in row.get("content", {}).get("attachments", ())]
    files = sorted({str(file["file"]) for file in said if file.get("file")})
    return await _remove(store, person, now, "messages", [str(row["_id"]) for row in rows], files=files)


async def _words(store: Store, rows: Sequence[Document]) -> bool:
    """Take these messages out of the search entries, and every word that none of the others says; False: not all, try again."""
    gone = {str(row["_id"]) for row in rows}
    spans = [{"_id": {"$gte": new_id(at)[:10], "$lt": new_id(at + timedelta(milliseconds=3))[:10]}}
             for at in {row["at"] - timedelta(milliseconds=1) for row in rows}]  # fmt: skip
    if not spans:
        return True
    entries = await store.find(words.COLLECTION, {"$or": spans, "ids": {"$in": sorted(gone)}}, only=["ids"])
    whole = [str(entry["_id"]) for entry in entries if gone.issuperset(entry["ids"])]
    if whole:
        await store.remove(words.COLLECTION, {"_id": {"$in": whole}})
    for entry in entries:
        left = [id for id in entry["ids"] if id not in gone]
        if left and not await _left(store, entry, left):
            return False
    return True


async def _left(store: Store, entry: Document, left: list[str]) -> bool:
    others = await store.get_many("messages", left, only=["content.text"])
    said = set[str]().union(*(words.words_of(str(one.get("content", {}).get("text", ""))) for one in others))
    unchanged = {"_id": entry["_id"], "ids": entry["ids"]}
    return await store.change(words.COLLECTION, unchanged, {"$set": {"ids": left, "words": sorted(said)}}) is not None


async def _files(store: Store, person: Person, now: datetime) -> int:
    rows = await store.find("files", {"conversation": {"$in": list(person.threads)}}, limit=AT_ONCE, only=["_id"])
    return await _remove(store, person, now, "files", [str(row["_id"]) for row in rows])


async def _passes(store: Store, person: Person, now: datetime) -> int:
    rows = await store.find(PASSES, {"profile": {"$in": list(person.whose)}}, limit=AT_ONCE, only=["_id"])
    serials = [str(row["_id"]) for row in rows]
    held = await store.find(WALLET_DEVICES, {"serial": {"$in": serials}}, only=["_id"]) if serials else []
    return await _remove(store, person, now, PASSES, serials, **{WALLET_DEVICES: [str(row["_id"]) for row in held]})


async def _runs(store: Store, person: Person, now: datetime) -> int:
    """What a rule counts by stays: that somebody came in, what was sent, what came back. What began it, and with what, goes."""
    where = {"profile": {"$in": list(person.whose)}}
    ids = [str(row["_id"]) for row in await store.find(RUNS, where, limit=AT_ONCE, only=["_id"])]
    if ids:
        ended = {
            "profile": ERASED, "ended_at": {"$ifNull": ["$ended_at", now]}, "ended": {"$ifNull": ["$ended", ERASED]},
            "version": {"$add": [{"$ifNull": ["$version", 0]}, 1]},
        }  # fmt: skip
        drop = ["key", "occurrence", "start", "tokens", "due_at", "watch_until", "leased_by", "lease_until"]
        await store.change_many(RUNS, {"_id": {"$in": ids}}, [{"$set": ended}, {"$unset": drop}])
    return len(ids)


async def _decisions(store: Store, person: Person, now: datetime) -> int:
    """What a rule counts by stays: the reason, the step, the channel. The id of some holds the profile's, so each is made anew."""
    rows = await store.find(DECISIONS, {"profile": {"$in": list(person.whose)}}, limit=AT_ONCE)
    if not rows:
        return 0
    plan = Plan()
    for row in rows:
        kept: Document = {name: row[name] for name in _COUNTED_BY if name in row}
        plan.insert(DECISIONS, {**kept, "_id": new_id(row["at"]), "profile": ERASED})
        plan.delete(DECISIONS, str(row["_id"]))
    await store.commit(plan)
    return len(rows)


async def _memberships(store: Store, person: Person, now: datetime) -> int:
    segments = await store.find(BASELINES, {}, only=["_id"])
    ids = [row_id(str(segment["_id"]), id) for segment in segments for id in person.whose]
    return await store.remove(MEMBERSHIPS, {"_id": {"$in": ids}}) if ids else 0


def _redacted(collection: str, by: str, values: Callable[[Person], Sequence[str]]) -> Step:
    """Return the step that takes the person out of sealed rows."""

    async def step(store: Store, person: Person, now: datetime) -> int:
        rows = await store.find(collection, {by: {"$in": list(values(person))}}, limit=AT_ONCE)
        if rows:
            plan = redaction(collection, rows, erasure=person.erasure, name=person.name, now=now)
            plan.update(ERASING, _counted(person, collection, len(rows), now))
            await store.commit(plan)
        return len(rows)

    return step


async def _answers(store: Store, person: Person, now: datetime) -> int:
    """Take the person out of the answers that are kept for 48 hours: these have no field that says whose they are."""
    named, after, changed = _named(person), "", 0
    gone = {"status": 410, "body": _GONE, "location": ""}
    while rows := await store.find(
        IDEMPOTENCY,
        {"_id": {"$gt": after}, "body": {"$ne": _GONE}},
        sort=[("_id", 1)],
        limit=PAGE,
        only=["body", "location"],
    ):
        said = {str(row["_id"]): f"{row.get('body', '')} {row.get('location', '')}" for row in rows}
        theirs = [id for id, text in said.items() if any(name in text for name in named)]
        if theirs:
            await store.change_many(IDEMPOTENCY, {"_id": {"$in": theirs}}, {"$set": gone})
        after, changed = str(rows[-1]["_id"]), changed + len(theirs)
    return changed


def _named(person: Person) -> list[str]:
    """Return what an answer about this person has in it, as JSON writes it; what is short only as a whole value."""
    addresses = {key.partition(":")[2] for key in person.keys}
    telling = {one for one in addresses if len(one) >= _TELLING}
    whole = [json.dumps(one, ensure_ascii=False) for one in (*person.keys, *(addresses - telling))]
    return [*whole, *(json.dumps(one, ensure_ascii=False)[1:-1] for one in (*person.whose, *telling, *person.threads))]


def _ids(person: Person) -> Sequence[str]:
    return person.whose


STEPS: tuple[Step, ...] = (
    _removed(NUDGES, "profile", _ids),
    _runs,
    _decisions,
    _removed(ERRANDS, "profile", _ids),
    _memberships,
    _messages,
    _files,
    _removed("mentions", "profile", _ids),
    _removed("events", "profile", _ids),
    _passes,
    _removed(DEVICES, "_id", lambda person: person.keys),
    _removed(SUBSCRIPTIONS, "_id", lambda person: person.addresses("webpush")),
    _removed("visitors", "_id", lambda person: person.addresses("webchat")),
    _removed("visitors", "subject", lambda person: person.addresses("user")),
    _removed(RECEIVED, "source.text", lambda person: _digits(person.addresses("sms", "whatsapp", "voice"))),
    _removed("merges", "kept", _ids),
    _removed("merges", "absorbed", _ids),
    _removed("conflicts", "profiles", _ids),
    _removed(REQUESTS, "profile", _ids),
    _redacted(PROOFS, "profile", _ids),
    _redacted("audit", "about", lambda person: (*person.whose, *person.threads, *person.keys)),
    _answers,
)


def _digits(numbers: Sequence[str]) -> list[str]:
    """Return phone numbers as an SMPP peer writes them too: with and without the plus."""
    return [*numbers, *(number.removeprefix("+") for number in numbers)]
