"""The atomic gate on a real database: one, many, all; what it refuses and why; what is found again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot, grace
from profiles.ledger import own_rid
from profiles.ledger_answer import Answer, Denied, Granted, Wanted
from profiles.ledger_merging import merged
from profiles.ledgers import Ledgers
from profiles.store import Store

WEEK = timedelta(days=7)
SOFT = Slot("run1:send", "email", "offers", "not_withdrawn", rule="cart", labels=("promo",))


@pytest.fixture
def ledgers(store: Store) -> Ledgers:
    return Ledgers(store)


def wanted(rid: str, *caps: Cap, profile: str = "anna", priority: int = 50, **slot: object) -> Wanted:
    asked = Slot(**{"rid": rid, "channel": "email", "topic": "offers", "basis": "not_withdrawn", "rule": "cart",
                    "labels": ("promo",), "priority": priority, **slot})  # type: ignore[arg-type]  # fmt: skip
    return Wanted(profile, asked, caps, UTC, utc_now())


async def reserve(ledgers: Ledgers, rid: str, *caps: Cap, **slot: object) -> Answer:
    return await ledgers.reserve(wanted(rid, *caps, **slot), now=utc_now())  # type: ignore[arg-type]


async def test_a_contact_never_written_to_has_no_ledger_until_the_first_slot(store: Store, ledgers: Ledgers) -> None:
    assert await store.count("ledgers", {}) == 0
    assert isinstance(await reserve(ledgers, "$h.r"), Granted)
    (entry,) = (await ledgers.read(["anna"]))["anna"].entries
    assert (entry.rid, entry.labels, entry.rule, entry.priority) == ("$h.r", ("promo",), "cart", 50)


@pytest.mark.parametrize(
    ("cap", "code"),
    [
        (Cap(2, WEEK), "capped:all"),
        (Cap(2, WEEK, "channel", "email"), "capped:channel:email"),
        (Cap(2, WEEK, "topic", "offers"), "capped:topic:offers"),
        (Cap(2, WEEK, "label", "promo"), "capped:label:promo"),
        (Cap(2, WEEK, "rule", "cart"), "capped:rule:cart"),
        (Cap(2, "day"), "capped:all"),
        (Cap(2, "week", "label", "promo"), "capped:label:promo"),
        (Cap(2, "month"), "capped:all"),
    ],
)
async def test_the_slot_past_a_cap_is_denied_with_the_first_free_instant(ledgers: Ledgers, cap: Cap, code: str) -> None:
    first = await reserve(ledgers, "a", cap)
    assert isinstance(first, Granted) and isinstance(await reserve(ledgers, "b", cap), Granted)
    refused = await reserve(ledgers, "c", cap)
    assert isinstance(refused, Denied) and refused.code == code
    if isinstance(cap.within, timedelta):
        assert refused.until == first.at + cap.within
    else:
        assert refused.until and refused.until > utc_now()


@pytest.mark.parametrize(
    "cap", [Cap(1, WEEK, "channel", "sms"), Cap(1, WEEK, "label", "news"), Cap(1, WEEK, "rule", "x")]
)
async def test_a_cap_of_something_else_does_not_count(ledgers: Ledgers, cap: Cap) -> None:
    answers = [await reserve(ledgers, rid, cap) for rid in "abc"]
    assert all(isinstance(answer, Granted) for answer in answers)


async def test_a_slot_that_is_asked_for_again_is_the_same_one(ledgers: Ledgers) -> None:
    cap = Cap(1, WEEK)
    assert await reserve(ledgers, "a", cap) == await reserve(ledgers, "a", cap)
    assert len((await ledgers.read(["anna"]))["anna"].entries) == 1


async def test_a_slot_stays_taken_whatever_is_said_since_however_it_is_asked(store: Store, ledgers: Ledgers) -> None:
    first = await reserve(ledgers, "a")
    no = {"on.email:offers": False, "at.email:offers": utc_now()}
    await store.change("ledgers", {"_id": "anna"}, {"$set": no})
    (each,) = await ledgers.reserve_each([wanted("a")], now=utc_now())
    everybody = await ledgers.reserve_all(["anna"], wanted("a").slot, [], zones={}, now=utc_now())
    assert first == each == everybody["anna"] == await reserve(ledgers, "a")
    assert await reserve(ledgers, "b") == Denied("opted_out:topic:offers")


async def test_a_slot_given_back_is_free(ledgers: Ledgers) -> None:
    cap = Cap(1, WEEK)
    await reserve(ledgers, "a", cap)
    await ledgers.release("anna", "a")
    assert isinstance(await reserve(ledgers, "b", cap), Granted)


async def test_a_grace_keeps_two_apart_and_is_named_first(ledgers: Ledgers) -> None:
    caps = (Cap(1, timedelta(days=1)), grace(WEEK, "rule", "cart"))
    first = await reserve(ledgers, "a", *caps)
    assert isinstance(first, Granted)
    assert await reserve(ledgers, "b", *caps) == Denied("grace:rule:cart", first.at + WEEK)


async def test_the_last_slot_goes_to_the_higher_priority(ledgers: Ledgers) -> None:
    cap = Cap(1, WEEK)
    low, high = await ledgers.reserve_each(
        [wanted("low", cap, priority=20), wanted("high", cap, priority=80)], now=utc_now()
    )
    assert isinstance(high, Granted) and isinstance(low, Denied)


async def test_of_two_that_matter_alike_the_last_slot_goes_to_what_was_due_first(ledgers: Ledgers) -> None:
    later = wanted("later", Cap(1, WEEK))
    sooner = replace(wanted("sooner", Cap(1, WEEK)), due_at=later.due_at - timedelta(hours=1))
    answers = await ledgers.reserve_each([later, sooner], now=utc_now())
    assert [type(answer) for answer in answers] == [Denied, Granted]


async def test_a_clock_that_was_set_back_leaves_the_newest_first(store: Store, ledgers: Ledgers) -> None:
    ahead = utc_now().replace(microsecond=0) + timedelta(hours=1)
    await store.insert("ledgers", {"_id": "anna", "h": [{"t": ahead, "r": "old", "c": "email", "k": "offers"}]})
    assert await reserve(ledgers, "new") == Granted(ahead)
    assert [entry.rid for entry in (await ledgers.read(["anna"]))["anna"].entries] == ["new", "old"]


async def test_a_kept_slot_is_left_for_what_matters_more(ledgers: Ledgers) -> None:
    caps = (Cap(2, WEEK), Cap(1, WEEK, below=80))
    assert isinstance(await reserve(ledgers, "a", *caps), Granted)
    assert isinstance(await reserve(ledgers, "b", *caps), Denied)
    assert isinstance(await reserve(ledgers, "c", *caps, priority=80), Granted)
    assert isinstance(await reserve(ledgers, "d", *caps, priority=80), Denied)


async def test_two_hundred_entries_are_the_most(store: Store, ledgers: Ledgers) -> None:
    long_ago, lately = utc_now() - timedelta(days=98), utc_now() - timedelta(days=1)
    entry = {"c": "email", "k": "offers"}
    for id, oldest in (("full", lately), ("old", long_ago)):
        h = [{"t": lately, "r": f"r{n}", **entry} for n in range(199)] + [{"t": oldest, "r": "r199", **entry}]
        await store.insert("ledgers", {"_id": id, "h": h})
    refused = await reserve(ledgers, "x", profile="full")
    assert isinstance(refused, Denied) and refused.code == "capped:ledger"
    assert isinstance(await reserve(ledgers, "x", profile="old"), Granted)
    assert len((await ledgers.read(["old"]))["old"].entries) == 200


@pytest.mark.parametrize("rid", ["run1:send", "$h.r", "$$NOW"])
async def test_two_of_a_campaign_who_turn_out_to_be_one_person_have_spent_two(
    store: Store, ledgers: Ledgers, rid: str
) -> None:
    slot, people = replace(SOFT, rid=rid), ["anna", "clara"]
    once = await ledgers.reserve_all(people, slot, [], zones={}, now=utc_now(), by_name=True)
    again = await ledgers.reserve_all(people, slot, [Cap(1, WEEK)], zones={}, now=utc_now(), by_name=True)
    assert once == again and all(isinstance(answer, Granted) for answer in once.values())
    assert await reserve(ledgers, own_rid(rid, "anna"), Cap(1, WEEK)) == once["anna"], "found again by its own name"
    for amend in merged("anna", "clara"):
        await store.change("ledgers", {"_id": amend.message}, {"$set": dict(amend.put)}, upsert=True)
    entries = (await ledgers.read(["anna"]))["anna"].entries
    assert {entry.rid for entry in entries} == {own_rid(rid, "anna"), own_rid(rid, "clara")}


async def test_all_of_a_campaign_take_the_same_slot_each_once(ledgers: Ledgers) -> None:
    people, cap = [f"p{n}" for n in range(1_203)], Cap(1, "day")
    zones = {
        person: ZoneInfo(("Europe/Paris", "Europe/Berlin", "Asia/Tokyo")[n % 3]) for n, person in enumerate(people)
    }
    once = await ledgers.reserve_all(people, SOFT, [cap], zones=zones, now=utc_now())
    again = await ledgers.reserve_all(people, SOFT, [cap], zones=zones, now=utc_now())
    assert once == again and set(once) == set(people)
    assert all(isinstance(answer, Granted) for answer in once.values())
    other = Slot("run2:send", "email", "offers", "not_withdrawn")
    refused = await ledgers.reserve_all(people, other, [cap], zones=zones, now=utc_now())
    assert {answer.code for answer in refused.values() if isinstance(answer, Denied)} == {"capped:all"}


async def test_the_campaign_tells_each_why_not(store: Store, ledgers: Ledgers) -> None:
    until = utc_now() + timedelta(days=3)
    await store.insert("ledgers", {"_id": "boris", "on": {"*:*": False}, "at": {"*:*": utc_now()}})
    await store.insert("ledgers", {"_id": "clara", "mute": {"email:*": until}})
    await store.insert("ledgers", {"_id": "gone", "into": "anna"})
    answers = await ledgers.reserve_all(["anna", "boris", "clara", "gone"], SOFT, [], zones={}, now=utc_now())
    assert isinstance(answers.pop("anna"), Granted)
    assert answers == {
        "boris": Denied("opted_out:all"),
        "clara": Denied("paused", until),
        "gone": Denied("merged", detail="anna"),
    }


async def test_the_persons_own_cap_holds_beside_ours(store: Store, ledgers: Ledgers) -> None:
    own = [{"n": 1, "w": 7 * 86_400_000, "c": "email", "k": "*"}]
    await store.insert("ledgers", {"_id": "anna", "own": own})
    assert isinstance(await reserve(ledgers, "a"), Granted)
    refused = await reserve(ledgers, "b", topic="news")
    assert isinstance(refused, Denied) and refused.code == "capped:own"
    assert isinstance(await reserve(ledgers, "c", channel="sms"), Granted)


async def test_near_midnight_the_databases_clock_says_which_day_it_is(ledgers: Ledgers) -> None:
    """A process whose clock runs ahead by less than a day grants no second one on the same local day."""
    cap, now = Cap(1, "day"), utc_now()
    assert isinstance(await ledgers.reserve(wanted("a", cap), now=now), Granted)
    ahead = datetime.combine(now.date() + timedelta(days=1), now.time().min, UTC)
    assert isinstance(await ledgers.reserve(wanted("b", cap), now=ahead), Denied)


async def test_a_ledger_that_is_to_join_another_is_brought_together_before_it_grants(
    store: Store, ledgers: Ledgers
) -> None:
    now = utc_now()
    for id in ("a", "b", "c"):
        await store.insert("ledgers", {"_id": f"{id}-old", "into": id, "on": {"*:*": False}, "at": {"*:*": now}})
        await store.insert("ledgers", {"_id": id, "join": {f"{id}-old": "merge"}})
    one = await reserve(ledgers, "r", profile="a")
    (each,) = await ledgers.reserve_each([wanted("r", profile="b")], now=now)
    all_of_them = await ledgers.reserve_all(["c"], SOFT, [], zones={}, now=now)
    assert [one, each, all_of_them["c"]] == [Denied("opted_out:all")] * 3


async def test_of_many_each_gets_the_answer_to_its_own_question(ledgers: Ledgers) -> None:
    cap = Cap(1, WEEK)
    asked = [wanted(f"r{n}", cap, profile=f"p{n % 400}") for n in range(1_200)]
    answers = await ledgers.reserve_each(asked, now=utc_now())
    granted = [one.profile for one, answer in zip(asked, answers, strict=True) if isinstance(answer, Granted)]
    assert sorted(granted) == sorted({one.profile for one in asked})
