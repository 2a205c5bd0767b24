"""One row of a file of customers becomes a profile, or more of what is known of one. Pure, and safe to repeat.

Who a row speaks of is told by a proved address alone. It never merges, gives no consent and lifts no ban; what the person corrected
on their own page stays, and so does the language they read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from admin import own_data
from admin.import_cells import Given
from profiles import people
from profiles.calendar import is_zone
from profiles.ids import new_id
from profiles.profile import Identity, Profile, Source
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from rules.reading import ZONE

BY = "import"
TRIED = "tried"
"""The refusal that a trial run ends in: nothing is written, and its detail says what would have come of the row."""

CameTo = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a row."""

    came_to: CameTo
    profile: str


def work(row: Given, *, source: Source, tries: bool) -> Work:
    """Return the work that takes this row over; its answer is a Taken.

    Refused: two_people (whose ids), erasing, another_user, too_many_identities, and what `profiles.attributes.edit` refuses.
    """

    def think(snapshot: Snapshot) -> Changes | Refusal:
        changes = _taken(snapshot, row, source)
        if not tries or isinstance(changes, Refusal):
            return changes
        taken: Taken = changes.answer
        return Refusal(TRIED, taken.came_to)

    keys = (*row.proved, *row.said)
    return Work(think, identities=tuple(name for key in keys for name in people.keys_for(key)))


def _taken(snapshot: Snapshot, row: Given, source: Source) -> Changes | Refusal:
    now = snapshot.now
    known = {holder.id: holder for key in row.proved if (holder := _holder(snapshot, key))}
    if len(known) > 1:
        return Refusal("two_people", " and ".join(sorted(known)))
    before = next(iter(known.values()), None)
    if before and before.erasing:
        return Refusal("erasing", before.id)
    profile = before or Profile(new_id(now), now)
    changes = Changes(profiles=() if before else (profile,), answer=profile)
    for key, verified_at in (*((key, now) for key in row.proved), *((key, None) for key in row.said)):
        step = people.link(snapshot.after(changes), changes.answer, _identity(key, verified_at, now), by=BY, now=now)
        if isinstance(step, Refusal):
            return step
        changes = changes.then(step)
    described = _described(changes.answer, row, source, now)
    if isinstance(described, Refusal):
        return described
    if described != changes.answer:
        changes = changes.then(Changes(profiles=(described,), answer=described))
    came_to: CameTo = "new" if before is None else "changed" if changes else "unchanged"
    return replace(changes, answer=Taken(came_to, profile.id))


def _holder(snapshot: Snapshot, key: str) -> Profile | None:
    """Return who has this address, unless somebody who proved other things only holds it: that may be an impostor."""
    holder = snapshot.holder(key)
    held = holder.identity(key) if holder else None
    if holder is None or held is None:
        return holder
    return holder if held.verified_at or not any(other.verified_at for other in holder.identities) else None


def _described(profile: Profile, row: Given, source: Source, now: datetime) -> Profile | Refusal:
    described = profile
    for name, value in _news(profile, row.attributes or {}).items():
        if name == ZONE and not is_zone(value):
            return Refusal("bad_value", f'{ZONE}: expected a time zone such as Europe/Paris, got "{str(value)[:60]}"')
        learned = people.edit(described, name, value, source=source, by=BY, now=now)
        if isinstance(learned, Refusal):
            return learned
        described = learned
    return replace(described, language=row.language) if row.language and not described.language else described


def _news(profile: Profile, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the person did not say themselves."""
    own = {name for name, known in profile.attributes.items() if known.by == own_data.BY}
    return {name: value for name, value in attributes.items() if name not in own}


def _identity(key: str, verified_at: datetime | None, now: datetime) -> Identity:
    space, _, address = key.partition(":")
    return Identity(space, address, added_at=now, verified_at=verified_at)
