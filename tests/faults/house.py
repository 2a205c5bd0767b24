"""A shop whose rules write to a few hundred people on Telegram: laid out in the database and the rule book before a fault."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from admin.keys import SCOPES, create_key
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.ledger import COLLECTION as LEDGERS
from profiles.profile import Attribute, Identity, Profile
from profiles.record import to_document
from profiles.store import Store
from rules.occurrences import PLANNED

FIRST = 800_000_000
SALES = """
rule: sales
state: live
class: marketing
topic: offers
when: {{once: {at}, zone: UTC}}
for: contact.group == "{group}"
steps:
  - send: {{channel: telegram, template: sales}}
"""
BOOK = {
    "topics.yml": (
        "offers:\n  title: {fr: Offres, en: Offers}\n  wording: {fr: Oui aux offres, en: Yes to offers}\n  version: 1\n"
    ),
    "pressure.yml": "at most: 100 per 1d\n",
    "templates/sales.yml": 'fr: {text: "Les soldes commencent, {{ contact.first_name }}"}\n',
}
ENDED = ("sent", "delivered", "read", "failed", "suppressed", "unknown")


@dataclass(frozen=True, slots=True)
class House:
    """The shop's database and its people, numbered from 0."""

    store: Store
    people: int
    group: str = "everybody"
    first: int = FIRST
    """The chat of the person with number 0."""

    def profile(self, number: int) -> str:
        """Return the profile id of a person."""
        return f"{self.group}-{number:05d}"

    def address(self, number: int) -> int:
        """Return a person's Telegram chat."""
        return self.first + number

    def number(self, address: int) -> int:
        """Return whose chat this is."""
        return address - self.first

    async def open(self, *, consent: bool = True) -> str:
        """Put all people there, with a yes to offers, and return a key to the API."""
        await self.store.prepare(INDEXES)
        known = utc_now() - timedelta(days=30)
        rows, claims, ledgers = [], [], []
        for number in range(self.people):
            id, address = self.profile(number), str(self.address(number))
            identity = Identity("telegram", address, added_at=known, verified_at=known)
            facts = {"group": self.group, "first_name": f"N{number}"}
            attributes = {name: Attribute(value, "declared", known) for name, value in facts.items()}
            rows.append(to_document(Profile(id, known, (identity,), attributes, language="fr", version=1)))
            claims.append({"_id": identity.key, "profile": id})
            said = {"on": {"telegram:offers": True}, "at": {"telegram:offers": known}} if consent else {}
            ledgers.append({"_id": id, "h": [], **said})
        await self.store.insert_missing("profiles", rows)
        await self.store.insert_missing("identities", claims)
        await self.store.insert_missing(LEDGERS, ledgers)
        return await create_key(self.store, "the shop's own server", list(SCOPES), now=utc_now())

    async def fire(self, book: Path, *, rules: Mapping[str, str] | None = None) -> None:
        """Write the rule book, whose sales campaign has its hour now."""
        at = utc_now() - timedelta(minutes=1)
        (book / "templates").mkdir(parents=True, exist_ok=True)
        sales = SALES.format(at=f"{at:%Y-%m-%d %H:%M}", group=self.group)
        for name, text in {**BOOK, "sales.yml": sales, **(rules or {})}.items():
            (book / name).write_text(text)
        seen = {"_id": "sales", "until": at - timedelta(minutes=5)}  # it was live before its hour
        await self.store.insert_missing(PLANNED, [seen])

    async def is_over(self) -> bool:
        """Return whether the campaign was walked to its end and nothing waits to be sent any more."""
        if await self.store.count("occurrences", {"done_at": {"$exists": True}}) == 0:
            return False
        return await self.store.count("messages", {"metadata.rule": "sales", "delivery.state": {"$nin": ENDED}}) == 0

    async def states(self) -> Mapping[int, str]:
        """Return what the server says became of each person's message."""
        rows = await self.store.find("messages", {"metadata.rule": "sales"}, only=["delivery.to", "delivery.state"])
        return {self.number(int(row["delivery"]["to"].partition(":")[2])): row["delivery"]["state"] for row in rows}


@dataclass(frozen=True, slots=True)
class Balance:
    """What came of a campaign: the provider's word beside the server's."""

    intents: int
    decided: int
    twice: int
    """People who have it more than once."""
    unknown: int
    claimed: int
    """People of whom the server says `sent` and whose telephone has nothing."""
    hidden: int
    """People who have it, and of whom the server says neither `sent` nor `unknown`."""
    unended: int
    dropped: int
    """Messages that a decision promises and that are not there."""

    @property
    def is_right(self) -> bool:
        """Return whether everybody has it exactly once or is listed as unknown, and the sums balance."""
        return self.intents == self.decided and not (
            self.twice or self.claimed or self.hidden or self.unended or self.dropped
        )


async def balance(house: House, taken: Sequence[int]) -> Balance:
    """Compare what people have (addresses, one for each message) with what the server says."""
    states, have = await house.states(), Counter(house.number(one) for one in taken)
    decisions = await house.store.find("decisions", {"rule": "sales"}, only=["messages"])
    promised = {id for decision in decisions for id in decision.get("messages", ())}
    there = {row["_id"] for row in await house.store.find("messages", {"metadata.rule": "sales"}, only=["_id"])}
    told = Counter(states.values())
    return Balance(
        intents=house.people,
        decided=len(decisions),
        twice=sum(count > 1 for count in have.values()),
        unknown=told["unknown"],
        claimed=sum(states.get(one) in ("sent", "delivered") and one not in have for one in range(house.people)),
        hidden=sum(states.get(one) not in ("sent", "delivered", "unknown") for one in have),
        unended=sum(state not in ENDED for state in states.values()),
        dropped=len(promised - there),
    )
