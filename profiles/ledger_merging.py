"""Two ledgers of one person become one, and part again: histories unite, a no of either wins, a yes is lent and given back.

A merge of profiles only marks the two ledgers, in its own commit: the absorbed one as gone `into` the other, the kept one as still
to `join` it. A ledger that is to join another grants nothing; whoever meets it brings them together first. So a crash between
the two leaves silence, never a send against a no.
"""

from typing import Any, Literal

from profiles.ledger import COLLECTION, EMPTY, MOST_ENTRIES, MOST_OWN_CAPS, Document, covers
from profiles.snapshot import Amend
from profiles.store import Store, Unavailable

How = Literal["merge", "part", "return"]
"""merge: take in the other's. part: give back what came from the other. return: take what was refused and spent meanwhile."""
_ATTEMPTS = 20


def merged(kept: str, absorbed: str) -> tuple[Amend, ...]:
    """Return the changes to the ledgers that belong into the commit of a merge."""
    return _join(kept, absorbed, "merge"), Amend(absorbed, {"into": kept}, collection=COLLECTION, first=EMPTY)


def parted(kept: str, restored: str) -> tuple[Amend, ...]:
    """Return the changes to the ledgers that belong into the commit that undoes a merge.

    What either refused stays refused for both, and what was sent counts for both: of two people who were taken for one,
    nobody knows whom it reached. A yes goes back to who said it.
    """
    back = _join(restored, kept, "return")
    return _join(kept, restored, "part"), Amend(restored, back.put, ("into",), COLLECTION, EMPTY)


async def bring_together(store: Store, profile: str) -> dict[str, Any]:
    """Return this ledger's document after it was brought together with all that it is to join."""
    for _ in range(_ATTEMPTS):
        ours = await store.get(COLLECTION, profile) or {"_id": profile}
        waiting = ours.get("join")
        if not waiting:
            return ours
        other, how = next(iter(waiting.items()))
        if how == "merge":
            theirs = await bring_together(store, other)  # what it had taken in itself comes along
        else:
            theirs = await store.get(COLLECTION, other) or {}
        before = {name: {"$eq": ours[name]} if name in ours else None for name in _UNITED}
        put = joined(ours, theirs, other, how)
        await store.change(
            COLLECTION,
            {"_id": {"$eq": profile}, f"join.{other}": how, **before},  # somebody said something meanwhile: look again
            {"$set": put, "$unset": {f"join.{other}": ""}},
        )
    raise Unavailable(f"the ledger of {profile} is changed faster than it can be united")


def joined(ours: Document, theirs: Document, other: str, how: How) -> dict[str, Any]:
    """Return the fields of our ledger after joining the other one. Pure."""
    if how == "part":
        return _given_back(ours, other)
    spent = _histories(ours, theirs)
    said = _refusals(ours, theirs)
    if how == "merge":
        said = _lent(said, _refusals(theirs, ours), other)
    return spent | said


_UNITED = ("on", "at", "from", "h", "own", "quiet", "mute", "off")


def _join(profile: str, other: str, how: How) -> Amend:
    return Amend(profile, {f"join.{other}": how}, collection=COLLECTION, first=EMPTY)


def _histories(ours: Document, theirs: Document) -> dict[str, Any]:
    """Unite what was spent, and every wish to be left alone: bans, pauses, own caps and quiet hours."""
    known = {entry["r"] for entry in ours.get("h", ())}
    entries = [*ours.get("h", ()), *(entry for entry in theirs.get("h", ()) if entry["r"] not in known)]
    pauses = dict(ours.get("mute", {}))
    for name, until in theirs.get("mute", {}).items():
        pauses[name] = max(until, pauses.get(name, until))
    united: dict[str, Any] = {
        "h": sorted(entries, key=lambda entry: entry["t"], reverse=True)[:MOST_ENTRIES],
        "mute": pauses,
        "off": {**ours.get("off", {}), **theirs.get("off", {})},
    }
    for name in ("own", "quiet"):
        wishes = [*ours.get(name, ()), *(wish for wish in theirs.get(name, ()) if wish not in ours.get(name, ()))]
        united[name] = wishes[:MOST_OWN_CAPS]
    return united


def _refusals(ours: Document, theirs: Document) -> dict[str, Any]:
    """Return what we said after every no of the other's: it ends each yes of ours that it covers, whenever that was said."""
    on, at, lenders = dict(ours.get("on", {})), dict(ours.get("at", {})), dict(ours.get("from", {}))
    for name, said in theirs.get("on", {}).items():
        if said:
            continue
        for mine in [mine for mine in on if on[mine] and covers(name, mine)]:
            on[mine], at[mine] = False, max(at[mine], theirs["at"][name])
            lenders.pop(mine, None)
        on[name], at[name] = False, max(theirs["at"][name], at.get(name, theirs["at"][name]))
    return {"on": on, "at": at, "from": lenders}


def _lent(said: dict[str, Any], others: dict[str, Any], other: str) -> dict[str, Any]:
    """Add each yes of the other's that outlived our refusals, and remember whose it is."""
    on, at, lenders = said["on"], said["at"], said["from"]
    for name, yes in others["on"].items():
        if yes and name not in on:
            on[name], at[name], lenders[name] = True, others["at"][name], other
    return {"on": on, "at": at, "from": lenders}


def _given_back(ours: Document, other: str) -> dict[str, Any]:
    lenders = ours.get("from", {})
    back = {name for name, lender in lenders.items() if lender == other}
    return {
        field: {name: value for name, value in ours.get(field, {}).items() if name not in back}
        for field in ("on", "at", "from")
    }
