"""What a ledger says in memory and what the database decides of it are the same, for consents and for caps."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot, first_free, full, room
from profiles.consent import awake, lawful, paused_until, verdict
from profiles.ledger import ledger_of
from profiles.store import Store
from profiles.topics import Basis

CHANNELS, TOPICS, EDGE = ("email", "sms"), ("offers", "news"), timedelta(seconds=30)
KEYS = [f"{channel}:{topic}" for channel in (*CHANNELS, "*") for topic in (*TOPICS, "*")]
ASK_MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def instants(now: datetime, days: int = 40) -> st.SearchStrategy[datetime]:
    """Instants of the last days, none so near to an edge that the answer could change between two looks."""
    return st.integers(0, days * 24 * 2).map(lambda halves: now - timedelta(minutes=30 * halves) - EDGE)


@st.composite
def said(draw: st.DrawFn) -> dict[str, Any]:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    on = draw(st.dictionaries(st.sampled_from(KEYS), st.booleans(), max_size=6))
    at = {key: base + timedelta(milliseconds=draw(st.integers(0, 3))) for key in on}
    moments = st.sampled_from([base, datetime(2099, 1, 1, tzinfo=UTC)])
    mute = draw(st.dictionaries(st.sampled_from(KEYS), moments, max_size=2))
    return {name: value for name, value in {"on": on, "at": at, "mute": mute}.items() if value}


@st.composite
def spent(draw: st.DrawFn) -> dict[str, Any]:
    now = utc_now()
    entries = [
        {
            "t": at,
            "r": f"r{number}",
            "c": draw(st.sampled_from(CHANNELS)),
            "k": draw(st.sampled_from(TOPICS)),
            "u": draw(st.sampled_from(("cart", "vip"))),
            "g": draw(st.lists(st.sampled_from(("promo", "$h.g")), unique=True)),
            "y": draw(st.sampled_from((20, 50, 80))),
        }
        for number, at in enumerate(sorted(draw(st.lists(instants(now), max_size=8)), reverse=True))
    ]
    own = draw(st.lists(st.fixed_dictionaries({
        "n": st.integers(0, 3), "w": st.sampled_from((86_400_000, 7 * 86_400_000)),
        "c": st.sampled_from((*CHANNELS, "*")), "k": st.sampled_from((*TOPICS, "*")),
    }), max_size=2))  # fmt: skip
    return {"h": entries, **({"own": own} if own else {})}


CAPS = st.builds(
    lambda at_most, within, about, below: Cap(at_most, within, *about, below=below),
    st.integers(0, 4),
    st.sampled_from([timedelta(hours=24), timedelta(days=7), timedelta(days=30), "day", "week", "month"]),
    st.sampled_from([
        ("all", ""), ("channel", "email"), ("topic", "offers"), ("label", "promo"), ("label", "$h.g"), ("rule", "cart"),
    ]),
    st.sampled_from([None, 50, 80]),
)  # fmt: skip


async def chosen(store: Store, documents: list[dict[str, Any]], where: dict[str, Any]) -> set[str]:
    await store.remove("ledgers", {})
    await store.insert_missing("ledgers", [{"_id": str(number), **one} for number, one in enumerate(documents)])
    return {found["_id"] for found in await store.find("ledgers", where)}


@ASK_MANY
@given(
    documents=st.lists(said(), min_size=10, max_size=40),
    channel=st.sampled_from(CHANNELS),
    topic=st.sampled_from(TOPICS),
    basis=st.sampled_from(["given", "not_withdrawn", "none"]),
)
async def test_the_database_and_the_verdict_agree_on_consent(
    store: Store, documents: list[dict[str, Any]], channel: str, topic: str, basis: Basis
) -> None:
    now = utc_now()
    found = await chosen(store, documents, {**lawful(channel, topic, basis), "$expr": {"$and": awake(channel, topic)}})
    ledgers = [ledger_of(str(number), one) for number, one in enumerate(documents)]
    assert found == {
        ledger.profile
        for ledger in ledgers
        if verdict(ledger, channel, topic, basis) is None and paused_until(ledger, channel, topic, now) is None
    }


@ASK_MANY
@given(
    documents=st.lists(spent(), min_size=10, max_size=30),
    caps=st.lists(CAPS, min_size=1, max_size=3),
    zone=st.sampled_from(["Europe/Paris", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"]),
    priority=st.sampled_from([20, 50, 80]),
    labels=st.sampled_from([(), ("promo",), ("promo", "$h.g")]),
)
async def test_the_database_and_the_caps_agree_on_what_is_full(
    store: Store, documents: list[dict[str, Any]], caps: list[Cap], zone: str, priority: int, labels: tuple[str, ...]
) -> None:
    slot = Slot("x", "email", "offers", rule="cart", labels=labels, priority=priority)
    here, now = ZoneInfo(zone), utc_now()
    found = await chosen(store, documents, {"$expr": {"$and": list(room(slot, caps, zone=here, now=now))}})
    ledgers = [ledger_of(str(number), one) for number, one in enumerate(documents)]
    assert found == {ledger.profile for ledger in ledgers if not full(ledger, slot, caps, zone=here, now=now)}


@ASK_MANY
@given(documents=st.lists(spent(), min_size=1, max_size=5), caps=st.lists(CAPS, min_size=1, max_size=3))
def test_at_the_first_free_instant_nothing_is_full(documents: list[dict[str, Any]], caps: list[Cap]) -> None:

    slot, zone, now = Slot("x", "email", "offers", rule="cart", labels=("promo",)), ZoneInfo("Europe/Paris"), utc_now()
    for ledger in (ledger_of("p", one) for one in documents):
        found = full(ledger, slot, caps, zone=zone, now=now)
        until = first_free(found)
        if found and until:
            assert until > now and not full(ledger, slot, caps, zone=zone, now=until)
            assert full(ledger, slot, caps, zone=zone, now=until - timedelta(milliseconds=1))
