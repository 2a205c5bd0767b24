"""API keys: made, shown once, recognised. Only a SHA-256 is kept: 32 random bytes need no slow hash.

ck_<8 letters, the key's id>_<43 letters, 32 random bytes in base 62>
"""

import hashlib
import hmac
import re
import secrets
import string
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from admin.agents import audit_row, upright
from profiles.record import from_document, to_document
from profiles.store import AlreadyThere, Plan, Store, Update

SCOPES: Mapping[str, str] = {
    "profiles:read": "read profiles and find them by identity",
    "profiles:write": "make profiles, change their attributes",
    "profiles:export": "read all that is kept about a person, in one answer",
    "profiles:erase": "erase people for good",
    "identities:write": "add and remove identities",
    "identities:verify": "say that an identity is proved, which may merge profiles",
    "conversations:read": "read conversations and their messages",
    "messages:write": "send messages as the shop",
    "events:write": "report events",
    "consents:read": "read what people agreed to and refused",
    "consents:write": "keep what people said about being written to",
    "rules:read": "read segments, decisions and what became of webhooks",
    "rules:write": "make short addresses, send webhooks once more",
    "devices:register": "register push tokens for whom a signed identity names; may stand inside an app",
    "devices:write": "say whose a push token is; for a server",
}
PER_SECOND = 100.0
REMEMBERED_SECONDS = 5.0  # a revoked key stops within this
USED_EVERY = timedelta(hours=1)  # how coarsely `last_used_at` is kept
LONGEST_DAYS = 3_650
LONGEST_NAME = 100
COMMAND = "command"

State = Literal["good", "expired", "revoked"]

_ACTOR = "key:"
_LETTERS = string.digits + string.ascii_letters
_ID = re.compile("[0-9A-Za-z]{8}")
_KEY = re.compile(r"ck_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})")


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key."""

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    per_second: float = PER_SECOND
    created_by: str = COMMAND
    """An agent's id, or the command line, which alone made keys at first."""

    def is_good(self, now: datetime) -> bool:
        """Whether the key still opens anything."""
        return self.state(now) == "good"

    def state(self, now: datetime) -> State:
        """Return what has become of it."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "good"

    @property
    def actor(self) -> str:
        """Return who the audit and attributes say it was."""
        return f"{_ACTOR}{self.id}"


async def create_key(
    store: Store,
    name: str,
    scopes: Iterable[str],
    *,
    now: datetime,
    by: str = COMMAND,
    expires_at: datetime | None = None,
    id: str = "",
) -> str:
    """Make a key, audited in the same commit, and return its text, which is kept nowhere.

    Raises ValueError with what is wrong; AlreadyThere where a key has this `id`: what is asked for twice is made once.
    """
    wanted, called = tuple(dict.fromkeys(scopes)), name_of(name)
    if called is None:
        raise ValueError(f"key: expected a name of 1 to {LONGEST_NAME} characters")
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise ValueError(f"key: unknown scope {', '.join(unknown)}. Hint: one or more of {', '.join(SCOPES)}")
    if not wanted:
        raise ValueError(f"key: expected at least one scope of {', '.join(SCOPES)}")
    if expires_at and expires_at <= now:
        raise ValueError("key: expected an end in the future")
    while True:
        own = id or fresh_id()
        text = f"ck_{own}_{_base62(secrets.token_bytes(32))}"
        key = Key(own, called, _hash(text), wanted, now, expires_at, created_by=by)
        plan = Plan()
        plan.insert("keys", to_document(key))
        plan.insert("audit", _row("key.created", key, by=by, at=now))
        try:
            await store.commit(plan)
        except AlreadyThere:
            if id:
                raise
            continue  # one in 62^8
        return text


async def revoke_key(store: Store, id: str, *, now: datetime, by: str = COMMAND) -> Key | None:
    """Make a key useless from now on, audited in the same commit; return it, or None where no such key was left to revoke."""
    document = await store.get("keys", id)
    key = from_document(Key, document) if document else None
    if key is None or key.revoked_at:
        return None
    plan = Plan()
    plan.update("keys", Update(id, None, {"revoked_at": now}))
    # two who revoke at once meet at the row's id: one of them did it
    plan.insert("audit", {**_row("key.revoked", key, by=by, at=now), "_id": f"key.revoked:{id}"})
    try:
        await store.commit(plan)
    except AlreadyThere:
        return None
    return key


def fresh_id() -> str:
    """Return an id for a key that is not made yet."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


def is_id(text: str) -> bool:
    """Return whether this can be the id of a key."""
    return _ID.fullmatch(text) is not None


def name_of(text: str) -> str | None:
    """Return what a key is called, from what was typed; None when nothing of it shows, or it is longer than LONGEST_NAME."""
    called = upright(text)
    return called if any(map(str.isprintable, called)) and len(called) <= LONGEST_NAME else None


def days_of(text: str) -> int | None:
    """Return after how many days a key is to end, from what was typed; None when that is no number from 1 to LONGEST_DAYS."""
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if is_number and 1 <= int(text) <= LONGEST_DAYS else None


async def every_key(store: Store) -> list[Key]:
    """Return all keys that were ever made, the latest first."""
    documents = await store.find("keys", {}, sort=[("created_at", -1), ("_id", 1)])
    return [from_document(Key, document) for document in documents]


async def names_of(store: Store, actors: Iterable[str]) -> Mapping[str, str]:
    """Return the names of the keys among who did something: `key:Jx2kQ0aB` -> stock take."""
    ids = {actor.removeprefix(_ACTOR) for actor in actors if actor.startswith(_ACTOR)}
    found = await store.find("keys", {"_id": {"$in": sorted(ids)}}, only=("name",)) if ids else []
    return {f"{_ACTOR}{one['_id']}": one["name"] for one in found}


class Ring:
    """The keys this process has seen lately."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, tuple[float, Key | None]] = {}

    async def key_of(self, authorization: str, *, now: datetime) -> Key | None:
        """Return the good key in an Authorization header, or None."""
        scheme, _, text = authorization.partition(" ")
        match = _KEY.fullmatch(text.strip())
        if scheme.lower() != "bearer" or match is None:
            return None
        key = await self._find(match[1])
        if key is None or not hmac.compare_digest(key.hash, _hash(match[0])) or not key.is_good(now):
            return None
        if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
            await self._note_use(key, now)
        return key

    async def _find(self, id: str) -> Key | None:
        until, key = self._seen.get(id, (0.0, None))
        if time.monotonic() < until:
            return key
        if len(self._seen) > 1_000:  # guessed ids must not fill the memory
            self._seen.clear()
        document = await self._store.get("keys", id)
        key = from_document(Key, document) if document else None
        self._seen[id] = (time.monotonic() + REMEMBERED_SECONDS, key)
        return key

    async def _note_use(self, key: Key, now: datetime) -> None:
        self._seen.pop(key.id, None)
        await self._store.change("keys", {"_id": key.id}, {"$set": {"last_used_at": now}})


class Buckets:
    """How fast each caller may go, in this process: tokens that refill with time (a bucket holds six seconds' worth)."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def wait_for(self, who: str, cost: float, *, per_second: float, now: float) -> float:
        """Take the tokens and return 0, or return in how many seconds to come back."""
        room = per_second * 6
        tokens, at = self._left.get(who, (room, now))
        tokens = min(room, tokens + (now - at) * per_second)
        if tokens < cost:
            return (cost - tokens) / per_second
        if len(self._left) > 10_000:
            self._left = {name: known for name, known in self._left.items() if now - known[1] < 10}
        self._left[who] = (tokens - cost, now)
        return 0.0


def _row(act: str, key: Key, *, by: str, at: datetime) -> dict[str, Any]:
    return audit_row(act, by=by, about=key.actor, at=at, name=key.name, scopes=list(key.scopes))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base62(random: bytes) -> str:
    number, letters = int.from_bytes(random), []
    for _ in range(43):  # 62^43 > 2^256
        number, rest = divmod(number, 62)
        letters.append(_LETTERS[rest])
    return "".join(letters)
