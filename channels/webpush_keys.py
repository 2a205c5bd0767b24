"""Who we are to push services: one VAPID key pair for the whole installation, made at the first start and kept for ever.

A subscription is bound to the public key it was made with: a new key loses every subscriber. A token is made out to one push
service and costs as much as half an encryption, so each service's is kept for some hours.
"""

from datetime import datetime, timedelta

from channels.webpush_encryption import authorization, new_private_key, public_key
from profiles.secret import Secret
from profiles.store import Store

KEPT = "webpush"
"""The row of `settings` that holds the key."""
VALID_FOR = timedelta(hours=12)  # RFC 8292, section 2: 24 hours at most
RENEWED_AFTER = timedelta(hours=6)
MOST_SERVICES = 100


class Vapid:
    """Signs for us. `public` is what browsers subscribe with."""

    def __init__(self, private: str, subject: str, public: str = "") -> None:
        """`public` is the other half, where it is known: to work it out loads cryptography. Raises ValueError."""
        self.public = public or public_key(private)
        self._private, self._subject = private, subject
        self._made: dict[str, tuple[datetime, str]] = {}

    def authorization(self, origin: str, now: datetime) -> str:
        """Return the Authorization header for this push service."""
        made = self._made.get(origin)
        if made is None or now - made[0] >= RENEWED_AFTER or now < made[0]:
            if len(self._made) >= MOST_SERVICES:
                self._made.clear()
            claims: dict[str, str | int] = {
                "aud": origin,
                "exp": int((now + VALID_FOR).timestamp()),
                "sub": self._subject,
            }
            made = self._made[origin] = (now, authorization(self._private, claims))
        return made[1]


async def vapid_of(store: Store, given: Secret, subject: str) -> Vapid:
    """Return this installation's signer: with the key of the config, else with the one in the database, made when there is none.

    Raises ValueError for a configured key that is none, Unavailable.
    """
    if given:
        try:
            return Vapid(given.reveal().strip(), subject)
        except ValueError as error:
            raise ValueError(f"channels.webpush.private_key: {error}.") from error
    row = await store.get("settings", KEPT)
    if row is None:  # two processes may start at once: the first one's is everybody's
        private = new_private_key()
        fresh = {"$setOnInsert": {"private_key": private, "public_key": public_key(private)}}
        row = await store.change("settings", {"_id": KEPT}, fresh, upsert=True)
    assert row
    return Vapid(str(row["private_key"]), subject, str(row["public_key"]))
