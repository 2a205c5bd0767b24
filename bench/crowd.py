"""Contacts by the hundred thousand for the benchmarks of rules: profiles with an e-mail address, and what their ledgers say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from profiles.ledger import COLLECTION as LEDGERS
from profiles.profile import Attribute, Identity, Profile
from profiles.record import Document, to_document
from profiles.store import Store

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PORTION = 5_000
COUNTRIES = ("FR", "BE", "CH", "LU", "CA")
SILENT_EVERY, FULL_EVERY = 20, 20
"""Every so many never said yes, and as many others had their two e-mails of this week."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many contacts, numbered; the `tier` of every so many is `gold`."""

    contacts: int
    gold_every: int = 100

    @property
    def reachable(self) -> int:
        """Return how many of them a marketing e-mail may go to today."""
        return sum(1 for number in range(self.contacts) if says(number) == "yes")

    async def seed(self, store: Store, *, now: datetime) -> None:
        """Put them all into the database, each as if known for long."""
        for first in range(0, self.contacts, PORTION):
            numbers = range(first, min(first + PORTION, self.contacts))
            await store.insert_missing(
                "profiles", [profile(number, number % self.gold_every == 0) for number in numbers]
            )
            await store.insert_missing(LEDGERS, [ledger(number, now) for number in numbers])

    def ids(self) -> Iterator[str]:
        """Yield their ids in order."""
        return (id_of(number) for number in range(self.contacts))


def id_of(number: int) -> str:
    """Return the profile id of a contact."""
    return f"P{number:07d}"


def says(number: int) -> str:
    """Return what stands in a contact's ledger: yes, nothing, or a yes with this week's e-mails spent."""
    if number % SILENT_EVERY == 7:
        return "nothing"
    return "spent" if number % FULL_EVERY == 13 else "yes"


def profile(number: int, is_gold: bool = False) -> Document:
    """Return a contact's document."""
    identity = Identity("email", f"p{number}@example.org", added_at=SINCE, verified_at=SINCE)
    known = {
        "country": COUNTRIES[number % len(COUNTRIES)],
        "tier": "gold" if is_gold else "basic",
        "points": number % 1_000,
    }
    attributes = {name: Attribute(value, "declared", SINCE) for name, value in known.items()}
    record = Profile(id_of(number), SINCE, (identity,), attributes, language="fr", version=1)
    return to_document(record)


def ledger(number: int, now: datetime) -> Document:
    """Return the document of a contact's ledger."""
    said = says(number)
    if said == "nothing":
        return {"_id": id_of(number), "h": []}
    spent = [
        {"t": now - timedelta(days=1, hours=hours), "r": f"before{hours}", "c": "email", "k": "offers", "u": "other"}
        for hours in (1, 2)
    ]
    return {
        "_id": id_of(number),
        "on": {"email:offers": True},
        "at": {"email:offers": SINCE},
        "h": spent if said == "spent" else [],
    }
