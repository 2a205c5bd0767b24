"""What may begin a run: the keys of `when`."""

from dataclasses import replace
from typing import Any

from profiles.written import Table, place_of
from rules.attribute_shapes import ATTRIBUTE, is_known
from rules.file_reading import WRONG, Reading, named
from rules.forms import anniversary, crossing, moment, threshold
from rules.records import Found, Key, Record, Verbs
from rules.recurring import ever_comes, recurring
from rules.rule_trigger import (
    OnCall,
    Once,
    OnChange,
    OnConversation,
    OnDate,
    OnEvent,
    OnSchedule,
    OnSegment,
    OnThreshold,
)
from rules.schema_words import CHANNEL, EVENT_KEY, WHERE_KEY, ZONE_KEY, event_match
from rules.shapes import FLAG, Choice, Condition, Many, Said, Text, choice


def _before_the_run(table: Table, reading: Reading) -> Reading:
    """Nothing has begun yet: there is the event that may begin it, if one does, and no message."""
    return replace(reading, event=named(table, "event") if "event" in table else None, start=None, sends=None)


def _schedule(found: Found, reading: Reading, table: Table) -> Any:
    schedule: OnSchedule = found["schedule"]
    if not ever_comes(schedule):
        what = Said("a day that its months have", "un jour que ses mois comptent")
        return reading.wrong(table["schedule"], "schedule", what.in_)
    return replace(schedule, zone=found.get("zone", "contact"))


def _date(found: Found, reading: Reading, table: Table) -> Any:
    date: OnDate = found["date"]
    if not is_known(date.attribute, place_of(table["date"]), "date", reading):
        return WRONG
    return replace(date, yearly=found.get("yearly", True), zone=found.get("zone", "contact"))


def _segment(found: Found, reading: Reading, table: Table) -> Any:
    crossed: OnSegment = found["segment"]
    known = frozenset(reading.names.vocabulary.segments)
    return (
        crossed if crossed.segment in known else reading.unknown(table["segment"], "segment", "a known segment", known)
    )


def _change(found: Found, reading: Reading, table: Table) -> Any:
    if not is_known(found["change"], place_of(table["change"]), "change", reading):
        return WRONG
    return OnChange(found["change"], found.get("where"))


def _threshold(found: Found, reading: Reading, table: Table) -> Any:
    crossed: OnThreshold = found["threshold"]
    at = place_of(table["threshold"])
    return crossed if is_known(crossed.attribute, at, "threshold", reading, is_number=True) else WRONG


TRIGGERS = Verbs(
    Said("When a run begins", "Quand un parcours commence"),
    (
        Record(
            Said("When: event", "When : event"),
            (
                EVENT_KEY,
                WHERE_KEY,
                Key(
                    "key",
                    Condition(of_any_kind=True),
                    Said(
                        "tells one matter from another: one run per key", "distingue les affaires : un parcours par clé"
                    ),
                ),
                Key(
                    "again",
                    choice("restart", "ignore", "parallel"),
                    Said(
                        "what the same key does when it comes again; ignore: nothing, also after its run has ended",
                        "ce que fait la même clé quand elle revient ; ignore : rien, même une fois son parcours fini",
                    ),
                    default="ignore",
                ),
            ),
            lambda found, reading, table: OnEvent(event_match(found), found.get("key"), found.get("again", "ignore")),
            _before_the_run,
        ),
        Record(
            Said("When: schedule", "When : schedule"),
            (
                Key(
                    "schedule",
                    Text(
                        Said(
                            'a schedule such as "mon-fri 09:00", "day 1 09:00" or cron "0 9 * * 1-5"',
                            "un horaire tel que « mon-fri 09:00 », « day 1 09:00 » ou cron « 0 9 * * 1-5 »",
                        ),
                        recurring,
                        most=200,
                        example="mon-fri 09:00",
                    ),
                    Said(
                        "every local instant that matches; hours of one schedule share their minutes",
                        "chaque instant local qui convient ; les heures d'un horaire partagent leurs minutes",
                    ),
                ),
                ZONE_KEY,
            ),
            _schedule,
        ),
        Record(
            Said("When: once", "When : once"),
            (
                Key(
                    "once",
                    Text(
                        Said(
                            "a date and hour such as 2026-12-24 18:00",
                            "une date et une heure telles que 2026-12-24 18:00",
                        ),
                        moment,
                        r"^\d{4}-\d{2}-\d{2} +\d{1,2}:\d{2}$",
                        30,
                        "2026-12-24 18:00",
                    ),
                    Said("one local date and hour", "une seule date et heure locales"),
                ),
                ZONE_KEY,
            ),
            lambda found, reading, table: Once(found["once"], found.get("zone", "contact")),
        ),
        Record(
            Said("When: date", "When : date"),
            (
                Key(
                    "date",
                    Text(
                        Said(
                            'a date such as "contact.born_on at 10:00" or "contact.ends_on - 30d at 10:00"',
                            "une date telle que « contact.born_on at 10:00 » ou « contact.ends_on - 30d at 10:00 »",
                        ),
                        anniversary,
                        most=120,
                        example="contact.born_on - 14d at 10:00",
                    ),
                    Said(
                        "the day of a date attribute, shifted by days, weeks, months or years",
                        "le jour d'un attribut de date, décalé de jours, semaines, mois ou années",
                    ),
                ),
                Key(
                    "yearly",
                    FLAG,
                    Said(
                        "whether it comes back each year, as birthdays do (29 February: the 28th)",
                        "si elle revient chaque année, comme un anniversaire (29 février : le 28)",
                    ),
                    default="yes",
                ),
                ZONE_KEY,
            ),
            _date,
        ),
        Record(
            Said("When: segment", "When : segment"),
            (
                Key(
                    "segment",
                    Text(
                        Said("entered or left and a segment", "entered ou left et un segment"),
                        crossing,
                        r"^(entered|left) +\S+$",
                        120,
                        "entered vip",
                    ),
                    Said("a contact enters or leaves a segment", "un contact entre dans un segment ou en sort"),
                ),
            ),
            _segment,
        ),
        Record(
            Said("When: change", "When : change"),
            (
                Key(
                    "change",
                    ATTRIBUTE,
                    Said("the attribute that gets another value", "l'attribut qui change de valeur"),
                ),
                Key(
                    "where", Condition(), Said("sees event.before and event.after", "voit event.before et event.after")
                ),
            ),
            _change,
            lambda table, reading: replace(reading, event="", start=None, sends=None),
        ),
        Record(
            Said("When: threshold", "When : threshold"),
            (
                Key(
                    "threshold",
                    Text(
                        Said(
                            '"contact.points crosses 1000" (upwards), "... falls below 1000" or "... crosses 1000 either way"',
                            "« contact.points crosses 1000 » (vers le haut), « ... falls below 1000 », « ... either way »",
                        ),
                        threshold,
                        most=120,
                        example="contact.points crosses 1000",
                    ),
                    Said("a number of the profile crosses a value", "un nombre du profil franchit une valeur"),
                ),
            ),
            _threshold,
        ),
        Record(
            Said("When: conversation", "When : conversation"),
            (
                Key(
                    "conversation",
                    Choice(
                        {
                            "opened": "opened",
                            "handed over": "handed_over",
                            "assigned": "assigned",
                            "snoozed": "snoozed",
                            "resolved": "resolved",
                        }
                    ),
                    Said("the state it comes into", "l'état où elle arrive"),
                ),
                Key(
                    "channel",
                    Many(CHANNEL),
                    Said("only on these channels", "seulement sur ces canaux"),
                    default="every",
                ),
            ),
            lambda found, reading, table: OnConversation(found["conversation"], found.get("channel", ())),
        ),
        Record(
            Said("When: call", "When : call"),
            (
                Key(
                    "call",
                    choice("api"),
                    Said(
                        "the API asks for it, or another rule's `start`; the caller gets the decision",
                        "l'API le demande, ou `start` d'une autre règle ; l'appelant reçoit la décision",
                    ),
                ),
            ),
            lambda found, reading, table: OnCall(),
        ),
    ),
    "when",
)


def begins_with(table: Table) -> str | None:
    """Return the event that `start.` reads in a rule with this `when` ("" for any), None when no event begins it."""
    when = table.get("when")
    if not isinstance(when, Table) or "event" in when:
        return named(when, "event") if isinstance(when, Table) else ""
    return None if is_scheduled(table) else ""


def is_scheduled(table: Table) -> bool:
    """Return whether a clock begins this rule, for a whole audience at once."""
    when = table.get("when")
    return isinstance(when, Table) and any(verb in when for verb in ("schedule", "once", "date"))
