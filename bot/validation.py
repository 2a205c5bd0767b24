"""validation.yml: what a form accepts, said in the files, so that a plain bot needs no custom action.

    timezone: Europe/Paris
    country: FR
    slots:
      order_number: {kind: order_number, pattern: "[0-9]{5,10}", error: utter_wrong_order_number}
      visit_day: {kind: date, from: today, within: 60, error: utter_wrong_day}
    forms:
      order_form: {fresh: [order_number]}

`kind` finds the value inside what was said and normalises it; `pattern` must match it whole. `fresh` slots are asked
anew each time their form starts. A refused value is forgotten, `error` is said, and the form asks again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain import Domain
from bot.finders import FINDERS, Here
from bot.patterns import compiled
from bot.values import name_at, names_at, number_at, table_at
from profiles.findings import Findings, nearest
from profiles.written import Table, place_of


@dataclass(frozen=True, slots=True)
class Accept:
    """What one slot accepts, and the response that refuses the rest."""

    kind: str | None = None
    pattern: re.Pattern[str] | None = None
    from_today: bool = False
    within_days: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """What validation.yml says."""

    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    country: str = "FR"
    slots: Mapping[str, Accept] = field(default_factory=dict)
    fresh: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def here(self, at: datetime) -> Here:
        """Return the day and country that texts said at this instant are understood in."""
        return Here(at.astimezone(self.zone).date(), self.country)

    def accepted(self, slot: str, value: Any, here: Here) -> Any:
        """Return the value as it shall be remembered, or None when it is refused."""
        accept = self.slots.get(slot)
        if accept is None or value is None:
            return value
        if accept.kind is not None:
            found = FINDERS[accept.kind](str(value), here)
            value = found[0] if found else None
        if value is None or (accept.pattern and not accept.pattern.fullmatch(str(value))):
            return None
        return value if accept.kind != "date" or _day_fits(accept, value, here.today) else None


def _day_fits(accept: Accept, value: str, today: date) -> bool:
    day = date.fromisoformat(value)
    if accept.from_today and day < today:
        return False
    return accept.within_days is None or day <= today + timedelta(days=accept.within_days)


def read_validation(file: Table, domain: Domain, findings: Findings) -> Validation:
    """Return what validation.yml says; an absent file accepts everything."""
    for key in file:
        if key not in ("timezone", "country", "slots", "forms"):
            findings.unknown_key(file, key, ("timezone", "country", "slots", "forms"))
    slots, forms = table_at(file, "slots", findings), table_at(file, "forms", findings)
    return Validation(
        zone=_zone(file, findings),
        country=_country(file, findings),
        slots={str(slot): _accept(slot, spec, slots, domain, findings) for slot, spec in slots.items()},
        fresh={str(form): _fresh(form, spec, forms, domain, findings) for form, spec in forms.items()},
    )


def _country(file: Table, findings: Findings) -> str:
    country = str(file.get("country") or "FR")
    if not re.fullmatch(r"[A-Z]{2}", country):
        findings.error(place_of(file, "country"), f'country: expected two capital letters such as FR, got "{country}".')
    return country


def _zone(file: Table, findings: Findings) -> ZoneInfo:
    try:
        return ZoneInfo(str(file.get("timezone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        findings.error(
            place_of(file, "timezone"), f'timezone: expected one such as Europe/Paris, got "{file["timezone"]}".'
        )
        return ZoneInfo("UTC")


_ACCEPT_KEYS = ("kind", "pattern", "from", "within", "error")


def _accept(slot: str, spec: Any, table: Table, domain: Domain, findings: Findings) -> Accept:
    at = place_of(table, slot)
    if slot not in domain.slots:
        findings.error(at, f'slots: unknown slot "{slot}".', nearest(slot, domain.slots))
    if not isinstance(spec, Table):
        findings.error(at, f"slots: {slot}: expected keys such as kind and error.")
        return Accept()
    for key in spec:
        if key not in _ACCEPT_KEYS:
            findings.unknown_key(spec, key, _ACCEPT_KEYS)
    kind, error = name_at(spec, "kind", findings), name_at(spec, "error", findings)
    if kind is not None and kind not in FINDERS:
        findings.error(place_of(spec, "kind"), f'kind: expected one of {", ".join(FINDERS)}; got "{kind}".')
        kind = None
    if error is not None and error not in domain.responses:
        findings.error(
            place_of(spec, "error"), f'error: unknown response "{error}".', nearest(str(error), domain.responses)
        )
    return Accept(
        kind=kind,
        pattern=_pattern(spec, findings),
        from_today=spec.get("from") == "today",
        within_days=_days(spec, findings),
        error=error,
    )


def _days(spec: Table, findings: Findings) -> int | None:
    if spec.get("within") is None:
        return None
    days = number_at(spec, "within", 60, findings)
    if not 0 <= days <= 36_500:
        findings.error(place_of(spec, "within"), f"within: expected days, at most 36500; got {days:g}.", "60")
        return None
    return int(days)


def _pattern(spec: Table, findings: Findings) -> re.Pattern[str] | None:
    try:
        return compiled(str(spec["pattern"])) if spec.get("pattern") is not None else None
    except ValueError as error:
        findings.error(place_of(spec, "pattern"), f"pattern: expected a regular expression: {error}.")
        return None


def _fresh(form: str, spec: Any, table: Table, domain: Domain, findings: Findings) -> tuple[str, ...]:
    at = place_of(table, form)
    if form not in domain.forms:
        findings.error(at, f'forms: unknown form "{form}".', nearest(form, domain.forms))
    slots = names_at(spec, "fresh", findings) if isinstance(spec, Table) else ()
    for slot in slots:
        if slot not in domain.slots:
            findings.unknown("slot", slot, domain.slots)
    return tuple(map(str, slots))
