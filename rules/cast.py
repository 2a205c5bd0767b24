"""People who do not exist, to try a rule on before anybody real gets it: each with one trait that rules stumble over.

Phone numbers are of the range kept for fiction (ARCEP, décision 2018-0881), addresses of domains kept for examples (RFC 2606).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from profiles.ledger import Entry, Ledger
from profiles.profile import Identity, Profile
from profiles.topics import Topic
from rules.memory import Contacts

SPACES = ("webchat", "telegram", "sms", "email")
TRAITS = {
    "anna": {"en": "consents to everything, birthday today", "fr": "accepte tout, anniversaire aujourd'hui"},
    "boris": {"en": "said no to everything", "fr": "a tout refusé"},
    "clara": {"en": "got three messages today", "fr": "a reçu trois messages aujourd'hui"},
    "dmitri": {"en": "lives in Vladivostok, English", "fr": "vit à Vladivostok, en anglais"},
    "elif": {"en": "an anonymous visitor", "fr": "visiteuse anonyme"},
    "farid": {"en": "only by SMS, has no first name", "fr": "par SMS seulement, sans prénom"},
}
_LONG_FOR = timedelta(days=400)


def cast(topics: Iterable[Topic], now: datetime) -> Contacts:
    """Return the six, on a stage of their own."""
    contacts = Contacts()
    names = [topic.id for topic in topics]
    everything = {f"{space}:{topic}": True for space in SPACES for topic in names}
    for person in (
        _person("anna", "Anna", "fr", now, SPACES, born_on=f"1990-{now:%m-%d}"),
        _person("dmitri", "Dmitri", "en", now, ("telegram", "email"), zone="Asia/Vladivostok"),
        _person("farid", "", "fr", now, ("sms",)),
    ):
        contacts.add(person, ledger=Ledger(person.id, everything))
    boris = _person("boris", "Boris", "fr", now, SPACES)
    contacts.add(boris, ledger=Ledger(boris.id, {**everything, "*:*": False}, {"*:*": now - timedelta(days=3)}))
    clara = _person("clara", "Clara", "fr", now, SPACES)
    spent = tuple(
        Entry(
            now - timedelta(hours=hours),
            f"spent-{hours}",
            "webchat",
            names[0] if names else "offers",
            labels=("promo",),
        )
        for hours in (1, 3, 5)
    )
    contacts.add(clara, ledger=Ledger(clara.id, everything, entries=spent))
    contacts.add(Profile("elif", now, (_identity("webchat", "elif", now),)))
    return contacts


def _person(id: str, first: str, language: str, now: datetime, spaces: Iterable[str], **more: str) -> Profile:
    identities = tuple(_identity(space, id, now) for space in spaces)
    profile = Profile(id, now - _LONG_FOR, identities, language=language)
    known = {"first_name": first, "country": "FR", **more}
    facts = {**{name: value for name, value in known.items() if value}, "points": 1_020, "ltv": 640}
    for name, value in facts.items():
        source = "inferred" if name in ("points", "ltv") else "declared"
        profile = profile.learn(name, value, source=source, at=now - _LONG_FOR)  # type: ignore[arg-type]
    return profile


def _identity(space: str, id: str, now: datetime) -> Identity:
    address = {"sms": "+33639980001", "email": f"{id}@example.org"}.get(space, f"cast-{id}")
    return Identity(space, address, now - _LONG_FOR, verified_at=now - _LONG_FOR)
