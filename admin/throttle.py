"""How often may somebody try? A counter in the database, raised before the costly check, so that parallel tries all count."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from profiles.store import AlreadyThere, Store

COLLECTION = "throttles"


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most so many tries within each window."""

    tries: int
    within: timedelta


PER_ACCOUNT = Allowance(5, timedelta(minutes=1))
PER_ADDRESS = Allowance(20, timedelta(minutes=1))
PER_DAY = Allowance(100, timedelta(days=1))


def seconds_left(allowance: Allowance, *, now: datetime) -> int:
    """Return in how many seconds there may be tries again, once they are used up."""
    length = allowance.within.total_seconds()
    return int(length - now.timestamp() % length) + 1


async def allowed(store: Store, what: str, allowance: Allowance, *, now: datetime) -> bool:
    """Count one try of `what` (an account, an IP address) and return whether it is within the allowance."""
    window = int(now.timestamp() // allowance.within.total_seconds())
    # hashed: an address typed wrongly may be a password, and nobody should read it in the database
    id = f"{hashlib.sha256(what.encode()).hexdigest()[:32]}:{allowance.within.total_seconds():.0f}:{window}"
    update = {"$inc": {"tries": 1}, "$setOnInsert": {"ends_at": now + allowance.within}}
    try:
        counted = await store.change(COLLECTION, {"_id": id}, update, upsert=True)
    except AlreadyThere:  # two first tries met; the row is there now
        counted = await store.change(COLLECTION, {"_id": id}, update)
    return counted is not None and counted["tries"] <= allowance.tries
