"""Who is erased is nowhere in the database any more, whatever dies meanwhile; what must stay stays without them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from admin import erasing_rows
from admin.erasing import ROUNDS, Erasing
from admin.erasing_rows import Person
from channels.channel import Inbound
from channels.inbound import FrontDoor
from profiles.answer import nobody
from profiles.consent import verdict
from profiles.ledgers import Ledgers
from profiles.people import keys_for, link
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.seals import SEALED, Seals, verify
from profiles.snapshot import Done, Refusal, Work
from profiles.store import Plan, Stale, Store, Unavailable
from profiles.timeline import Content
from profiles.writer import Writer
from tests.admin.erasure_stage import PLANTED, Stage, close_stage, found, open_stage, person, plant, talk

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def stage(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    made = await open_stage(mongo_url, database_name)
    await plant(made)
    yield made
    await close_stage(made)


async def test_no_collection_holds_anything_of_the_person_any_more(stage: Stage) -> None:
    before = await found(stage.store, *PLANTED)
    assert len(before) >= 24, before  # the control: it is found all over the database, so the walk sees
    await stage.erase("P1")
    await stage.finish()
    assert await found(stage.store, *PLANTED) == {}
    assert await found(stage.store, "'P1'", "'P0'", "P1|", "|P1") == {}, "not by the ids either"
    assert await found(stage.store, "boris") != {}, "the others stay"


async def test_what_a_rule_counts_by_stays_and_the_other_in_the_same_commit_is_still_found(stage: Stage) -> None:
    before = await stage.store.find("words", {"words": "boris"})
    assert "zorglub" in before[0]["words"]
    await stage.erase("P1")
    await stage.finish()
    (run,), (decision,) = await stage.store.find("runs", {}), await stage.store.find("decisions", {})
    assert (run["rule"], run["profile"], run["ended"], run["sends"]["first"]["variant"]) == (
        "cart",
        "erased",
        "erased",
        "a",
    )
    assert "watch_until" not in run and "due_at" not in run, "nothing wakes it"
    assert (decision["rule"], decision["step"], decision["reason"]) == ("cart", "first", "sent")
    after = await stage.store.find("words", {"words": "boris"})
    assert {id for entry in after for id in entry["ids"]} == {
        id for entry in before for id in entry["ids"] if "b0b0" in id
    }


async def test_the_chain_of_proofs_holds_and_a_later_change_of_a_redacted_row_is_found(stage: Stage) -> None:
    sealer = Seals(stage.store, clock=stage.clock)
    await sealer.look()
    await stage.erase("P1")
    await stage.finish()
    await sealer.look()
    verdicts = {kind: await verify(stage.store, kind) for kind in SEALED}
    assert [(one.broken, one.waiting) for one in verdicts.values()] == [((), 0)] * 3
    assert (verdicts["consents"].redacted, verdicts["audit"].redacted) == (2, 2)
    kept = await stage.store.find("consents", {}, sort=[("at", 1)])
    assert [(one["change"], one["channel"], one["topic"]) for one in kept] == [
        ("given", "email", "news"),
        ("withdrawn", "sms", "*"),
    ]
    assert "ip" not in kept[0] and kept[0]["wording"] == "Yes to news", "our own words stay with their version"
    await stage.store.change("consents", {"_id": kept[0]["_id"]}, {"$set": {"change": "withdrawn"}})
    assert (await verify(stage.store, "consents")).broken == (f"row {kept[0]['_id']} was changed",)


async def test_a_redaction_that_nobody_sealed_excuses_nothing(stage: Stage) -> None:
    await Seals(stage.store, clock=stage.clock).look()
    await stage.erase("P1")
    await stage.finish()
    await Seals(stage.store, clock=stage.clock).look()
    await stage.store.remove("erasures", {"kind": "redaction", "of": "audit"})
    assert len((await verify(stage.store, "audit")).broken) == 2
    assert (await verify(stage.store, "erasures")).broken, "and that it was removed shows, too"


class Struck(BaseException):
    """What a kill leaves: nothing after it runs."""


@pytest.mark.parametrize("after", [0, 1, 3, 6, 10, 14])
async def test_struck_down_in_the_middle_another_process_goes_on(
    stage: Stage, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing_rows, "AT_ONCE", 2)
    commit, left = Store.commit, after

    async def until_struck(self: Store, plan: Plan, **more: Any) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise Struck
        await commit(self, plan, **more)

    await stage.erase("P1")
    monkeypatch.setattr(Store, "commit", until_struck)
    with pytest.raises(Struck):
        await stage.erasing.look()
    monkeypatch.setattr(Store, "commit", commit)
    assert await found(stage.store, *PLANTED) != {}, "it was struck before the end"
    writer = Writer(stage.store, process="other", clock=stage.clock)
    stage.erasing = Erasing(stage.store, writer, stage.feed, stage.hashes, clock=stage.clock)
    assert await stage.erasing.look() == 0, "it is held by the dead"
    await stage.erasing.bury("test")
    await stage.finish()
    await writer.close()
    assert await found(stage.store, *PLANTED) == {}


async def test_what_went_wrong_is_tried_again_by_the_same_process(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, wrong = Store.commit, [Stale("conflict"), Unavailable("away")]

    async def now_and_then(self: Store, plan: Plan, **more: Any) -> None:
        if wrong:
            raise wrong.pop(0)
        await commit(self, plan, **more)

    await stage.erase("P1")
    monkeypatch.setattr(Store, "commit", now_and_then)
    with pytest.raises(Unavailable):  # the first, a conflict, is only looked at again
        await stage.erasing.look()
    stage.clock.ahead += timedelta(seconds=2)
    await stage.finish()
    assert await found(stage.store, *PLANTED) == {}


async def test_batches_are_small_however_much_was_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = stage.clock()
    await talk(stage, person("P1", now, first_name="Zorglub"), person("B1", now, first_name="Boris"), 120)
    sizes, commit = list[int](), Store.commit

    async def measured(self: Store, plan: Plan, **more: Any) -> None:
        sizes.append(sum(len(some) for part in (plan.inserts, plan.updates, plan.deletes) for some in part.values()))
        await commit(self, plan, **more)

    await stage.erase("P1")
    monkeypatch.setattr(erasing_rows, "AT_ONCE", 50)
    monkeypatch.setattr(Store, "commit", measured)
    await stage.finish()
    assert len(sizes) > 5 and max(sizes) <= 2 * 50 + 1
    assert await stage.store.count("messages", {"profile": "P1"}) == 0


async def test_what_they_write_while_they_are_erased_is_erased_with_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last transaction takes nothing that was not looked at: it meets the new version, and all is looked through again."""
    farewell, times = type(stage.erasing)._farewell, 0

    async def late(self: Any, *known: Any) -> Plan:
        nonlocal times
        times += 1
        plan = await farewell(self, *known)
        if times == 1:
            now = stage.clock()
            await talk(stage, person("P1", now, first_name="Zorglub"), person("B1", now, first_name="Boris"), 1)
        return plan

    await stage.erase("P1")
    monkeypatch.setattr(type(stage.erasing), "_farewell", late)
    await stage.finish()
    assert times == 2
    assert await found(stage.store, *PLANTED) == {}


async def test_who_never_stops_writing_holds_up_nobody_elses_erasure(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    farewell, rounds = type(stage.erasing)._farewell, list[str]()

    async def busy(self: Any, row: Any, person: Any, known: Any) -> Plan:
        rounds.append(person.id)
        plan = await farewell(self, row, person, known)
        if person.id == "P1":
            await stage.store.change("profiles", {"_id": "P1"}, {"$inc": {"version": 1}})
        return plan

    await talk(stage, person("B1", stage.clock(), first_name="Boris"), person("C1", stage.clock()), 1)
    await stage.erase("P1")
    await stage.erase("B1")
    monkeypatch.setattr(type(stage.erasing), "_farewell", busy)
    assert await stage.erasing.look() == 2
    assert (rounds.count("P1"), rounds.count("B1")) == (ROUNDS, 1)
    assert await stage.store.get("profiles", "B1") is None
    monkeypatch.setattr(type(stage.erasing), "_farewell", farewell)
    stage.clock.ahead += timedelta(seconds=2)
    await stage.finish()
    assert await found(stage.store, *PLANTED) == {}


async def test_what_another_process_writes_from_memory_afterwards_is_found_five_minutes_later(stage: Stage) -> None:
    await stage.erase("P1")
    assert await stage.erasing.look() == 1
    late = {
        "_id": "late",
        "profile": "P1",
        "name": "order.paid",
        "happened_at": stage.clock(),
        "properties": {"n": "Zorglub"},
    }
    await stage.store.insert("events", late)
    await stage.finish()
    assert await found(stage.store, *PLANTED, "'P1'") == {}


async def test_who_is_back_with_a_backup_before_it_was_looked_back_is_erased_again(stage: Stage) -> None:
    backup = await stage.store.find("profiles", {"_id": "P1"})
    first = await stage.erase("P1")
    assert await stage.erasing.look() == 1
    await stage.store.insert_missing("profiles", backup)
    assert await stage.erase("P1") != first
    await stage.finish()
    assert await found(stage.store, *PLANTED, "'P1'") == {}


async def test_asked_twice_it_is_one_erasure_and_who_is_gone_can_not_be_erased(stage: Stage) -> None:
    first = await stage.erase("P1")
    assert await stage.erase("P0") == first, "a profile that was merged away is the person it became"
    await stage.finish()
    assert await stage.erase("P1") == Refusal("unknown_profile")
    assert len(await stage.store.find("erasures", {"kind": "erasure"})) == 1


async def test_two_who_ask_at_once_begin_one_erasure(stage: Stage) -> None:
    ids = await asyncio.gather(*(stage.erase("P1") for _ in range(3)))
    (row,) = await stage.store.find("erasing", {})
    assert ids == [row["erasure"]] * 3
    assert await stage.store.count("erasures", {}) == 1
    assert await stage.store.count("audit", {"act": "profile.erasing"}) == 1


async def test_nothing_that_waited_is_sent_any_more(stage: Stage) -> None:
    for id, more in (("later", {}), ("leased", {"leased_by": "elsewhere"})):
        delivery = {"to": "sms:+33698765432", "state": "queued", "lease_until": stage.clock(), **more}
        row = {
            "_id": id,
            "conversation": id,
            "profile": "P1",
            "seq": 1,
            "at": stage.clock(),
            "content": {},
            "delivery": delivery,
        }
        await stage.store.insert("messages", row)
    await stage.erase("P1")
    await stage.store.change("messages", {"_id": "leased"}, {"$set": {"delivery.lease_until": stage.clock() + MINUTE}})
    await stage.erasing.look()
    assert await stage.store.get("profiles", "P1") is not None, "what is being sent is waited for"
    waiting = await stage.store.get("messages", "later")
    assert waiting and (waiting["delivery"]["state"], waiting["delivery"]["reason"]) == ("suppressed", "erased")
    await stage.store.change("messages", {"_id": "leased"}, {"$unset": {"delivery.lease_until": ""}})
    await stage.finish()
    assert await stage.store.get("profiles", "P1") is None


async def test_their_address_comes_back_banned_and_is_free_again_when_they_write(stage: Stage) -> None:
    await stage.erase("P1")
    await stage.finish()
    key, now = "email:zorglub@example.org", stage.clock()
    imported = await stage.writer.commit(
        Work(
            lambda snapshot: link(
                snapshot, Profile("N1", now), Identity("email", "zorglub@example.org", now, now), by="import", now=now
            ),
            identities=keys_for(key),
        )
    )
    assert isinstance(imported, Done)
    (identity,) = imported.changes.answer.identities
    assert identity.suppression and identity.suppression.reason == "erased"
    door = FrontDoor(stage.writer, stage.store, answer=nobody, limits={})
    for id, address in (("m1", "7316999042"), ("m2", "555")):
        await door.receive(Inbound("telegram", address, id, Content("Bonjour")))
    erased, stranger = [await _holder(stage, f"telegram:{address}") for address in ("7316999042", "555")]
    assert erased.identities[0].suppression is None, "who writes is answered"
    ledgers = await Ledgers(stage.store).read([erased.id, stranger.id])
    assert verdict(ledgers[erased.id], "telegram", "offers", "not_withdrawn") == "opted_out:channel:telegram"
    assert verdict(ledgers[stranger.id], "telegram", "offers", "not_withdrawn") is None, "and the control may be"


async def _holder(stage: Stage, key: str) -> Profile:
    claim = await stage.store.get("identities", key)
    document = await stage.store.get("profiles", claim["profile"]) if claim else None
    assert document
    return from_document(Profile, document)


async def test_a_customers_short_number_leaves_the_answers_about_others_and_comes_to_an_end(stage: Stage) -> None:
    short = Person("P9", "E9", "erased:9", ("P9",), keys=("user:42", "user:e"))
    bodies = {
        "ours": '{"user":"42"}',
        "key": '{"key":"user:e"}',
        "others": '{"at":"2026-11-22T10:42:00Z","name":"Eve"}',
    }
    await stage.store.remove("idempotency", {})
    await stage.store.insert_missing("idempotency", [{"_id": id, "body": body} for id, body in bodies.items()])
    assert [await erasing_rows._answers(stage.store, short, stage.clock()) for _ in range(2)] == [2, 0]
    left = {row["_id"] for row in await stage.store.find("idempotency", {"status": None})}
    assert left == {"others"}
