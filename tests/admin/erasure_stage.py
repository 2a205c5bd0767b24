"""A person with something of theirs in every collection, beside somebody who is not erased; and a walk through the database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from admin.agents import audit_row
from admin.erasing import Erasing
from admin.erasure import begin
from admin.people import read_profile
from profiles.append import begin as open_thread
from profiles.append import heard, said
from profiles.calendar import utc_now
from profiles.consents import Consents, Said
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.neighbours import RING
from profiles.permits import Permits
from profiles.profile import Identity, Profile
from profiles.record import to_document
from profiles.snapshot import Amend, Changes, Done, Refusal, Snapshot, Work
from profiles.store import Plan, Store
from profiles.timeline import Attachment, Content, Event
from profiles.topics import Topic
from profiles.writer import Writer

SECRET = b"0123456789abcdef0123456789abcdef"
NEWS = Topic("news", {"en": "News"}, {"en": "Yes to news"})
PLANTED = ("zorglub", "7316999042", "+33698765432", "c0ffee00c0ffee00", "203.0.113.99")
"""A name (in addresses and texts too), and addresses and numbers that nobody else has."""


@dataclass
class Clock:
    """Real time, moved on by hand."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class Stage:
    """A database with its writer, and who erases there."""

    store: Store
    writer: Writer
    feed: Feed
    clock: Clock
    erasing: Erasing
    hashes: Hashes
    consents: Consents

    async def erase(self, id: str) -> str | Refusal:
        """Begin to erase; the id of the erasure."""
        profile = await read_profile(self, id)  # type: ignore[arg-type]  # it wants a desk for its store alone
        if profile is None:
            return Refusal("unknown_profile")
        outcome = await self.writer.commit(await begin(self.store, profile, self.hashes, by="agent:maya"))
        assert isinstance(outcome, Done), outcome
        return str(outcome.changes.answer)

    async def finish(self) -> None:
        """Carry all out, and look back."""
        await self.erasing.look()
        for _ in range(3):
            if not await self.store.count("erasing", {}):
                return
            self.clock.ahead += timedelta(minutes=6)
            await self.erasing.look()
        raise AssertionError("not done yet")

    async def commit(self, changes: Changes) -> None:
        assert isinstance(await self.writer.commit(Work(lambda _: changes)), Done)


async def open_stage(url: str, database: str) -> Stage:
    store, clock, feed = Store(url, database), Clock(), Feed()
    await store.prepare(INDEXES)
    writer, hashes = Writer(store, process="test", clock=clock), Hashes(SECRET)
    writer.recent.hashes = hashes
    writer.listen(feed.announce)
    ledgers = Ledgers(store)
    consents = Consents(store, ledgers, Permits(store, ledgers, clock=clock))
    return Stage(store, writer, feed, clock, Erasing(store, writer, feed, hashes, clock=clock), hashes, consents)


async def close_stage(stage: Stage) -> None:
    await stage.erasing.close()
    await stage.writer.close()
    await stage.store.close()


async def found(store: Store, *strings: str) -> dict[str, list[str]]:
    """Return, of each collection of the database, the ids of the documents with one of these strings anywhere in them."""
    hits: dict[str, list[str]] = {}
    for collection in await store._database.list_collection_names():
        for document in await store.find(collection, {}):
            text = repr(document).casefold()
            if any(one.casefold() in text for one in strings):
                hits.setdefault(collection, []).append(str(document["_id"]))
    return hits


def person(id: str, now: datetime, *keys: str, **attributes: Any) -> Profile:
    spaces = [key.partition(":") for key in keys]
    profile = Profile(id, now, tuple(Identity(space, address, now, verified_at=now) for space, _, address in spaces),
                      bot={"slots": dict(attributes)}, language="fr")  # fmt: skip
    for name, value in attributes.items():
        profile = profile.learn(name, value, source="declared", at=now, by="webchat")
    return profile


async def plant(stage: Stage, *, talks: int = 3) -> None:
    """Let Zorglub (profile P1, which absorbed P0) leave something everywhere; Boris (B1) writes in the same commits."""
    now, store = stage.clock(), stage.store
    chat, phone, email = "webchat:c0ffee00c0ffee00", "sms:+33698765432", "email:zorglub@example.org"
    keys = (chat, phone, email, "telegram:7316999042", "fcm:token-zorglub", "webpush:push-zorglub", "user:zorglub-7")
    zorglub = replace(person("P1", now, *keys, first_name="Zorglub", city="Zorgville"), absorbed=("P0",))
    shell = Profile("P0", now, language="fr", bot={"name": "Zorglub"}, merged_into="P1")
    boris = person("B1", now, "webchat:b0b0b0b0b0b0b0b0", first_name="Boris")
    claims = {key: "P1" for key in keys} | {"webchat:b0b0b0b0b0b0b0b0": "B1", "?email:zorglub@example.net": "P1"}
    await stage.commit(Changes(profiles=(zorglub, shell, boris), claims=claims))
    await talk(stage, zorglub, boris, talks)
    said_so = Said("form", "en", "203.0.113.99", {"form": "zorglub's"})
    assert not isinstance(await stage.consents.give("P1", NEWS, "email", said_so, now=now), Refusal)
    await stage.consents.withdraw("P0", "sms", "*", said_so, now=now)
    event = Event("E1", "P0", "order.paid", now, properties={"name": "Zorglub"})
    await stage.commit(Changes(
        events=(event, replace(event, id="E2", profile="B1", properties={"name": "Boris"})),
        amends=(Amend("P1:erasure", {"asked_at": now, "settled_at": None, "ip": "203.0.113.99"}, collection="requests",
                      first={"profile": "P1", "kind": "erasure"}),),
        records=(
            ("audit", audit_row("profile.edited", by="maya", about="P1", at=now, attribute="name", after="Zorglub")),
            ("audit", audit_row("conversation.replied", by="maya", about=chat, at=now)),
            ("audit", audit_row("profile.edited", by="maya", about="B1", at=now, after="Boris")),
        ),
    ))  # fmt: skip
    for collection, row in rows(now, chat, zorglub).items():
        await store.insert(collection, row)
    await store.make_ring(RING, 65_536)
    await store.note(RING, {"_id": "p:1", "process": "p", "number": 1, "at": now, "conversations": [chat]})


async def talk(stage: Stage, zorglub: Profile, boris: Profile, talks: int) -> None:
    """Both write in one commit, so that they share entries of the search."""

    def think(snapshot: Snapshot) -> Changes:
        changes = Changes()
        for who, address in ((zorglub, "c0ffee00c0ffee00"), (boris, "b0b0b0b0b0b0b0b0")):
            id = f"webchat:{address}"
            thread = snapshot.conversations.get(id) or open_thread(
                id, who, channel="webchat", address=address, identity=id, now=snapshot.now
            )
            for number in range(talks):
                text = f"Bonjour, ici {who.value('first_name')}, commande {number}"
                files = (Attachment("image", "zorglub.png", file="F1"),) if who is zorglub else ()
                thread, message = heard(
                    thread, Content(text, attachments=files), id=f"{id}:{thread.seq + 1}", now=snapshot.now
                )
                thread, reply = said(thread, Content(f"Bonjour {who.value('first_name')}"), id=f"{message.id}:1", author="bot",
                                     now=snapshot.now, to=id)  # fmt: skip
                assert reply.delivery
                done = replace(reply, delivery=replace(reply.delivery, state="delivered"))
                changes = changes.then(Changes(conversations=(thread,), messages=(message, done)))
        return changes

    work = Work(think, conversations=("webchat:c0ffee00c0ffee00", "webchat:b0b0b0b0b0b0b0b0"))
    assert isinstance(await stage.writer.commit(work), Done)


def rows(now: datetime, chat: str, zorglub: Profile) -> Mapping[str, dict[str, Any]]:
    """Return a row for each collection that the flows above do not reach, as the code that writes it makes it."""
    return {
        "files": {"_id": "F1", "name": "zorglub.png", "bytes": b"zorglub", "conversation": chat, "at": now},
        "mentions": {"_id": "m:maya", "agent": "maya", "conversation": chat, "profile": "P1", "message": f"{chat}:1", "at": now},
        "runs": {"_id": "R1", "rule": "cart", "rule_version": "v1", "profile": "P1", "started_at": now, "key": "zorglub-cart",
                 "start": {"name": "Zorglub"}, "tokens": [{"at": "wait", "since": now}], "due_at": now, "watch_until": now,
                 "sends": {"first": {"at": now, "variant": "a", "channels": ["email"]}}, "version": 3},
        "decisions": {"_id": "cart|P1|zorglub-cart", "rule": "cart", "version": "v1", "profile": "P1", "step": "first",
                      "reason": "sent", "at": now, "detail": "zorglub-cart", "messages": ["rule:zorglub"]},
        "nudges": {"_id": "E1", "profile": "P0", "leased_by": "zorglub", "lease_until": now},
        "errands": {"_id": "rule:1", "kind": "webhook", "target": "https://x", "fields": {"n": "Zorglub"}, "profile": "P1",
                    "rule": "cart", "run": "R1", "start": {"name": "Zorglub"}, "at": now},
        "baselines": {"_id": "loyal", "of": "x"},
        "memberships": {"_id": "loyal|P1", "segment": "loyal", "profile": "P1", "since": now},
        "passes": {"_id": "serial-zorglub", "profile": "P1", "card": "loyalty", "made_at": now, "changed_at": now},
        "wallet_devices": {"_id": "d1", "device": "phone of zorglub", "serial": "serial-zorglub"},
        "devices": {"_id": "fcm:token-zorglub", "app": "com.example", "registered_at": now},
        "push_subscriptions": {"_id": "push-zorglub", "endpoint": "https://push.example/zorglub"},
        "visitors": {"_id": "c0ffee00c0ffee00", "subject": "zorglub-7", "bound_at": now},
        "smpp_received": {"_id": "k", "source": {"ton": 1, "npi": 1, "text": "33698765432"}, "started_at": now,
                          "parts": {"1": {"octets": b"zorglub", "coding": 0}}},
        "merges": {"_id": "M1", "kept": "P1", "absorbed": "P0", "at": now, "kept_before": to_document(zorglub),
                   "absorbed_before": {"_id": "P0", "attributes": {"name": {"value": "Zorglub"}}}, "conversations": [chat]},
        "conflicts": {"_id": "B1:P1", "profiles": ["B1", "P1"], "key": "email:zorglub@example.org", "at": now},
        "idempotency": {"_id": "key:1", "request": "x", "at": now, "status": 201, "location": "/profiles/P1",
                        "body": '{"id":"P1","name":"Zorglub"}'},
    }  # fmt: skip


async def save(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return a copy of the whole database: a backup."""
    names = [
        name for name in await store._database.list_collection_names() if name != RING
    ]  # no transaction takes a ring
    return {name: await store.find(name, {}) for name in names}


async def restore(store: Store, backup: Mapping[str, list[dict[str, Any]]]) -> None:
    """Put a backup back in the place of what is there."""
    for name in await store._database.list_collection_names():
        await store.remove(name, {})
    for name, documents in backup.items():
        plan = Plan()
        for document in documents:
            plan.insert(name, document)
        if plan:
            await store.commit(plan)
