"""`causerie erase`: one person, the log of all erasures written out, or that log carried out again after a restore."""

import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from admin.erasing import LOOK_BACK_AFTER, Erasing
from admin.erasure import begin
from admin.erasure_log import Entry, entries, read, replay
from profiles.calendar import utc_now
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.neighbours import PULSES
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Refusal
from profiles.store import Store
from profiles.writer import Writer

Say = Callable[[str], None]
Ask = Callable[[str], str]
"""Shows a question and returns the line that was typed."""


@dataclass(frozen=True, slots=True)
class _Hands:
    """What erasing takes: the one writer of this command, and who carries it out."""

    writer: Writer
    erasing: Erasing
    hashes: Hashes


async def erase_one(store: Store, whom: str, say: Say, ask: Ask | None = None) -> int:
    """Erase the person with this id or address; 1 when there is none, several have the address, or `ask` got another answer."""
    found = await _found(store, whom)
    if len(found) != 1:
        which = f"{len(found)} profiles have it: {', '.join(one.id for one in found)}" if found else "nobody has it"
        say(f'expected a profile\'s id or an address, got "{whom}": {which}.')
        return 1
    if ask and not _is_meant(whom, found[0], say, ask):
        say("Nobody was erased.")
        return 1
    async with _hands(store) as hands:
        outcome = await hands.writer.commit(await begin(store, found[0], hands.hashes, by="command"))
        if isinstance(outcome, Refusal):
            say(f"Not erased: {outcome.reason}.")
            return 1
        await hands.erasing.look()
    if await store.get("profiles", found[0].id):
        say("Begun. Something is just being sent to them: the server goes on, or this command, given again.")
        return 0
    say("Erased. Keep the log outside of the database: causerie erase --log FILE")
    return 0


async def write_log(store: Store, path: Path, say: Say) -> int:
    """Write the log of erasures, a line each; `-` writes it to the standard output."""
    count = 0
    out = sys.stdout if str(path) == "-" else path.open("w", encoding="utf-8")
    try:
        async for entry in entries(store):
            out.write(entry.line() + "\n")
            count += 1
    finally:
        if out is not sys.stdout:
            out.close()
    if out is not sys.stdout:
        say(f"Erasures written to {path}: {count}.")
    return 0


async def replay_log(store: Store, source: str, say: Say) -> int:
    """Erase again who was erased since the backup. `source`: a file of `--log`, or the address of a database that has the log.

    1 when somebody has to be parted from another contact first. Raises ValueError, OSError, Unavailable.
    """
    log = await _log(source, store.name)
    await store.prepare(INDEXES)
    async with _hands(store) as hands:
        done = await replay(log, store, hands.writer, hands.erasing, hands.hashes)
    say(f"Erasures in the log: {done.entries}. People who were here again and are erased now: {done.erased}.")
    if done.left:
        say(f"  {done.left} are still to be erased, for something is being sent to them: the server goes on with it.")
    for id in done.entangled:
        say(
            f"  {id} was erased by itself, and is merged into another contact here: undo that merge, then replay again."
        )
    return 1 if done.entangled or done.left else 0


async def _log(source: str, database: str) -> list[Entry]:
    if not source.startswith(("mongodb://", "mongodb+srv://")):
        return _of_file(Path(source))
    other = Store(source, database)
    try:
        return [entry async for entry in entries(other)]
    finally:
        await other.close()


def _of_file(path: Path) -> list[Entry]:
    return read(path.read_text("utf-8").splitlines())


async def _found(store: Store, whom: str) -> list[Profile]:
    """Return who has this id, identity key or address, each once, as who they are now."""
    claim = await store.get("identities", whom)
    ids = {str(claim["profile"])} if claim else {whom}
    if not claim and await store.get("profiles", whom) is None:
        rows = await store.find("profiles", {"identities.address": {"$eq": whom}}, limit=10, only=["_id"])
        ids = {str(row["_id"]) for row in rows}
    found: dict[str, Profile] = {}
    while ids:
        profiles = [from_document(Profile, document) for document in await store.get_many("profiles", ids)]
        found |= {one.id: one for one in profiles if not one.merged_into}
        ids = {one.merged_into for one in profiles if one.merged_into}
    return list(found.values())


def _is_meant(whom: str, found: Profile, say: Say, ask: Ask) -> bool:
    """Say who it is, and return whether the same words were typed again: what is erased does not come back."""
    addresses = ", ".join(identity.address for identity in found.identities) or "no address"
    say(
        f"{found.id} ({addresses}), known since {found.created_at:%Y-%m-%d}. Their messages, events and attributes go for good."
    )
    try:
        return ask(f'Type "{whom}" again to erase: ').strip() == whom
    except EOFError:
        return False


@asynccontextmanager
async def _hands(store: Store) -> AsyncIterator[_Hands]:
    secret = await store.get("settings", "secret")
    if secret is None:
        raise ValueError("this database was never served: it has no secret. Hint: restore `settings` with the rest")
    hashes = Hashes(bytes(secret["value"]))
    # with servers about, one of them looks back in five minutes: it may have written from memory
    is_alone = not await store.count(PULSES, {}, at_most=1)
    writer = Writer(store, process=f"erase-{secrets.token_hex(4)}")
    writer.recent.hashes = hashes
    erasing = Erasing(
        store, writer, Feed(), hashes, clock=utc_now, look_back_after=timedelta() if is_alone else LOOK_BACK_AFTER
    )
    try:
        yield _Hands(writer, erasing, hashes)
    finally:
        await erasing.close()
        await writer.close()
