"""Values and keys that many tables of the schema share: a length, a zone, a channel, an event with its condition."""

from dataclasses import replace

from profiles.written import Table
from rules.file_reading import Reading, named
from rules.forms import length
from rules.records import Found, Key, Record
from rules.rule_trigger import EventMatch
from rules.shapes import Condition, Name, Said, Text, zone, zone_near

LENGTH = Text(
    Said("a length such as 7d", "une durée telle que 7d"), length, r"^[1-9][0-9]*\s*(m|h|d|w|mo|y)$", 20, "7d"
)
ZONE = Text(
    Said("contact or a time zone such as Europe/Paris", "contact ou un fuseau tel que Europe/Paris"),
    zone,
    most=64,
    near=zone_near,
)
CHANNEL = Name(Said("a channel", "un canal"), lambda reading: reading.names.channels)
EVENT = Name(
    Said("an event such as order.paid", "un événement tel que order.paid"),
    lambda reading: frozenset(events) if (events := reading.names.vocabulary.events) is not None else None,
)
EVENT_KEY = Key("event", EVENT, Said("the event's name", "le nom de l'événement"), is_required=True)
WHERE_KEY = Key("where", Condition(), Said("what must be true of it", "ce qui doit en être vrai"))
ZONE_KEY = Key("zone", ZONE, Said("whose local time counts", "le fuseau dont l'heure compte"), default="contact")


def with_event(table: Table, reading: Reading) -> Reading:
    """Let `where` ask about the event that stands beside it."""
    return replace(reading, event=named(table, "event"))


def event_match(found: Found) -> EventMatch:
    """Return an event by name and condition."""
    return EventMatch(found["event"], found.get("where"))


MATCH = Record(
    Said("An event", "Un événement"),
    (EVENT_KEY, WHERE_KEY),
    lambda found, reading, table: event_match(found),
    with_event,
)
