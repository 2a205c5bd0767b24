"""May this message go to this contact now? The gates in their order; the first that objects gives the reason.

Pure: all it needs stands in a `Case`. What it lets through is then reserved in the ledger (profiles/ledgers.py), which asks
consent, pauses and caps once more, atomically: `after` turns that answer into the same kinds of decision. Agents and the bot
never come here.

Which class asks what: marketing all; service no cap, no grace, no pause, and quiet hours unless it is urgent; transactional
neither consent nor holdout nor quiet hours. A rule's own validity, window and holds bind every class: its author wrote them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal, TypeAlias

from profiles.caps import Cap, Full, Slot, first_free, full
from profiles.consent import allows, paused_until
from profiles.hours import Spell, opens_at, quiet_until
from profiles.ledger import Ledger
from profiles.ledger_answer import ASK_AGAIN, Answer, Denied, Granted
from profiles.profile import Identity
from profiles.swift import swift
from profiles.topics import Class
from rules.waiting import next_local

OnCap = Literal["drop", "wait", "fallback"]
_TURNS = 20  # between quiet hours and windows that leave one another no room


@dataclass(frozen=True, slots=True)
class Send:
    """No gate objects."""


@swift
@dataclass(frozen=True, slots=True)
class Hold:
    """Not now. Everything is asked again at `until`; None: when something happens to this contact."""

    until: datetime | None
    reason: str


@swift
@dataclass(frozen=True, slots=True)
class Skip:
    """Not at all. `detail` says what waiting would have run into."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fallback:
    """Not on this channel; another of the step's may be asked."""

    reason: str


Decision: TypeAlias = Send | Hold | Skip | Fallback


@swift
@dataclass(frozen=True, slots=True)
class Case:
    """One message that a rule wants to send to one contact on one channel, and all that the gates must know."""

    now: datetime
    planned: datetime
    """When it should have left; lateness and waiting count from here."""
    zone: tzinfo
    """The contact's."""
    kind: Class
    slot: Slot
    ledger: Ledger
    identity: Identity | None
    """Where it would go; None: no address on this channel."""
    caps: tuple[Cap, ...] = ()
    """The workspace's and the rule's own, graces among them."""
    is_erased: bool = False
    is_sent_here: bool = True
    """Whether the topic is sent on this channel at all."""
    braked_until: datetime | None = None
    """Until when the rule pauses by itself, because too many people complained."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    late_after: timedelta | None = None
    holds: tuple[str, ...] = ()
    """Conditions of `hold if` that are true: conversation.open."""
    is_held_out: bool = False
    """The run is a ghost, of the rule's holdout or of the control group: the message is only noted, to measure by."""
    quiet: tuple[Spell, ...] = ()
    """The workspace's and the rule's quiet hours; the contact's own stand in the ledger."""
    window: Spell | None = None
    window_zone: tzinfo | None = None
    """Where the window's hours are counted; None: in the contact's zone."""
    best_hour: time | None = None
    """The local hour this contact reacts at most, where the rule waits for it."""
    is_urgent: bool = False
    on_cap: OnCap = "drop"
    wait_at_most: timedelta | None = None


def decide(case: Case) -> Decision:
    """Return what to do with this message now, and why."""
    for gate in GATES:
        if decision := gate(case):
            return decision
    return Send()


def after(case: Case, answer: Answer) -> Decision:
    """Return what the ledger's answer means for this message; a cap that filled up meanwhile follows the rule's policy."""
    match answer:
        case Granted():
            return Send()
        case Denied("contended" | "merging", until):
            return Hold(until or case.now + ASK_AGAIN, "contended")
        case Denied(code, until) if code.startswith(("capped", "grace")):
            return _over(case, code, until)
        case Denied(code, _):
            return Skip(code)


def _gone(case: Case) -> Decision | None:
    if case.is_erased:
        return Skip("erased")
    return Skip("merged") if case.ledger.into else None


def _address(case: Case) -> Decision | None:
    if case.identity is None:
        return Skip("no_address")
    if banned := case.identity.suppression:
        return Skip(f"suppressed:{banned.reason}")
    return None


def _consent(case: Case) -> Decision | None:
    reason = allows(case.ledger, case.slot)
    if reason == "merging":
        return Hold(case.now + ASK_AGAIN, "contended")
    return Skip(reason) if reason else None


def _preference(case: Case) -> Decision | None:
    """A pause drops: else all that was held would come at once on the day it ends."""
    if not case.is_sent_here:
        return Skip("not_on_channel")
    if case.kind == "marketing" and paused_until(case.ledger, case.slot.channel, case.slot.topic, case.now):
        return Skip("paused")
    return None


def _brake(case: Case) -> Decision | None:
    """Those who come meanwhile wait: the rule may be mended, or go on when fewer complain (profiles/brakes.py)."""
    if case.kind != "marketing" or case.braked_until is None or case.braked_until <= case.now:
        return None
    return _hold(case, case.braked_until, "complaints")


def _validity(case: Case) -> Decision | None:
    if case.valid_from and case.now < case.valid_from:
        return _hold(case, case.valid_from, "not_yet_valid")
    if case.valid_until and case.now >= case.valid_until:
        return Skip("expired")
    return Skip("late") if (last := _last(case)) and case.now > last else None


def _holds(case: Case) -> Decision | None:
    if not case.holds:
        return None
    last = _last(case)
    return Hold(last + ASK_AGAIN if last else None, f"held:{case.holds[0]}")


def _grace(case: Case) -> Decision | None:
    return _filled(case, [spent for spent in _full(case) if spent.code.startswith("grace")])


def _holdout(case: Case) -> Decision | None:
    return Skip("holdout") if case.is_held_out and case.kind != "transactional" else None


def _hours(case: Case) -> Decision | None:
    found = _first_closed(case, case.now)
    if found is None:
        return None
    word, until = found
    for _ in range(_TURNS):
        if until is None:
            return Skip(word, "never")
        later = _first_closed(case, until)
        if later is None:
            return _hold(case, until, f"{word}->{until.astimezone(case.zone):%H:%M}")
        until = later[1]
    return Skip(word, "never")


def _best_hour(case: Case) -> Decision | None:
    """Wait for the contact's best hour, counted from the plan; where that would be closed or too late, now is better."""
    best = case.best_hour
    if best is None or case.planned.astimezone(case.zone).hour == best.hour:
        return None
    until = next_local(case.planned, case.zone, at=best)
    if until <= case.now or _first_closed(case, until):
        return None
    decision = _hold(case, until, f"best_hour->{best:%H:%M}")
    return decision if isinstance(decision, Hold) else None


def _caps(case: Case) -> Decision | None:
    return _filled(case, _full(case))


GATES: tuple[Callable[[Case], Decision | None], ...] = (
    _gone, _address, _consent, _preference, _validity, _brake, _holds, _grace, _holdout, _hours, _best_hour, _caps,
)  # fmt: skip
"""The order of RULES: what can never change first, what passes by itself last."""


def _first_closed(case: Case, at: datetime) -> tuple[str, datetime | None] | None:
    """Return which hours are closed at this instant, and until when; None: all are open."""
    keeps_quiet = case.kind == "marketing" or (case.kind == "service" and not case.is_urgent)
    for hours in (*case.quiet, *case.ledger.quiet) if keeps_quiet else ():
        if until := quiet_until(hours, case.zone, at):
            return "quiet", until
    if case.window is not None and (opens := opens_at(case.window, case.window_zone or case.zone, at)) != at:
        return "window", opens
    return None


def _full(case: Case) -> tuple[Full, ...]:
    if case.kind != "marketing":
        return ()
    return full(case.ledger, case.slot, case.caps, zone=case.zone, now=case.now)


def _filled(case: Case, found: "list[Full] | tuple[Full, ...]") -> Decision | None:
    if not found or any(entry.rid == case.slot.rid for entry in case.ledger.entries):
        return None  # the slot is ours already: we died between taking it and saying so
    return _over(case, found[0].code, first_free(found))


def _over(case: Case, code: str, until: datetime | None) -> Decision:
    match case.on_cap:
        case "fallback":
            return Fallback(code)
        case "wait" if until is not None:
            if case.wait_at_most is not None and until > case.planned + case.wait_at_most:
                return Skip(code, "wait_at_most")
            return _hold(case, until, code)
    return Skip(code)


def _hold(case: Case, until: datetime, reason: str) -> Decision:
    """Hold, unless it would be too late by then: that is known now."""
    last = _last(case)
    if last and until > last:
        return Skip(reason, "late")
    if case.valid_until and until >= case.valid_until:
        return Skip(reason, "expired")
    return Hold(until, reason)


def _last(case: Case) -> datetime | None:
    return case.planned + case.late_after if case.late_after is not None else None
