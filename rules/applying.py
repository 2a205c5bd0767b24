"""One contact's thought as one Work: runs, messages, effects, decisions and nudges in one commit, or none of them.

The runs are read again in that commit. If one of them moved meanwhile nothing is done, and the contact is thought of again;
what was reserved is found again by its name.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from profiles.append import begin, said
from profiles.record import replace, to_document
from profiles.snapshot import Amend, Changes, Refusal, Snapshot, Work, Write
from profiles.swift import swift
from profiles.timeline import Content, Delivery, Message
from rules.effects import apply, author
from rules.membership import MEMBERSHIPS, crossed, row_id
from rules.moves import Decision, Granted, Move, Outcome
from rules.person import Person
from rules.policy import Reach, Reaches
from rules.reaction import NUDGES
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.run import Run, decision_id
from rules.thinking import UNTOLD, Editions, Refused, Thought

RUNS, DECISIONS = "runs", "decisions"
CHANGED = "changed_meanwhile"

Outcomes = Mapping[str, Mapping[str, Outcome]]
"""run id -> attempt -> what came of it."""


def commitment(
    person: Person,
    thought: Thought,
    outcomes: Outcomes,
    nudges: Iterable[str],
    editions: Editions,
    reaches: Reaches,
) -> Work:
    """Return the Work that makes this thought come true and takes its nudges away."""
    taken = Changes(writes=tuple(Write(NUDGES, nudge, None) for nudge in nudges))
    letters = {move.run.id: tuple(_letters(move, outcomes.get(move.run.id, {}), reaches)) for move in thought.moves}

    def think(snapshot: Snapshot) -> Changes | Refusal:
        changes = taken
        for move in thought.moves:
            stored = snapshot.records.get((RUNS, move.run.id))
            if move.run.version == 0 and stored is not None:
                continue  # this very occasion began it before
            if move.run.version != (stored or {}).get("version", 0):
                return Refusal(CHANGED, move.run.id)
            rule = editions.rule_of(move.run)
            changes = changes.then(_moved(move, rule, letters[move.run.id], _after(snapshot, changes)))
        changes = changes.then(crossed(person.id, thought.crossings, snapshot))
        told = [refused for refused in thought.refused if refused.reason not in UNTOLD]
        if not told:
            return changes
        return changes.then(Changes(amends=tuple(_told(person.id, refused, snapshot.now) for refused in told)))

    threads = {thread.id for thread in person.conversations}
    threads |= {letter.thread for some in letters.values() for letter in some}
    return Work(
        think,
        profiles=(person.id,),
        seen=(person.facts.profile,),
        conversations=tuple(threads),
        records=(
            *((RUNS, move.run.id) for move in thought.moves),
            *((MEMBERSHIPS, row_id(one.segment, person.id)) for one in thought.crossings),
        ),
        fresh=frozenset((RUNS, move.run.id) for move in thought.moves if move.run.version == 0),
    )


def together(works: Mapping[str, Work]) -> Work:
    """Return the works of several contacts as one, that answers with the ids of those whose runs have moved meanwhile.

    They share no record, so each thinks as it would alone; but the writer looks after one work instead of many, which is most
    of what a contact of a campaign costs.
    """

    def think(snapshot: Snapshot) -> Changes:
        thought = {id: work.think(snapshot) for id, work in works.items()}
        changed = Changes.of_all([changes for changes in thought.values() if isinstance(changes, Changes)])
        return replace(changed, answer=tuple(id for id, found in thought.items() if isinstance(found, Refusal)))

    return Work(
        think,
        profiles=tuple(id for work in works.values() for id in work.profiles),
        seen=tuple(profile for work in works.values() for profile in work.seen),
        conversations=tuple(id for work in works.values() for id in work.conversations),
        records=tuple(key for work in works.values() for key in work.records),
        fresh=frozenset(key for work in works.values() for key in work.fresh),
    )


@swift
@dataclass(frozen=True, slots=True)
class _Letter:
    """One message that a granted send makes."""

    id: str
    reach: Reach
    to: str
    content: Content
    language: str
    step: str
    variant: str
    basis: str

    @property
    def address(self) -> str:
        return self.to.partition(":")[2]

    @property
    def thread(self) -> str:
        return f"{self.reach.channel}:{self.address}"


def _letters(move: Move, outcomes: Mapping[str, Outcome], reaches: Reaches) -> Iterator[_Letter]:
    for step, outcome in outcomes.items():
        if not isinstance(outcome, Granted) or step not in move.run.sends:
            continue
        for place, id in enumerate(outcome.messages):
            reach = reaches.of(outcome.channels[place])
            if reach:
                yield _Letter(
                    id, reach, outcome.to[place], outcome.contents[place], outcome.languages[place], step,
                    outcome.variant, outcome.basis,
                )  # fmt: skip


def _moved(move: Move, rule: Rule | None, letters: tuple[_Letter, ...], snapshot: Snapshot) -> Changes:
    run = move.run
    kept = to_document(replace(run, leased_by=None, lease_until=None) if run.leased_by else run)
    del kept["_id"]
    kept.pop("version", None)
    rows = tuple((DECISIONS, _row(run, decision, place)) for place, decision in enumerate(move.decisions))
    changes = Changes(writes=(Write(RUNS, run.id, kept),), records=rows)
    for letter in letters:
        changes = changes.then(_said(letter, run, rule, _after(snapshot, changes)))
    for effect in move.effects:
        changes = changes.then(apply(effect, run, _after(snapshot, changes)))
    return changes


def _after(snapshot: Snapshot, changes: Changes) -> Snapshot:
    """Return what the next of these sees: of what was changed before it looks at contacts and conversations alone."""
    return snapshot.after(changes) if changes.profiles or changes.conversations else snapshot


def _said(letter: _Letter, run: Run, rule: Rule | None, snapshot: Snapshot) -> Changes:
    profile = snapshot.profile(run.profile)
    if profile is None:
        return Changes()
    metadata = _metadata(letter, run, rule)
    who, now = f"rule:{run.rule}", snapshot.now
    if not letter.reach.is_thread:
        notice = Message(
            id=letter.id,
            conversation=letter.id,  # a notice is a thread of its own: nobody answers it
            profile=profile.id,
            channel=letter.reach.channel,
            direction="outbound",
            author=who,
            content=letter.content,
            seq=1,
            at=now,
            delivery=Delivery(to=letter.to),
            metadata=metadata,
        )
        return Changes(messages=(notice,))
    thread = snapshot.conversations.get(letter.thread) or begin(
        letter.thread, profile, channel=letter.reach.channel, address=letter.address, identity=letter.to, now=now
    )
    thread, message = said(thread, letter.content, id=letter.id, author=who, now=now, to=letter.to, metadata=metadata)
    return Changes(conversations=(thread,), messages=(message,))


def _metadata(letter: _Letter, run: Run, rule: Rule | None) -> Mapping[str, Any]:
    """Return what stays with the message for ever: whose it is, and what it counted as when it was decided."""
    known: dict[str, Any] = {"rule": run.rule, "version": run.rule_version, "run": run.id, "step": letter.step}
    if rule:
        known |= {"class": rule.kind, "topic": rule.topic, "labels": list(rule.labels), "basis": letter.basis}
        known |= urgency(rule, letter.step)
    if letter.variant:
        known["variant"] = letter.variant
    if letter.language:
        known["language"] = letter.language
    return known


def urgency(rule: Rule, attempt: str) -> Mapping[str, str]:
    """Return how a push of this step wakes the phone, where the rule says so."""
    step = attempt.partition("/")[0]
    said = next((one.urgency for one in walk(rule.steps) if isinstance(one, Send) and one.id == step), "normal")
    return {} if said == "normal" else {"urgency": said}


def _row(run: Run, decision: Decision, place: int) -> Mapping[str, Any]:
    row = {
        "_id": decision_id(run, decision.step, decision.reason, f"{run.version}.{place}"),
        "rule": run.rule, "version": run.rule_version, "profile": run.profile, "run": run.id, "step": decision.step,
        "reason": decision.reason, "at": decision.at, "detail": decision.detail, "messages": list(decision.messages),
        "channel": decision.channel, "variant": decision.variant, "by": author(run),
    }  # fmt: skip
    return {name: value for name, value in row.items() if value not in ("", [])}


def _told(profile: str, refused: Refused, now: datetime) -> Amend:
    """Return the row of a rule that was not begun; the same occasion again says nothing new."""
    row = {
        "rule": refused.rule.id, "version": refused.rule.version, "profile": profile, "step": "", "at": now,
        "reason": refused.reason, "detail": refused.occurrence,
    }  # fmt: skip
    return Amend(refusal_id(refused.rule.id, profile, refused.occurrence), collection=DECISIONS, first=row)


def refusal_id(rule: str, profile: str, occurrence: str) -> str:
    """Return the id of the row that tells why this occasion did not begin the rule."""
    return f"{rule}|{profile}|{occurrence}"
