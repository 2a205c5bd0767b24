"""The people of the tests, each with one trait; their instants are told, never asked of the machine.

Anna consents to everything, Boris opted out of SMS, Clara is known on three channels, Dmitri is at UTC+10 and speaks English,
Elif is an anonymous visitor, Farid blocked the bot. Agents: Maya answers, Samir leads, Nour is away.
"""

from datetime import UTC, datetime, timedelta

from profiles.profile import Attribute, Identity, Profile, Suppression

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
"""The instant at which most tests play: a Saturday."""
LONG_AGO = NOON - timedelta(days=400)

MAYA, SAMIR, NOUR = "agent:maya", "agent:samir", "agent:nour"


def anna() -> Profile:
    """Anna Martin writes on Telegram in French; her e-mail is verified."""
    return _person("anna", "Anna", "Martin", "fr", _reached("telegram", "7001"), _reached("email", "anna@example.com"))


def boris() -> Profile:
    """Boris Petit wrote STOP by SMS."""
    stopped = Suppression("opted_out", NOON - timedelta(days=3))
    return _person("boris", "Boris", "Petit", "fr", _reached("sms", "+33600000002", stopped))


def clara() -> Profile:
    """Clara Rossi is known by SMS, on Telegram and in the web chat."""
    reached = _reached("sms", "+33600000003"), _reached("telegram", "7003"), _visitor("webchat-clara")
    return _person("clara", "Clara", "Rossi", "fr", *reached)


def dmitri() -> Profile:
    """Dmitri Ivanov lives in Vladivostok (UTC+10) and speaks English."""
    profile = _person("dmitri", "Dmitri", "Ivanov", "en", _reached("telegram", "7004"))
    return profile.learn("zone", "Asia/Vladivostok", source="declared", at=LONG_AGO)


def elif_() -> Profile:
    """Elif never said who she is: a visitor of the web chat."""
    return Profile(id="elif", created_at=NOON, identities=(_visitor("webchat-elif"),))


def farid() -> Profile:
    """Farid Benali blocked the bot on Telegram, and can still be reached by SMS."""
    blocked = Suppression("blocked", NOON - timedelta(hours=1))
    return _person(
        "farid", "Farid", "Benali", "fr", _reached("telegram", "7006", blocked), _reached("sms", "+33600000006")
    )


def _person(id: str, first: str, last: str, language: str, *identities: Identity) -> Profile:
    names = {"first_name": first, "last_name": last}
    attributes = {name: Attribute(value, "declared", LONG_AGO) for name, value in names.items()}
    return Profile(id=id, created_at=LONG_AGO, identities=identities, attributes=attributes, language=language)


def _reached(channel: str, address: str, suppression: Suppression | None = None) -> Identity:
    return Identity(channel, address, added_at=LONG_AGO, verified_at=LONG_AGO, suppression=suppression)


def _visitor(address: str) -> Identity:
    return Identity("webchat", address, added_at=NOON)
