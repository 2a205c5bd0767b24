"""The quieter arrivals: an edit, a block, a read mark, an identity proved, a receipt; each one Work for the writer."""

from dataclasses import replace
from typing import assert_never

from channels.channel import Edited, Identified, Reachable, Read, Receipt
from profiles import people
from profiles.ids import new_id
from profiles.profile import Suppression
from profiles.reactions import BY_STATE, reaction, read_to
from profiles.record import to_document
from profiles.snapshot import Amend, Changes, Refusal, Snapshot, Work
from profiles.text import clean
from profiles.timeline import Event

_RANK = {"queued": 0, "sending": 1, "unknown": 1, "sent": 2, "delivered": 3, "read": 4, "failed": 5, "suppressed": 5}


def work(arrival: Edited | Reachable | Read | Identified, *, country: str) -> Work:
    """Return what the writer has to do about this arrival."""
    match arrival:
        case Edited():
            return _edit(arrival)
        case Reachable():
            return _reachable(arrival)
        case Read():
            return _read(arrival)
        case Identified():
            return _identify(arrival, country)
        case _:
            assert_never(arrival)


def mark(id: str, receipt: Receipt) -> Work:
    """Return the Work that records what became of one delivery; a lower state never replaces a higher."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        message = snapshot.messages.get(id)
        if message is None or message.delivery is None:
            return Refusal("unknown_delivery", id)
        delivery = message.delivery
        if receipt.state in delivery.times or _RANK[receipt.state] <= _RANK[delivery.state]:
            return Changes()  # repeated, or overtaken by a later state
        put: dict[str, object] = {"delivery.state": receipt.state, f"delivery.times.{receipt.state}": receipt.at}
        if receipt.reason:
            put["delivery.reason"] = receipt.reason[:200]
        told: tuple[Event, ...] = ()
        if (name := BY_STATE.get(receipt.state)) and (
            event := reaction(name, message, receipt.at, id=new_id(snapshot.now))
        ):
            told = (event,)
        return Changes(amends=(Amend(id, put, ("delivery.lease_until", "delivery.leased_by")),), events=told)

    return Work(think, messages=(id,))


def _edit(edited: Edited) -> Work:
    id = f"{edited.channel}:{edited.id}"
    thread = f"{edited.channel}:{edited.address}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        message = snapshot.messages.get(id)
        conversation = snapshot.conversations.get(thread)
        if message is None or conversation is None or message.conversation != thread:
            return Refusal("unknown_message", id)
        content = replace(edited.content, text=clean(edited.content.text))
        if message.edited_at and message.edited_at >= edited.at:
            return Changes()  # an older edit came late
        if conversation.seq == message.seq:
            conversation = replace(conversation, last_text=content.summary())
        amend = Amend(id, {"content": to_document(content), "edited_at": edited.at})
        event = Event(new_id(snapshot.now), message.profile, "message.edited", edited.at, thread, "customer", edited.channel,
                      {"message": id, "before": message.content.text[:1000]})  # fmt: skip
        return Changes(conversations=(conversation,), amends=(amend,), events=(event,))

    return Work(think, conversations=(thread,), messages=(id,))


def _reachable(arrival: Reachable) -> Work:
    key = f"{arrival.space or arrival.channel}:{arrival.address}"
    word = "unblocked" if arrival.reachable else "blocked"
    id = f"{key}:{word}:{int(arrival.at.timestamp())}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.holder(key)
        identity = profile.identity(key) if profile else None
        if profile is None or identity is None:
            return Refusal("unknown_identity")
        standing = identity.suppression
        if arrival.reachable and (standing is None or standing.reason != "blocked"):
            return Changes()
        if not arrival.reachable and standing:
            return Changes()
        suppression = None if arrival.reachable else Suppression("blocked", arrival.at)
        event = Event(
            id, profile.id, f"identity.{word}", arrival.at, None, "customer", arrival.channel, {"identity": key}
        )
        return Changes(profiles=(profile.with_identity(replace(identity, suppression=suppression)),), events=(event,))

    return Work(think, identities=(key,), key=id, key_in="events")


def _read(read: Read) -> Work:
    thread = f"{read.channel}:{read.address}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(thread)
        if conversation is None:
            return Refusal("unknown_conversation")
        seq = min(read.seq, conversation.seq)
        if seq <= conversation.customer_read_seq:
            return Changes()
        conversation, told = read_to(replace(conversation, customer_read_seq=seq), seq, snapshot.now)
        return Changes(conversations=(conversation,), events=told)

    return Work(think, conversations=(thread,))


def _identify(arrival: Identified, country: str) -> Work:
    facts = people.Claimed(
        key=f"{arrival.channel}:{arrival.address}",
        subject=arrival.subject,
        email=arrival.email,
        phone=arrival.phone,
        name=clean(arrival.name)[:200],
        language=arrival.language,
        country=country,
    )
    return Work(
        lambda snapshot: people.identified(snapshot, facts, now=snapshot.now), identities=people.keys_of(facts),
        conversations=(facts.key,),
    )  # fmt: skip
