"""Who a firing of a schedule is for: the zone, the date that falls on that day, and the rule's audience. Pure."""

from calendar import isleap
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from profiles.expression_audience import Audience
from profiles.profile import Profile
from profiles.record import Document
from rules.entry import Occasion
from rules.rule import Rule
from rules.rule_trigger import Once, OnDate, OnSchedule
from rules.schedule import Firing, falls_on

DAY = timedelta(days=1)
Scheduled = OnSchedule | Once | OnDate


def scheduled(rule: Rule) -> Scheduled | None:
    """Return the rule's trigger if the clock pulls it."""
    return rule.trigger if isinstance(rule.trigger, OnSchedule | Once | OnDate) else None


def occasion(firing: Firing) -> Occasion:
    """Return what a firing begins: named by its local date and hour, so that no change of clocks repeats it."""
    return Occasion(firing.name, firing.at, facts={"name": "schedule", "local": firing.name})


def is_for(trigger: Scheduled, firing: Firing, zone: tzinfo, profile: Profile) -> bool:
    """Return whether a firing in this zone is for this contact, as far as a date of theirs decides it."""
    if not isinstance(trigger, OnDate):
        return True
    day = date_of(profile.value(trigger.attribute), zone)
    return day is not None and falls_on(day, day_meant(trigger, firing), yearly=trigger.yearly)


def day_meant(trigger: OnDate, firing: Firing) -> date:
    """Return the day that a date must fall on, for this firing to be about it."""
    today = firing.local.date()
    if trigger.offset is None:
        return today
    return trigger.offset.days_after(today) if trigger.is_before else trigger.offset.days_before(today)


def date_of(value: object, zone: tzinfo) -> date | None:
    """Return the date that an attribute holds: of a text that begins 1990-05-12, or of an instant.

    An instant falls on its day in this zone; but midnight in UTC is how a day without an hour is kept, and is that day everywhere.
    """
    if isinstance(value, datetime):
        return value.date() if value == _midnight(value.date()) else value.astimezone(zone).date()
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def selection(
    rule: Rule, firing: Firing, zone: tzinfo, now: datetime, *, home: bool, others: Iterable[str]
) -> Audience:
    """Return how the database finds whom a firing is for: the rule's audience, in this zone, with such a date.

    `home`: the zone is the default one, which also counts for whoever has none, or one that is in none of `others`.
    """
    trigger = scheduled(rule)
    whole = rule.audience.audience(now, zone) if rule.audience else Audience({"merged_into": None})
    more: list[Document] = []
    if trigger and trigger.zone == "contact":
        known = "attributes.zone.value"
        more.append({known: {"$nin": list(others)}} if home else {known: {"$eq": str(zone)}})
    if isinstance(trigger, OnDate):
        more.append(_on_date(trigger, day_meant(trigger, firing), zone))
    if not more:
        return whole
    filter = {"$and": [whole.filter, *more]}
    pipeline = whole.pipeline
    if pipeline and whole.collection == "profiles":
        pipeline = ({"$match": {"$and": more}}, *pipeline)
    elif pipeline:
        return Audience(filter, index=whole.index)  # the rest is asked of each contact when they enter
    return Audience(filter, pipeline, whole.collection, whole.index)


def _on_date(trigger: OnDate, day: date, zone: tzinfo) -> Document:
    """Return the filter of dates that fall on a day, kept as texts 1990-05-12 or as instants; both go by an index."""
    name = f"attributes.{trigger.attribute}.value"
    days = [on for year in _years(day) for on in _same_day(day, year)] if trigger.yearly else [day]
    texts = [on.isoformat() for on in days]
    return {
        "$or": [
            *({name: {"$gte": text, "$lt": f"{text}U"}} for text in texts),  # also 1990-05-12T10:00
            *({name: bounds} for on in days for bounds in _instants_of(on, zone)),
        ]
    }


def _instants_of(day: date, zone: tzinfo) -> Iterable[Document]:
    """Yield the bounds of the instants whose `date_of` is this day."""
    begins, ends = (datetime.combine(on, time(), zone).astimezone(UTC) for on in (day, day + DAY))
    neighbours = [_midnight(day - DAY), _midnight(day + DAY)]  # are those days, wherever the zone puts them
    yield {"$gte": begins, "$lt": ends, "$nin": [one for one in neighbours if begins <= one < ends]}
    if not begins <= _midnight(day) < ends:
        yield {"$eq": _midnight(day)}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _years(day: date) -> range:
    """Return the years in which a date may lie that comes back every year: nobody is older than 125."""
    return range(max(day.year - 125, 1), day.year + 2)


def _same_day(day: date, year: int) -> Iterable[date]:
    if (day.month, day.day) != (2, 29) or isleap(year):
        yield day.replace(year=year)
    if (day.month, day.day) == (2, 28) and isleap(year) and not isleap(day.year):
        yield date(year, 2, 29)
