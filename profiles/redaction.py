"""Personal data taken out of sealed rows: what is left still says who of ours did what and when, and the chain still holds.

Each redaction is itself a sealed row: for every row it names the hash that was sealed and the hash it has since, so whoever
verifies the chain accepts this very change and no other. The hashes that were sealed stay; they give nothing away, for each
was made with the random id of the profile in it, which is nowhere any more (its own name is a keyed hash).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from profiles.consent import PROOFS
from profiles.ids import new_id
from profiles.record import Document
from profiles.seals import REDACTIONS, row_hash, sealable
from profiles.store import Plan, Update

Row = Mapping[str, Any]
_KEPT = {
    PROOFS: ("change", "channel", "topic", "at", "source", "version"),
    "audit": ("at", "by", "act"),
}
_WHOSE = {PROOFS: "profile", "audit": "about"}


def redaction(of: str, rows: Sequence[Row], *, erasure: str, name: str, now: datetime) -> Plan:
    """Return the transaction that takes the personal data out of these rows of one collection, and says so.

    `name` is what their person is called from now on: a keyed hash.
    """
    plan, told = Plan(), []
    for row in rows:
        after = redacted(of, row, name)
        drop = dict.fromkeys(row.keys() - after.keys(), "")
        plan.update(of, Update(str(row["_id"]), None, {_WHOSE[of]: name}, drop))
        told.append([row["_id"], row_hash(row), row_hash(after)])
    if told:
        account = {"_id": new_id(now), "at": now, "kind": "redaction", "erasure": erasure, "of": of, "rows": told}
        plan.insert(REDACTIONS, sealable(account))
    return plan


def redacted(of: str, row: Row, name: str) -> Document:
    """Return the row without its personal data. Our own wording stays with its version; what the person typed goes."""
    kept: dict[str, Callable[[Row], bool]] = {"wording": lambda row: bool(row.get("version")), "unsealed": bool}
    left = {field: row[field] for field in ("_id", *_KEPT[of]) if field in row}
    left |= {field: row[field] for field, stays in kept.items() if field in row and stays(row)}
    return {**left, _WHOSE[of]: name}
