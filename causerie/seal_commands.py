"""`causerie seals`: is every row of the audit and of consent still what it was when it was sealed?"""

from collections.abc import Callable, Sequence

from profiles.seals import SEALED, Verdict, verify
from profiles.store import Store

MOST_SHOWN = 20


async def check_seals(store: Store, heads: Sequence[str], say: Callable[[str], None]) -> int:
    """Say what was changed, removed or slipped in, and the present heads; 1 when anything was.

    `heads` were printed here or logged before: `audit:12:<64 hex digits>`. Raises ValueError for what is none.
    """
    kept = _heads(heads)
    verdicts = [await verify(store, kind, kept.get(kind)) for kind in SEALED]
    for verdict in verdicts:
        for line in _lines(verdict):
            say(line)
    return 1 if any(verdict.broken for verdict in verdicts) else 0


def _lines(verdict: Verdict) -> list[str]:
    rest = len(verdict.broken) - MOST_SHOWN
    return [
        f"{verdict.kind}: {verdict.rows} rows under {verdict.seals} seals, {verdict.waiting} waiting for theirs."
        + (f" {verdict.redacted} redacted by erasures." if verdict.redacted else ""),
        *(f"  {sentence}" for sentence in verdict.broken[:MOST_SHOWN]),
        *([f"  and {rest} more"] if rest > 0 else []),
        *([f"  head {verdict.kind}:{verdict.seals}:{verdict.head}"] if verdict.seals else []),
    ]


def _heads(texts: Sequence[str]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for text in texts:
        kind, _, rest = text.partition(":")
        number, _, head = rest.partition(":")
        if kind not in SEALED or not number.isdecimal() or len(head) != 64:
            raise ValueError(f'--head: expected {SEALED[0]}:12:<64 hex digits>, got "{text[:100]}".')
        found.setdefault(kind, {})[int(number)] = head
    return found
