"""What a person asks of people on their own page: to remove an address, to erase all. Listed once, and done by nobody silently.

Collection `requests`: one row per profile, kind and address; `settled_at` says when somebody had done it. Asked again later, the
same row is open again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from profiles.ids import new_id
from profiles.ledger import mark
from profiles.profile import Profile
from profiles.snapshot import Amend, Changes, Refusal, Snapshot, Work
from profiles.store import Store
from profiles.timeline import CUSTOMER, Event

REQUESTS = "requests"
BY = "preferences"
Ask = Literal["erasure", "removal"]


def ask(profile: str, what: Ask, identity: str = "", *, ip: str = "") -> Work:
    """Return the work that lists for people what this person asks: to erase all, or to remove one address. Asked twice is once."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        person = snapshot.profile(profile)
        if person is None:
            return Refusal("unknown_profile")
        if what == "removal" and person.identity(identity) is None:
            return Refusal("unknown_identity", identity)
        id = request_id(person.id, what, identity)
        row = {"profile": person.id, "kind": what, **({"identity": identity} if identity else {})}
        put = {"asked_at": snapshot.now, "settled_at": None, "ip": ip}
        event = Event(new_id(snapshot.now), person.id, f"data.{what}_asked", snapshot.now, by=CUSTOMER, source=BY,
                      properties={"identity": identity} if identity else {})  # fmt: skip
        return Changes(amends=(Amend(id, put, collection=REQUESTS, first=row),), events=(event,))

    return Work(think, profiles=(profile,))


def request_id(profile: str, what: str, identity: str = "") -> str:
    """Return the one id of such a request of this person."""
    return f"{profile}:{what}:{mark(identity)}" if identity else f"{profile}:{what}"


async def requests_of(store: Store, profile: Profile) -> dict[str, Mapping[str, Any]]:
    """Return what this person asked and nobody has done yet, by id."""
    whose = [profile.id, *profile.absorbed]
    rows = await store.find(REQUESTS, {"profile": {"$in": whose}, "settled_at": None}, limit=200)
    return {str(row["_id"]): row for row in rows}


def settle(id: str, *, by: str, now: datetime) -> Amend:
    """Return the change that says that somebody has done what was asked."""
    return Amend(id, {"settled_at": now, "settled_by": by}, collection=REQUESTS)
