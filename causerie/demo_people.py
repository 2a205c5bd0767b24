"""The demo's contacts: invented, the same at every start, French and English, with what they did in the last weeks. Pure.

Phone numbers are of the range kept for fiction (ARCEP, décision 2018-0881), addresses of domains kept for examples (RFC 2606).
Anna is the customer whom the demo shop signs in as; Boris said no to everything.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.consent import Proof
from profiles.ledger import Ledger
from profiles.profile import Identity, Profile
from profiles.timeline import Event
from profiles.topics import Topic

CONTACTS = 200
DAYS = 30
SEED = 1815
ANNA, BORIS = "demo-anna", "demo-boris"
FIRST_FR = (
    "Camille", "Louis", "Jade", "Hugo", "Emma", "Gabriel", "Louise", "Arthur", "Alice", "Raphaël", "Chloé", "Jules",
    "Lina", "Adam", "Léa", "Lucas", "Manon", "Nathan", "Inès", "Paul", "Sarah", "Ethan", "Zoé", "Tom", "Yasmine",
    "Karim", "Awa", "Mamadou", "Linh", "Mehdi",
)  # fmt: skip
FIRST_EN = (
    "Olivia", "Noah", "Amelia", "Oliver", "Isla", "George", "Ava", "Arthur", "Mia", "Harry", "Freya", "Jack",
    "Grace", "Leo", "Sophie", "Oscar", "Priya", "Kwame",
)  # fmt: skip
LAST_FR = (
    "Martin", "Bernard", "Dubois", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon", "Laurent",
    "Lefebvre", "Michel", "Garcia", "Roux", "Vincent", "Fournier", "Morel", "Girard", "Andre", "Mercier", "Diallo",
    "Nguyen", "Benali",
)  # fmt: skip
LAST_EN = (
    "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Wright", "Walker",
    "White", "Mensah", "Evans",
)  # fmt: skip
CITIES_FR = ("Paris", "Lyon", "Marseille", "Lille", "Nantes", "Bordeaux", "Strasbourg", "Rennes", "Grenoble")
CITIES_EN = ("London", "Leeds", "Bristol", "Dublin", "Edinburgh")
SPACES = ("webchat", "sms", "email", "telegram")


@dataclass(frozen=True, slots=True)
class Person:
    """One invented contact, with what they agreed to and what they did, oldest first."""

    profile: Profile
    ledger: Ledger
    proofs: tuple[Proof, ...]
    events: tuple[Event, ...]


def invented(topics: Sequence[Topic], now: datetime) -> list[Person]:
    """Return the demo's contacts as of now; the same now gives the same people."""
    dice = random.Random(SEED)
    people = [_anna(topics, now), _boris(topics, now)]
    return people + [_somebody(number, topics, dice, now) for number in range(len(people), CONTACTS)]


def _anna(topics: Sequence[Topic], now: datetime) -> Person:
    joined = now - timedelta(days=200)
    signed_in = (("user", "demo-anna"), ("email", "anna@example.com"), ("sms", "+33639980012"))
    identities = tuple(_identity(space, address, joined) for space, address in signed_in)
    profile = Profile(ANNA, joined, identities, language="fr")
    facts = {"first_name": "Anna", "last_name": "Lindqvist", "city": "Paris", "born_on": "1988-05-12"}
    return _with(_knowing(profile, facts, {"points": 940}, joined), topics, (), joined, says=True)


def _boris(topics: Sequence[Topic], now: datetime) -> Person:
    joined = now - timedelta(days=320)
    profile = Profile(
        BORIS, joined, (_identity("email", "boris@example.com", joined), _visitor(BORIS, joined)), language="fr"
    )
    facts = {"first_name": "Boris", "last_name": "Petit", "city": "Lille"}
    return _with(_knowing(profile, facts, {"points": 120}, joined), topics, (), joined, says=False)


def _somebody(number: int, topics: Sequence[Topic], dice: random.Random, now: datetime) -> Person:
    id, is_french = f"demo-{number:03}", dice.random() < 0.75
    joined = now - timedelta(days=dice.randrange(1, 500), minutes=dice.randrange(1_440))
    first = dice.choice(FIRST_FR if is_french else FIRST_EN)
    last = dice.choice(LAST_FR if is_french else LAST_EN)
    facts: dict[str, Any] = {"first_name": first, "last_name": last, "country": "FR" if is_french else "GB"}
    facts["city"] = dice.choice(CITIES_FR if is_french else CITIES_EN)
    facts["zone"] = "Europe/Paris" if is_french else "Europe/London"
    if dice.random() < 0.7:
        born = (
            (now + timedelta(days=dice.randrange(-40, 60)))
            if dice.random() < 0.4
            else now - timedelta(days=dice.randrange(365))
        )
        facts["born_on"] = f"{dice.randrange(1950, 2004)}-{born:%m}-{min(born.day, 28):02}"
    if dice.random() < 0.15:
        facts["subscription_ends_on"] = f"{now + timedelta(days=dice.randrange(-10, 60)):%Y-%m-%d}"
    addresses = {
        "webchat": id,
        "sms": f"+3363998{1_000 + number}",
        "email": f"{id}@example.org",
        "telegram": f"9{number:08}",
    }
    wanted = {"webchat", *dice.sample(SPACES[1:], dice.randrange(1, 4))}
    identities = tuple(_identity(space, addresses[space], joined) for space in SPACES if space in wanted)
    profile = Profile(id, joined, identities, language="fr" if is_french else "en")
    known = _knowing(profile, facts, {"points": dice.randrange(0, 1_400)}, joined)
    events = tuple(sorted(_did(id, dice, joined, now), key=lambda event: (event.happened_at, event.id)))
    spent = sum(float(event.properties["total"]) for event in events if event.name == "order.paid")
    known = known.learn("ltv", round(spent), source="inferred", at=now)
    return _with(known, topics, events, joined, says=None if dice.random() < 0.15 else dice.random() < 0.85)


def _with(
    profile: Profile, topics: Sequence[Topic], events: Iterable[Event], joined: datetime, *, says: bool | None
) -> Person:
    """Return the person with their yes or no to every topic on every address, and the proofs of it; None: never asked."""
    if says is None:
        return Person(profile, Ledger(profile.id), (), tuple(events))
    on: dict[str, bool] = {}
    proofs: list[Proof] = []
    for space in sorted({identity.channel for identity in profile.identities} - {"user"} | {"webchat"}):
        for topic in topics:
            on[f"{space}:{topic.id}"] = says
            proofs.append(Proof(
                f"demo:{profile.id}:{space}:{topic.id}", profile.id, "given" if says else "withdrawn", space, topic.id,
                joined, "form", str(topic.version), topic.wording(profile.language or "en"),
                evidence={"form": "https://shop.example/register"},
            ))  # fmt: skip
    return Person(profile, Ledger(profile.id, on, dict.fromkeys(on, joined)), tuple(proofs), tuple(events))


def _did(id: str, dice: random.Random, joined: datetime, now: datetime) -> Iterator[Event]:
    """Yield what this contact did: older orders, and a month of visits, carts, orders and answers."""
    number = 0

    def event(name: str, at: datetime, **properties: Any) -> Event:
        nonlocal number
        number += 1
        return Event(f"{id}-{number:03}", id, name, at, properties=properties, source="demo")

    if joined > now - timedelta(days=DAYS):
        yield event("account.created", joined)
    for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
        at = now - timedelta(days=dice.randrange(DAYS, 400), minutes=dice.randrange(1_440))
        if at > joined:
            yield event("order.paid", at, order_id=f"A-{dice.randrange(10_000)}", total=dice.randrange(20, 240))
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        at = _lately(dice, joined, now)
        cart, total = f"{id}-c{number}", dice.randrange(15, 260)
        yield event("page.viewed", at - timedelta(minutes=9), url="https://shop.example/", title="Boutique")
        yield event("cart.updated", at, cart_id=cart, total=total, url="https://shop.example/cart")
        if dice.random() < 0.45 and at + timedelta(minutes=25) < now:
            paid = at + timedelta(minutes=dice.choice((5, 25, 300, 1_500)))
            if paid < now:
                yield event("order.paid", paid, cart_id=cart, order_id=f"A-{dice.randrange(10_000)}", total=total)
    if dice.random() < 0.15:
        at = _lately(dice, joined, now)
        day = at + timedelta(days=dice.randrange(2, 20))
        yield event(
            "appointment.booked", at, on=f"{day:%Y-%m-%d}", hour=f"{dice.randrange(9, 18)}:00", place="12 rue des Lilas"
        )
    if dice.random() < 0.1:
        yield event("survey.answered", _lately(dice, joined, now), score=dice.choice((1, 3, 4, 5, 5)))


def _lately(dice: random.Random, joined: datetime, now: datetime) -> datetime:
    """Return an instant of the last weeks, by day, since they are with us."""
    at = now - timedelta(days=dice.randrange(1, DAYS), hours=dice.randrange(12), minutes=dice.randrange(60))
    return max(at, min(joined + timedelta(hours=1), now - timedelta(minutes=30)))


def _knowing(profile: Profile, declared: dict[str, Any], inferred: dict[str, Any], at: datetime) -> Profile:
    for name, value in declared.items():
        profile = profile.learn(name, value, source="declared", at=at, by="demo")
    for name, value in inferred.items():
        profile = profile.learn(name, value, source="inferred", at=at, by="demo")
    return profile


def _identity(space: str, address: str, at: datetime) -> Identity:
    return Identity(space, address, at, verified_at=None if space == "webchat" else at)


def _visitor(address: str, at: datetime) -> Identity:
    return Identity("webchat", address, at)
