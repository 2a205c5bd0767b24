"""Who is signed in: a session is 256 random bits in a cookie; only their hash is kept, so a stolen database opens no door."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.desk import Desk
from profiles.record import from_document, to_document

COLLECTION = "sessions"
TOUCH_AFTER = timedelta(minutes=5)  # how stale `seen_at` may be: one write per agent and five minutes


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of an agent on one browser. `id` is the hash of the cookie."""

    id: str
    agent: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    ip: str = ""
    browser: str = ""


def cookie_name(desk: Desk) -> str:
    """Return the cookie's name; over TLS the __Host- prefix keeps other hosts from setting it."""
    return "__Host-causerie" if desk.is_https else "causerie_console"


async def begin(desk: Desk, agent: str, *, ip: str, browser: str) -> str:
    """Keep a new session and return the token for its cookie."""
    token = secrets.token_urlsafe(32)
    now = desk.clock()
    ends_at = _ends(desk, created_at=now, now=now)
    session = Session(_hash(token), agent, now, now, ends_at, ip, browser[:200])
    await desk.store.insert(COLLECTION, to_document(session))
    return token


async def find(desk: Desk, token: str | None) -> Session | None:
    """Return the session of this cookie if it has not ended, and note now and then that it is in use."""
    if not token or len(token) > 100:
        return None
    now = desk.clock()
    document = await desk.store.get(COLLECTION, _hash(token))
    session = from_document(Session, document) if document else None
    if session is None or session.ends_at <= now:
        return None
    if now - session.seen_at > TOUCH_AFTER:
        ends_at = _ends(desk, created_at=session.created_at, now=now)
        await desk.store.change(COLLECTION, {"_id": session.id}, {"$set": {"seen_at": now, "ends_at": ends_at}})
    return session


async def is_alive(desk: Desk, id: str) -> bool:
    """Return whether this session still holds: open live connections ask now and then."""
    document = await desk.store.get(COLLECTION, id)
    return bool(document and document["ends_at"] > desk.clock())


async def of_agent(desk: Desk, agent: str) -> list[Session]:
    """Return the agent's sessions that have not ended, last used first."""
    where = {"agent": agent, "ends_at": {"$gt": desk.clock()}}
    documents = await desk.store.find(COLLECTION, where, sort=[("seen_at", -1)], limit=100)
    return [from_document(Session, document) for document in documents]


async def revoke(desk: Desk, agent: str, *, only: str | None = None, spare: str | None = None) -> int:
    """End the agent's sessions and return how many: all, `only` one of them, or all but the one to `spare`."""
    where: dict[str, object] = {"agent": agent}
    if only:
        where["_id"] = only
    elif spare:
        where["_id"] = {"$ne": spare}
    return await desk.store.remove(COLLECTION, where)


def csrf_token(desk: Desk, key: str) -> str:
    """Return the word that forms of this session must bring back; another site can not know it."""
    return hmac.new(desk.secret, b"csrf|" + key.encode(), hashlib.sha256).hexdigest()[:40]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _ends(desk: Desk, *, created_at: datetime, now: datetime) -> datetime:
    idle = now + timedelta(hours=desk.options.idle_hours)
    return min(idle, created_at + timedelta(days=desk.options.session_days))
