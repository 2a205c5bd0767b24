"""A rule's messages sent to its testers at once, as they would look: no run begins, no cap is spent, nothing is counted.

Consent and bans hold for testers too: the back door asks them at the moment of sending, as for any message of a rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles.append import begin, said
from profiles.profile import Identity
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Delivery, Message
from rules.applying import urgency
from rules.choice import most_reactive, targets
from rules.gatekeeper import Letter, Renders, Unrendered
from rules.person import Person
from rules.policy import Reach, Reaches
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.run import Run


@dataclass(frozen=True, slots=True)
class Tried:
    """One message for a tester; without a letter, why there is none."""

    step: str
    reach: Reach | None
    identity: Identity | None = None
    letter: Letter | None = None
    reason: str = ""


def letters(rule: Rule, person: Person, run: Run, *, reaches: Reaches, renders: Renders) -> Iterator[Tried]:
    """Yield the message of each sending step, on the first of its channels where this person has an address."""
    for step in walk(rule.steps):
        if not isinstance(step, Send):
            continue
        found = [one for one in targets(person, step.channels, reaches, most_reactive) if one.identity]
        if not found:
            yield Tried(step.id, None, reason="no_address")
            continue
        reach, identity = found[0].reach, found[0].identity
        variant = min(step.variants, default="")
        letter = renders(step.template, reach, person, run, variant)
        if isinstance(letter, Unrendered):
            yield Tried(step.id, reach, identity, reason=f"template:{letter.reason}")
        else:
            yield Tried(step.id, reach, identity, letter)


def sending(rule: Rule, person: Person, tried: Tried, *, id: str) -> Work:
    """Return the Work that puts one of these messages into the outbox."""
    assert tried.reach and tried.identity and tried.letter
    reach, identity, content = tried.reach, tried.identity, tried.letter.content
    thread = f"{reach.channel}:{identity.address}"
    metadata = {
        "rule": rule.id, "version": rule.version, "step": tried.step, "class": rule.kind, "topic": rule.topic,
        "labels": list(rule.labels), "trial": True, **urgency(rule, tried.step),
    }  # fmt: skip
    if tried.letter.language:
        metadata["language"] = tried.letter.language

    def think(snapshot: Snapshot) -> Changes:
        profile = snapshot.profile(person.id)
        if profile is None:
            return Changes()
        if not reach.is_thread:
            notice = Message(id, id, profile.id, reach.channel, "outbound", f"rule:{rule.id}", content, 1, snapshot.now,
                             delivery=Delivery(to=identity.key), metadata=metadata)  # fmt: skip
            return Changes(messages=(notice,))
        conversation = snapshot.conversations.get(thread) or begin(
            thread, profile, channel=reach.channel, address=identity.address, identity=identity.key, now=snapshot.now
        )
        conversation, message = said(
            conversation, content, id=id, author=f"rule:{rule.id}", now=snapshot.now, to=identity.key, metadata=metadata
        )
        return Changes(conversations=(conversation,), messages=(message,))

    return Work(think, profiles=(person.id,), conversations=(thread,))
