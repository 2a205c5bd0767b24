"""What a run's effects do to the records: attributes, labels, events, a conversation for people, errands for later. Pure."""

from datetime import datetime

from profiles.append import noted
from profiles.attributes import edit
from profiles.conversation import Conversation, Handover, hand_over, take
from profiles.profile import Profile
from profiles.snapshot import Changes, Refusal, Snapshot
from profiles.timeline import Event
from rules.letters import fields_for
from rules.moves import Begin, Effect, Errand, Happened, Know, Label, ToPeople
from rules.run import Run, effect_id
from rules.webhooks import written_for

LABELS = "labels"
"""The attribute that holds a contact's labels."""
ERRANDS = "errands"


def author(run: Run) -> str:
    """Return who did it, as attributes, events and messages say: the rule, and how many rules stand behind it."""
    return f"rule:{run.rule}#{run.chain}"


def apply(effect: Effect, run: Run, snapshot: Snapshot) -> Changes:
    """Return what this effect changes. What can not be done (no conversation, a bad value) changes nothing."""
    profile = snapshot.profile(run.profile)
    if profile is None:
        return Changes()
    match effect:
        case Know():
            return Changes(profiles=(_knowing(profile, effect, run, snapshot.now),))
        case Label():
            return Changes(profiles=(_labelled(profile, effect, run, snapshot.now),))
        case Happened():
            event = Event(
                id=effect_id(run, effect.step),
                profile=profile.id,
                name=effect.name,
                happened_at=snapshot.now,
                by=author(run),
                source=f"rule:{run.rule}",
                properties=effect.properties,
            )
            return Changes(events=(event,))
        case ToPeople():
            return _to_people(profile, effect, run, snapshot)
        case Errand():
            row = {
                "_id": effect_id(run, effect.step), "kind": effect.kind, "target": effect.target, "fields": dict(effect.fields),
                "profile": profile.id, "rule": run.rule, "run": run.id, "start": dict(run.start), "at": snapshot.now,
                "due_at": snapshot.now, "attempts": 0, **({"ends": True} if effect.ends else {}),
            }  # fmt: skip
            return Changes(records=((ERRANDS, row),))
        case Begin():
            return Changes()  # the rule it starts is a run of its own


def _knowing(profile: Profile, effect: Know, run: Run, now: datetime) -> Profile:
    values = dict(effect.put)
    for name, by in effect.add.items():
        known = profile.value(name)
        values[name] = (known if isinstance(known, int | float) and not isinstance(known, bool) else 0) + by
    for name, value in values.items():
        edited = edit(profile, name, value, source="inferred", by=author(run), now=now)
        profile = profile if isinstance(edited, Refusal) else edited
    return profile


def _labelled(profile: Profile, effect: Label, run: Run, now: datetime) -> Profile:
    known = profile.value(LABELS)
    labels = [label for label in known if label not in effect.remove] if isinstance(known, list | tuple) else []
    labels += [label for label in effect.add if label not in labels]
    edited = edit(profile, LABELS, labels or None, source="inferred", by=author(run), now=now)
    return profile if isinstance(edited, Refusal) else edited


def _to_people(profile: Profile, effect: ToPeople, run: Run, snapshot: Snapshot) -> Changes:
    threads = [thread for thread in snapshot.conversations.values() if snapshot.profile(thread.profile) == profile]
    if not threads:
        return Changes()
    thread = max(threads, key=lambda one: one.last_at or one.opened_at)
    now = snapshot.now
    note = written_for(profile, effect.note, fields_for(profile, run.start, now)).strip()
    handed = hand_over(thread, Handover("rule", now, summary=note[:500], team=effect.team))
    if effect.agent and handed.owner != "agent":
        handed = take(handed, effect.agent)
    changes = Changes(conversations=(handed,))
    if note:
        changes = changes.then(_note(handed, note, effect, run, now))
    if handed.owner == thread.owner:
        return changes
    event = Event(
        id=effect_id(run, effect.step),
        profile=profile.id,
        name="conversation.handed_over",
        happened_at=now,
        conversation=thread.id,
        by=author(run),
        source=f"rule:{run.rule}",
        properties={"reason": "rule", "team": effect.team or ""},
    )
    return changes.then(Changes(events=(event,)))


def _note(thread: Conversation, text: str, effect: ToPeople, run: Run, now: datetime) -> Changes:
    id = f"rule:{effect_id(run, effect.step)}"
    thread, note = noted(thread, text[:4_000], id=id, author=f"rule:{run.rule}", now=now)
    return Changes(conversations=(thread,), messages=(note,))
