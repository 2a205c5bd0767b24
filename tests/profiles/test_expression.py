"""What a condition means in memory: each form on known facts, and that nothing missing or odd ever raises."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from profiles.conversation import Conversation
from profiles.duration import Duration
from profiles.expression import Expression, Facts, Kind, Sent, Vocabulary, parse, parse_value
from profiles.profile import Attribute, Profile
from profiles.timeline import Event
from tests.cast import NOON, anna, boris
from tests.profiles.strangers import OPEN, conditions, past, people

JOURNEY = Vocabulary(
    event="order.paid",
    start="cart.updated",
    has_conversation=True,
    steps=frozenset({"first"}),
    extra={"score": Kind.NUMBER},
)
KNOWN: dict[str, Any] = {
    "country": "FR", "points": 120, "ltv": 99.5, "is_vip": True, "born_on": "1990-11-22", "tags": ["promo", "été"],
    "renewal_at": NOON + timedelta(days=20), "city": "Étretat",
}  # fmt: skip


def paid(days: int, **properties: Any) -> Event:
    return Event(f"e{days}", "anna", "order.paid", NOON - timedelta(days=days), properties=properties)


def facts(**more: Any) -> Facts:
    profile = anna()
    known = {name: Attribute(value, "declared", NOON) for name, value in KNOWN.items()}
    profile = replace(profile, attributes={**profile.attributes, **known})
    base = Facts(
        now=NOON,
        profile=profile,
        event=paid(0, total=50, cart_id="c1"),
        start=Event("s", "anna", "cart.updated", NOON - timedelta(hours=1), properties={"cart_id": "c1"}),
        conversation=Conversation(
            "telegram:7001", "anna", "telegram", "7001", NOON, labels=("urgent",), waiting_since=NOON
        ),
        history={"order.paid": (paid(400, total=10), paid(80, total=20.5), paid(3, total="many"), paid(1, total=30))},
        sent=(
            Sent(NOON - timedelta(days=2), "email", "cart", "offers", ("promo",)),
            Sent(NOON - timedelta(days=9), "sms"),
        ),
        opened=frozenset({"first"}),
        extra={"score": 7},
    )
    return replace(base, **more)


def read(text: str, vocabulary: Vocabulary = JOURNEY) -> Expression:
    expression = parse(text, vocabulary)
    assert isinstance(expression, Expression), [str(mistake) for mistake in expression]
    return expression


HOLDS = """
contact.country == "FR"
contact.country in ("FR", "BE") and contact.points >= 100
contact.country in ("FR")
contact.country not in ["DE"]
100 < contact.points <= 120
contact.points / 2 + 1 == 61
-contact.points < 0
contact.is_vip
contact.is_vip == true
not contact.nothing
not contact.nothing > 5 and not contact.nothing != 5
has(contact.city) and not has(contact.nothing)
"promo" in contact.tags and "x" not in contact.tags
contains(contact.tags, "été") and contains(contact.city, "tre") and startswith(contact.city, "Étr")
lower(contact.city) == "étretat" and upper(contact.city) == "ÉTRETAT"
len(contact.tags) == 2 and len(contact.city) == 7
contact.name == "Anna Martin" and contact.language == "fr" and contact.id == "anna"
age(contact.born_on) == 35
month(contact.born_on) == 11 and day(contact.born_on) == 22 and weekday(today) == 6 and hour(now) == 12
contact.born_on < "2000-01-01"
date(contact.born_on) == date("1990-11-22")
days_until(contact.renewal_at) == 20 and days_since(contact.renewal_at) == -20
contact.renewal_at < now + "3w" and contact.renewal_at - "20d" == now
contact.renewal_at == today + "20d"
contact.renewal_at - now < "21d"
now - contact.created_at > "399d"
contact.created_at < now - "1y"
did("order.paid") and did("order.paid", within="2d") and not did("order.paid", within="23h")
did("order.paid", count="==4") and did("order.paid", within="90d", count=">=3")
did("order.paid", where="event.total > 20", count="==2")
did_not("order.refunded") and did_not("order.paid", where="event.total > 100")
sum("order.paid", "total") == 60.5
sum("order.paid", "total", within="90d") == 50.5
sum("order.refunded", "total") == 0
last("order.paid").total == 30 and last("order.paid", "total") == 30
last("order.paid").happened_at == now - "1d"
last("order.paid", "total", where="event.total < 25") == 20.5
not last("order.refunded").total == 0
reachable("email") and not reachable("sms")
sent(label="promo") and not sent(label="promo", within="1d") and sent(count=">=2")
not sent(rule="birthday") and sent(rule="cart", topic="offers", channel="email")
opened("first") and not clicked("first")
event.total == 50 and event.name == "order.paid" and event.cart_id == start.cart_id
conversation.open and conversation.waiting and conversation.owner == "bot" and "urgent" in conversation.labels
not has(conversation.team)
score > 5
""".strip().splitlines()


@pytest.mark.parametrize("text", HOLDS)
def test_it_holds(text: str) -> None:
    assert read(text).test(facts()) is True


@pytest.mark.parametrize("text", HOLDS)
def test_its_negation_does_not(text: str) -> None:
    assert read(f"not ({text})").test(facts()) is False


@pytest.mark.parametrize(
    "text",
    ['contact.nothing == "FR"', 'contact.nothing != "FR"', "contact.nothing > 1", 'contact.nothing not in ("FR",)',
     "contact.nothing", "contact.country > 5", "contact.country != 5", "contact.points", "contact.tags == contact.tags",
     "contact.points / 0 < 1", "contact.points / 0 > 1", '"a" not in contact.country', "age(contact.country) > 0",
     'contact.is_vip == 1 or contact.points == true', 'last("order.paid", "total", where="event.total < 0") != 1'],
)  # fmt: skip
def test_what_is_missing_or_of_another_kind_makes_a_comparison_false(text: str) -> None:
    assert read(text).test(facts()) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [("event.total", 50), ("now", NOON), ("today", date(2026, 11, 21)), ("event.total * 2", 100.0), ("contact.city", "Étretat"),
     ("contact.nothing", None), ('contact.points > 5', True), ('now - "1d"', NOON - timedelta(days=1)), ("'text'", "text"),
     ("now - start.happened_at", timedelta(hours=1)), ("contact.nothing + 1", None), ("2.5", 2.5)],
)  # fmt: skip
def test_a_value_is_what_it_comes_to(text: str, value: Any) -> None:
    expression = parse_value(text, JOURNEY)
    assert isinstance(expression, Expression) and expression.value(facts()) == value


def test_days_and_hours_are_those_of_the_zone() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    paris = facts(now=late, zone=ZoneInfo("Europe/Paris"))
    assert read("hour(now) == 0 and day(today) == 22 and age(contact.born_on) == 36").test(paris)
    assert read("hour(now) == 23 and day(today) == 21 and age(contact.born_on) == 35").test(facts(now=late))


def test_born_on_29_february_gets_older_on_1_march() -> None:
    attributes = {"born_on": Attribute("2000-02-29", "declared", NOON)}
    for day, years in ((28, 24), (1, 25)):
        now = datetime(2025, 2 if day == 28 else 3, day, 12, tzinfo=UTC)
        assert read(f"age(contact.born_on) == {years}").test(Facts(now, replace(anna(), attributes=attributes)))


def test_events_of_the_future_do_not_count_and_the_window_holds_its_edge() -> None:
    history = {"order.paid": (paid(30), paid(-1))}
    assert read('did("order.paid", within="30d", count="==1")').test(facts(history=history))
    assert not read('did("order.paid", within="29d")').test(facts(history=history))


def test_what_it_needs_is_told() -> None:
    needs = read(
        'contact.country == "FR" and did("a", within="30d") and did("a", within="3mo") and sum("b", "x") > 1'
    ).needs
    assert needs.attributes == {"country"}
    assert needs.events == {"a": Duration(3, "mo"), "b": None}
    assert needs.is_of_profile and needs.time and not needs.zone and not needs.event
    assert not read("event.total > 1").needs.is_of_profile
    assert read("today == contact.born_on").needs.zone
    assert not read('did("a", where="event.total > 1")').needs.event
    sent = read('sent(label="x", within="7d") or sent(within="9d") and reachable("sms") and opened("first")').needs
    assert (sent.sent, sent.sent_within, sent.channels, sent.steps) == (True, Duration(9, "d"), {"sms"}, {"first"})
    assert read('segment("a")', Vocabulary(segments={"a": "contact.b"})).needs.segments == {"a"}


def test_two_readings_of_one_text_are_equal() -> None:
    assert read("contact.points > 5") == read("contact.points > 5") != read("contact.points > 6")
    assert len({read("contact.a"), read("contact.a")}) == 1


@settings(max_examples=150, deadline=None)
@given(text=conditions())
def test_nothing_raises_whatever_the_facts(text: str) -> None:
    expression = parse(text, OPEN)
    if isinstance(expression, Expression):
        for facts in _odd_facts():
            assert expression.test(facts) in (True, False)
            expression.value(facts)


def _odd_facts() -> list[Facts]:
    crowd = people(7, 6)
    events, _ = past(7, crowd)
    odd: list[Any] = [object(), 10**400, b"x", datetime.max.replace(tzinfo=UTC), date.max, float("nan"), {}, [1j]]
    weird = [replace(boris(), attributes={name: Attribute(value, "tracked", NOON) for name in ("num", "text", "day", "at", "mix")})
             for value in odd]  # fmt: skip
    history = {"order.paid": tuple(events), "page.viewed": tuple(paid(1, num=value, mix=value) for value in odd)}
    profiles: list[Profile] = [*crowd, *weird]
    return [Facts(NOON, profile, history=history) for profile in profiles] + [Facts(NOON, boris())]
