"""A no, or a START after it, that was said in a conversation: it holds from the very commit that keeps the message.

The instant is the database's own, as everywhere in a ledger: a STOP of a process whose clock is slow is still later than the yes
before it. What the bot heard comes as an event (`consent.withdrawn`) and is heeded the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from profiles.consent import PROOFS, Proof
from profiles.ledger import COLLECTION, EMPTY, key, mark
from profiles.record import to_document
from profiles.seals import sealable
from profiles.snapshot import Amend, Changes
from profiles.timeline import BOT, Event
from profiles.topics import EVERY, WORD

ALL = "all"
"""What a bot's file calls every topic, or every channel."""
WITHDRAWN = "consent.withdrawn"


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a person said about being written to. `id` is the proof's: the same word kept twice meets itself."""

    id: str
    profile: str
    channel: str
    at: datetime
    topic: str = EVERY
    source: str = "keyword"
    wording: str = ""
    """What they typed, or the question that they answered."""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def word_id(message: str, word: str) -> str:
    """Return the id of a word said in this message; a message's own id may hold an address, and a proof's is kept for ever."""
    return f"said:{mark(message)}:{word}"


def no(word: Word) -> Changes:
    """Return the changes that keep a no to a topic on a channel; `*` in either place means all of them."""
    name = key(word.channel, word.topic)
    waiting = "ask" if EVERY in (word.channel, word.topic) else f"ask.{name}"
    held = Amend(
        word.profile, {f"on.{name}": False}, (waiting, f"from.{name}"), COLLECTION, EMPTY, stamp=(f"at.{name}",)
    )
    return _proved(held, word, "withdrawn")


def start_again(word: Word) -> Changes:
    """Return the changes that take back the no to a whole channel: what was said before it stands again."""
    name = key(word.channel, EVERY)
    return _proved(Amend(word.profile, {}, (f"on.{name}", f"at.{name}"), COLLECTION, EMPTY), word, "restored")


def heed(changes: Changes, profile: str) -> Changes:
    """Return the changes with each no that the bot heard kept in this profile's ledger too.

    The event says `topic` (one, several, or `all`) and may say `where`, a channel; without it the no is to every channel, for
    whoever wants no more advertising seldom means only the place where they say so.
    """
    for event in changes.events:
        if event.name == WITHDRAWN and event.by == BOT:
            for word in _heard(event, profile):
                changes = changes.then(no(word))
    return changes


def _heard(event: Event, profile: str) -> Iterator[Word]:
    said = event.properties.get("topic", ALL)
    channel = _name(event.properties.get("where", ALL))
    topics = [_name(one) for one in (said if isinstance(said, list | tuple) else [said])]
    for topic in dict.fromkeys(topics):
        yield Word(
            id=f"{event.id}:{topic}",
            profile=profile,
            channel=channel,
            topic=topic,
            at=event.happened_at,
            source=BOT,
            wording=str(event.properties.get("wording", ""))[:2_000],
            evidence={"event": event.id, **({"conversation": event.conversation} if event.conversation else {})},
        )


def _name(said: Any) -> str:
    """Return the name in a ledger; what is none is heard as all of them: a no is never lost over a slip in a bot's file."""
    return said if isinstance(said, str) and said != ALL and WORD.fullmatch(said) else EVERY


def _proved(held: Amend, word: Word, change: str) -> Changes:
    proof = Proof(
        id=word.id,
        profile=word.profile,
        change="withdrawn" if change == "withdrawn" else "restored",
        channel=word.channel,
        topic=word.topic,
        at=word.at,
        source=word.source,
        wording=word.wording,
        evidence=dict(word.evidence),
    )
    return Changes(amends=(held,), records=((PROOFS, sealable(to_document(proof))),))
