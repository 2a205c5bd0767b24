"""Whose conversation a browser may take part in: its own while it is anonymous, the person's once the shop vouched for one.

An address belongs to nobody until its visitor proves who they are; from then on only that person's identity token opens it
again, for reading as for writing. Each proof is one document of the collection `visitors`, written once and never changed.
"""

from dataclasses import dataclass
from datetime import datetime

from channels.webchat_tokens import Identity, Problem, new_address, read_identity, visitor_of
from profiles.store import AlreadyThere, Store

MOST_ADDRESSES = 50  # of one person: those bound last are looked at


@dataclass(frozen=True, slots=True)
class Keys:
    """What tokens are checked with: our own secret, and the shop's identity secrets."""

    own: bytes
    shop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who holds this socket. `moved` when it is not the address that the browser came with."""

    address: str
    identity: Identity | None = None
    problem: Problem | None = None
    """Why the identity token that came along counts for nothing."""
    moved: bool = False
    brings: bool = False
    """Whether words that were not yet sent from the address it came with may be sent from this one."""

    @property
    def conversation(self) -> str:
        """Return the id of the visitor's conversation."""
        return f"webchat:{self.address}"


@dataclass(frozen=True, slots=True)
class Locked:
    """The address belongs to a person, and nothing proves that this is them: no identity token, or a bad one."""

    reason: Problem | None = None


async def recognise(
    visitor_token: str, identity_token: str, *, keys: Keys, store: Store, now: datetime
) -> Visitor | Locked:
    """Return who this is, giving an address to the new and binding it to a person who is proven. Raises Unavailable."""
    address = visitor_of(visitor_token, keys.own)
    claimed = read_identity(identity_token, keys.shop, now) if identity_token else None
    owner = await _owner(store, address) if address else None
    if isinstance(claimed, Identity):
        return await _person(claimed, address, owner, store, now)
    if owner:
        return Locked(claimed)
    return Visitor(address or new_address(), problem=claimed, moved=address is None, brings=True)


async def may_write(visitor_token: str, identity_token: str, *, keys: Keys, store: Store, now: datetime) -> str | None:
    """Return the address that this browser may write to, or None. Raises Unavailable."""
    address = visitor_of(visitor_token, keys.own)
    owner = await _owner(store, address) if address else None
    if owner:
        claimed = read_identity(identity_token, keys.shop, now)
        return address if isinstance(claimed, Identity) and claimed.subject == owner else None
    return address


async def _person(identity: Identity, address: str | None, owner: str | None, store: Store, now: datetime) -> Visitor:
    if address and owner == identity.subject:
        return Visitor(address, identity)
    free = address if owner is None else None
    if free and await _has_spoken(store, free) and await _bind(store, free, identity.subject, now):
        return Visitor(free, identity)
    home = await _home(store, identity.subject)
    if home:
        return Visitor(home, identity, moved=True, brings=owner is None)
    if free and await _bind(store, free, identity.subject, now):
        return Visitor(free, identity)
    fresh = new_address()
    await _bind(store, fresh, identity.subject, now)
    return Visitor(fresh, identity, moved=True, brings=owner is None)


async def _owner(store: Store, address: str) -> str | None:
    """Return the subject that this address belongs to, or None."""
    found = await store.get("visitors", address)
    return str(found["subject"]) if found else None


async def _home(store: Store, subject: str) -> str | None:
    """Return the address where this person spoke last as themselves, so that their phone shows what their laptop said."""
    bound = await store.find("visitors", {"subject": {"$eq": subject}}, sort=[("bound_at", -1)], limit=MOST_ADDRESSES)
    if not bound:
        return None
    spoken = await store.get_many("conversations", [f"webchat:{one['_id']}" for one in bound], only=["last_at"])
    spoken = [one for one in spoken if one.get("last_at")]
    if not spoken:
        return str(bound[0]["_id"])
    return str(max(spoken, key=lambda one: one["last_at"])["_id"]).removeprefix("webchat:")


async def _has_spoken(store: Store, address: str) -> bool:
    return bool(await store.get_many("conversations", [f"webchat:{address}"], only=["_id"]))


async def _bind(store: Store, address: str, subject: str, now: datetime) -> bool:
    """Return whether the address belongs to this person now; two sockets may try at once."""
    try:
        await store.insert("visitors", {"_id": address, "subject": subject, "bound_at": now})
    except AlreadyThere:
        return await _owner(store, address) == subject
    return True
