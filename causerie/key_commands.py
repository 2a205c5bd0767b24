"""`causerie key` and `causerie keys`: API keys made, listed and revoked from the command line. A key itself is shown once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from admin import agents
from admin.agents import Agent
from admin.keys import COMMAND, REMEMBERED_SECONDS, Key, create_key, every_key, revoke_key
from profiles.store import Store

Say = Callable[[str], None]


async def make_key(
    store: Store, name: str, scopes: Iterable[str], say: Say, *, now: datetime, days: int | None = None
) -> int:
    """Make a key, which ends after so many days where they are given, and say it and nothing else: `KEY=$(causerie key ...)`."""
    ends_at = now + timedelta(days=days) if days else None
    say(await create_key(store, name, scopes, now=now, expires_at=ends_at))
    return 0


async def list_keys(store: Store, say: Say, *, now: datetime) -> int:
    """Say of each key its id and name, what it may do, who made it and when, its last use, and whether it is good."""
    team = await agents.everyone(store)
    keys = await every_key(store)
    for key in keys:
        say(f"{key.id}  {key.state(now):7}  {key.name}")
        say(f"          {' '.join(key.scopes)}")
        say(f"          {_told(key, team)}")
    if not keys:
        say("There is no key. Hint: causerie key NAME --scope SCOPE")
    return 0


async def revoke(store: Store, id: str, say: Say, *, now: datetime) -> int:
    """Revoke a key and say from when on it opens nothing; 1 when there is no such key, or it was revoked before.

    The id may have `ck_` before it, as a list shows it, and the rest behind it, as whoever found a key has it.
    """
    id = id.removeprefix("ck_").partition("_")[0].rstrip("…")
    if key := await revoke_key(store, id, now=now):
        say(f"Revoked: {key.id} ({key.name}). It stops within {REMEMBERED_SECONDS:.0f} seconds, on every server.")
        return 0
    is_there = await store.get("keys", id) is not None
    why = "it was revoked already" if is_there else "there is no such key"
    say(f'--revoke: expected the id of a key, got "{id[:20]}": {why}. Hint: causerie keys lists them')
    return 1


def _told(key: Key, team: Mapping[str, Agent]) -> str:
    by = team[key.created_by].name if key.created_by in team else key.created_by
    made = f"made {_at(key.created_at)} " + ("by the command line" if by == COMMAND else f"by {by}")
    used = f"last used {_at(key.last_used_at)}" if key.last_used_at else "never used"
    if key.revoked_at:
        return f"{made}, {used}, revoked {_at(key.revoked_at)}"
    return f"{made}, {used}" + (f", ends {_at(key.expires_at)}" if key.expires_at else "")


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
