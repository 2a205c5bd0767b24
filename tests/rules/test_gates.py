"""The gates as tables: a contact, a message, a moment -> the decision and its reason."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from profiles.caps import Cap, Slot, grace
from profiles.hours import Hours
from profiles.ledger import Entry, Ledger, OwnCap, Pending
from profiles.ledger_answer import Denied, Granted
from profiles.profile import Identity, Suppression
from rules import gates
from rules.gates import Case, Fallback, Hold, Send, Skip, after, decide
from rules.reasons import REASONS, WORDS, spoken

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in Paris
PARIS = ZoneInfo("Europe/Paris")
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
SLOT = Slot("run:send", "email", "offers", "given", rule="cart", labels=("promo",))
IDENTITY = Identity("email", "anna@example.org", NOW)
ANNA = Ledger("anna", on={"email:offers": True}, at={"email:offers": NOW - DAY})
NIGHT = Hours(time(20), time(8))
ALL_DAY = Hours(time(8), time(20))
OPEN = Hours(time(9), time(18), frozenset(range(5)))
WEEKENDS = Hours(time(9), time(18), frozenset({5, 6}))


def case(**how: Any) -> Case:
    usual: dict[str, Any] = {
        "now": NOW, "planned": NOW, "zone": PARIS, "kind": "marketing", "slot": SLOT, "ledger": ANNA, "identity": IDENTITY
    }  # fmt: skip
    return Case(**(usual | how))


def anna(**how: Any) -> Ledger:
    return replace(ANNA, **how)


def spent(ago: timedelta, **how: Any) -> Entry:
    return Entry(NOW - ago, how.pop("rid", f"r{ago}"), "email", "offers", "cart", ("promo",), **how)


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("how", "decision"),
    [
        ({}, Send()),
        # who they are
        ({"is_erased": True}, Skip("erased")),
        ({"ledger": anna(into="b")}, Skip("merged")),
        ({"ledger": anna(into="b"), "identity": None}, Skip("merged")),  # a shell has no address: that is not why
        ({"identity": None}, Skip("no_address")),
        ({"identity": replace(IDENTITY, suppression=Suppression("bounced", NOW))}, Skip("suppressed:bounced")),
        # what they said
        ({"ledger": Ledger("x")}, Skip("no_consent:topic:offers")),
        ({"ledger": Ledger("x", pending={"email:offers": Pending("t", NOW)})}, Skip("unconfirmed:topic:offers")),
        ({"ledger": anna(on={"email:offers": False})}, Skip("opted_out:topic:offers")),
        ({"ledger": Ledger("x"), "slot": replace(SLOT, basis="not_withdrawn")}, Send()),
        ({"ledger": anna(joining=frozenset({"b"}))}, Hold(NOW + timedelta(seconds=1), "contended")),
        ({"ledger": anna(paused={"*:*": NOW + DAY})}, Skip("paused")),
        ({"ledger": anna(paused={"email:*": NOW})}, Send()),
        ({"ledger": anna(paused={"sms:*": NOW + DAY})}, Send()),
        ({"is_sent_here": False}, Skip("not_on_channel")),
        # what others said of it
        ({"braked_until": NOW + DAY}, Hold(NOW + DAY, "complaints")),
        ({"braked_until": NOW + DAY, "late_after": HOUR}, Skip("complaints", "late")),
        ({"braked_until": NOW}, Send()),
        ({"braked_until": NOW + DAY, "kind": "service"}, Send()),
        # when it is of use
        ({"valid_from": NOW + DAY}, Hold(NOW + DAY, "not_yet_valid")),
        ({"valid_from": NOW}, Send()),
        ({"valid_until": NOW}, Skip("expired")),
        ({"planned": NOW - 2 * HOUR, "late_after": HOUR}, Skip("late")),
        ({"planned": NOW - HOUR, "late_after": HOUR}, Send()),
        ({"holds": ("conversation.open",)}, Hold(None, "held:conversation.open")),
        ({"holds": ("a",), "late_after": HOUR}, Hold(NOW + HOUR + timedelta(seconds=1), "held:a")),  # then it is late
        ({"is_held_out": True}, Skip("holdout")),
        # hours, in the contact's zone
        ({"quiet": (NIGHT,)}, Send()),
        ({"quiet": (NIGHT,), "now": at(7, 30)}, Hold(at(8), "quiet->08:00")),
        ({"quiet": (NIGHT,), "now": at(22)}, Hold(at(8, day=24), "quiet->08:00")),
        ({"ledger": anna(quiet=(NIGHT,)), "now": at(22)}, Hold(at(8, day=24), "quiet->08:00")),
        ({"quiet": (NIGHT,), "window": OPEN, "now": at(22)}, Hold(at(9, day=24), "quiet->09:00")),
        ({"window": OPEN, "now": at(18)}, Hold(at(9, day=24), "window->09:00")),
        ({"window": WEEKENDS}, Hold(at(9, day=28), "window->09:00")),
        ({"window": OPEN, "window_zone": ZoneInfo("Asia/Tokyo")}, Hold(at(1, day=24), "window->01:00")),
        ({"quiet": (ALL_DAY,), "window": OPEN}, Skip("quiet", "never")),
        ({"quiet": (NIGHT,), "now": at(22), "planned": at(22), "late_after": HOUR}, Skip("quiet->08:00", "late")),
        ({"quiet": (NIGHT,), "now": at(22), "planned": at(22), "late_after": 10 * HOUR}, Hold(at(8, day=24), "quiet->08:00")),
        ({"quiet": (NIGHT,), "now": at(22), "valid_until": at(8, day=24)}, Skip("quiet->08:00", "expired")),
        # pressure
        ({"caps": (Cap(0, WEEK),), "on_cap": "wait"}, Skip("capped:all")),
    ],
)  # fmt: skip
def test_a_marketing_message(how: dict[str, Any], decision: object) -> None:
    assert decide(case(**how)) == decision


CAPPED = {"ledger": anna(entries=(spent(DAY), spent(3 * DAY))), "caps": (Cap(2, WEEK, "label", "promo"),)}
FREE = NOW + 4 * DAY


@pytest.mark.parametrize(
    ("how", "decision"),
    [
        ({}, Skip("capped:label:promo")),
        ({"on_cap": "fallback"}, Fallback("capped:label:promo")),
        ({"on_cap": "wait"}, Hold(FREE, "capped:label:promo")),
        ({"on_cap": "wait", "wait_at_most": 5 * DAY}, Hold(FREE, "capped:label:promo")),
        ({"on_cap": "wait", "wait_at_most": 4 * DAY}, Hold(FREE, "capped:label:promo")),
        ({"on_cap": "wait", "wait_at_most": DAY}, Skip("capped:label:promo", "wait_at_most")),
        ({"on_cap": "wait", "wait_at_most": 5 * DAY, "planned": NOW - 2 * DAY}, Skip("capped:label:promo", "wait_at_most")),
        ({"on_cap": "wait", "late_after": DAY}, Skip("capped:label:promo", "late")),
        ({"slot": replace(SLOT, labels=("news",))}, Send()),
        ({"caps": (Cap(2, 2 * DAY),)}, Send()),
        ({"caps": (Cap(1, "day"),)}, Send()),
        ({"caps": (Cap(1, "week"),)}, Send()),
        ({"caps": (Cap(2, "month"),), "on_cap": "wait"}, Hold(datetime(2026, 11, 30, 23, tzinfo=UTC), "capped:all")),
        ({"caps": (grace(2 * DAY, "rule", "cart"), Cap(1, WEEK)), "on_cap": "wait"}, Hold(NOW + DAY, "grace:rule:cart")),
        ({"is_held_out": True, "caps": (grace(2 * DAY),)}, Skip("grace:all")),
        ({"is_held_out": True}, Skip("holdout")),
        ({"caps": (), "ledger": anna(entries=(spent(DAY),), own=(OwnCap(1, WEEK, "email"),))}, Skip("capped:own")),
        ({"caps": (), "ledger": anna(entries=(spent(DAY),), own=(OwnCap(1, WEEK, "sms"),))}, Send()),
        ({"ledger": anna(entries=(spent(HOUR, rid="run:send"), spent(DAY)))}, Send()),
    ],
)  # fmt: skip
def test_a_message_over_a_limit(how: dict[str, Any], decision: object) -> None:
    assert decide(case(**(CAPPED | how))) == decision


@pytest.mark.parametrize(
    ("how", "decision"),
    [
        ({"best_hour": time(18)}, Hold(at(18), "best_hour->18:00")),
        ({"best_hour": time(11)}, Send()),  # it is that hour
        ({"best_hour": time(10), "planned": at(10, 30)}, Send()),  # it was, when it was planned
        ({"best_hour": time(9)}, Hold(at(9, day=24), "best_hour->09:00")),
        ({"best_hour": time(18), "planned": NOW - DAY + HOUR}, Send()),  # it has waited: counted from the plan
        ({"best_hour": time(18), "planned": NOW - HOUR}, Hold(at(18), "best_hour->18:00")),
        ({"best_hour": time(18), "kind": "transactional"}, Hold(at(18), "best_hour->18:00")),
        # now is better than too late, or than an hour that is closed
        ({"best_hour": time(18), "late_after": HOUR}, Send()),
        ({"best_hour": time(18), "valid_until": at(17)}, Send()),
        ({"best_hour": time(22), "quiet": (NIGHT,)}, Send()),
        ({"best_hour": time(20), "window": OPEN}, Send()),
        # what is closed now comes first
        ({"best_hour": time(18), "quiet": (ALL_DAY,)}, Hold(at(20), "quiet->20:00")),
        ({"best_hour": time(18), "slot": replace(SLOT, topic="news")}, Skip("no_consent:topic:news")),
    ],
)  # fmt: skip
def test_a_message_that_waits_for_the_best_hour(how: dict[str, Any], decision: object) -> None:
    assert decide(case(**how)) == decision


@pytest.mark.parametrize(
    ("trouble", "marketing", "service", "urgent", "transactional"),
    [
        (CAPPED, "capped:label:promo", "", "", ""),
        ({"ledger": anna(paused={"*:*": NOW + DAY})}, "paused", "", "", ""),
        ({"quiet": (Hours(time(10), time(12)),)}, "quiet->12:00", "quiet->12:00", "", ""),
        ({"is_held_out": True}, "holdout", "holdout", "holdout", ""),
        ({"ledger": Ledger("x")}, "no_consent:topic:offers", "", "", ""),
        (
            {"ledger": Ledger("x", on={"*:*": False}, at={"*:*": NOW})},
            "opted_out:all",
            "opted_out:all",
            "opted_out:all",
            "",
        ),
        ({"identity": None}, "no_address", "no_address", "no_address", "no_address"),
        ({"late_after": HOUR, "planned": NOW - DAY}, "late", "late", "late", "late"),
        ({"window": WEEKENDS}, "window->09:00", "window->09:00", "window->09:00", "window->09:00"),
    ],
)
def test_each_class_asks_its_own_gates(
    trouble: dict[str, Any], marketing: str, service: str, urgent: str, transactional: str
) -> None:
    soft, free = replace(SLOT, basis="not_withdrawn"), replace(SLOT, basis="none")
    decisions = [
        decide(case(**trouble)),
        decide(case(**trouble, kind="service", slot=soft)),
        decide(case(**trouble, kind="service", slot=soft, is_urgent=True)),
        decide(case(**trouble, kind="transactional", slot=free)),
    ]
    assert [getattr(decision, "reason", "") for decision in decisions] == [marketing, service, urgent, transactional]


TROUBLES: list[dict[str, Any]] = [
    {"is_erased": True},
    {"identity": None},
    {"slot": replace(SLOT, topic="news")},
    {"is_sent_here": False},
    {"valid_until": NOW},
    {"braked_until": NOW + DAY},
    {"holds": ("conversation.open",)},
    {"is_held_out": True},
    {"quiet": (Hours(time(10), time(12)),)},
    {"caps": (Cap(0, WEEK),)},
]


@pytest.mark.parametrize("first", range(len(TROUBLES) - 1))
def test_the_gates_object_in_their_order(first: int) -> None:
    """Everything is wrong from here on: the reason is the first one's."""
    everything: dict[str, Any] = {}
    for trouble in TROUBLES[first:]:
        everything |= trouble
    assert decide(case(**everything)) == decide(case(**TROUBLES[first]))


@pytest.mark.parametrize(
    ("answer", "how", "decision"),
    [
        (Granted(NOW), {}, Send()),
        (Denied("opted_out:all"), {}, Skip("opted_out:all")),
        (Denied("capped:all", NOW + DAY), {}, Skip("capped:all")),
        (Denied("capped:all", NOW + DAY), {"on_cap": "wait"}, Hold(NOW + DAY, "capped:all")),
        (Denied("grace:rule:cart", NOW + DAY), {"on_cap": "wait"}, Hold(NOW + DAY, "grace:rule:cart")),
        (Denied("capped:own", NOW + DAY), {"on_cap": "fallback"}, Fallback("capped:own")),
        (Denied("contended", NOW + HOUR), {}, Hold(NOW + HOUR, "contended")),
    ],
)
def test_what_the_ledger_answers_becomes_a_decision(answer: Any, how: dict[str, Any], decision: object) -> None:
    assert after(case(**how), answer) == decision


def test_every_reason_reads_as_a_sentence_in_both_languages() -> None:
    assert spoken("capped:label:promo", "en") == "the limit is reached (label promo)"
    assert spoken("opted_out:topic:service", "fr") == "le contact a refusé (sujet service)"
    assert spoken("suppressed:blocked", "fr") == "cette adresse est bannie : bloquée par le contact"
    assert spoken("capped:all", "fr-CA") == "la limite est atteinte (tout)"
    assert spoken("quiet->09:00", "fr-CA") == "heures calmes, jusqu'à 09:00"
    assert spoken("exit:goal", "fr") == "devenu inutile : le but est atteint"
    assert spoken("entry:1 per 120d", "fr") == "y est déjà entré assez souvent (1 fois au plus en 120 jours)"
    assert spoken("entry:3", "en") == "has entered often enough (3)"
    assert spoken("what:is:this", "fr") == "what:is:this"
    assert all(set(said) == {"en", "fr"} for said in (*REASONS.values(), *WORDS.values()))


@pytest.mark.parametrize("manual", ["docs/consent.md", "docs/fr/consent.md"])
def test_every_reason_is_in_the_manual(manual: str) -> None:
    told = set(re.findall(r"`(\w+)[`:-]", (ROOT / manual).read_text(encoding="utf-8")))
    assert set(REASONS) <= told


def test_every_reason_that_a_gate_gives_has_its_sentence() -> None:
    source = Path(gates.__file__).read_text()
    given = set(re.findall(r'(?:(?:Skip|Fallback)\(|[Hh]old\([^"\n)]*, )f?"(\w+)', source))
    assert given and given <= set(REASONS)
