"""What the commands do besides serving: read the configuration, check everything, talk to the bot, make an API key."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

from bot.answering import folder_of, load_brain
from bot.remote_actions import performer
from bot.terminal import converse
from causerie.bot_commands import check as check_files
from causerie.bot_commands import differing
from causerie.configured import Configured, own_book
from causerie.demo import lay_out_book, populate
from causerie.erase_commands import Ask, erase_one, replay_log, write_log
from causerie.export_commands import Taking, export
from causerie.exposure import dangers
from causerie.import_commands import Wanted, import_profiles
from causerie.key_commands import list_keys, make_key, revoke
from causerie.mongod import StoreOptions, reach
from causerie.options import Options
from causerie.progress import Progress
from causerie.rehearsal_commands import preview, preview_cast, simulate
from causerie.rehearsal_wish import Wish
from causerie.rule_commands import check_rules, show_difference
from causerie.seal_commands import check_seals
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.store import Store

Say = Callable[[str], None]


async def furnish_demo(options: Options, store_options: StoreOptions, database_url: str) -> None:
    """Lay out the demo's book, and put its contacts and their month into the database, unless they are there."""
    if options.rules.folder == str(own_book(store_options)):
        lay_out_book(own_book(store_options))
    store = Store(database_url, options.database)
    try:
        await populate(store, options.rules, language=options.server.language, now=utc_now())
    finally:
        await store.close()


def check(config: Configured, say: Say) -> int:
    """Say all that is wrong with the bot and the rules, and what must not stand so in the world; 0 when nothing is grave."""
    folder = bot_folder(config)
    exposed = dangers(config.options, config.store)
    for danger in exposed:
        say(danger.sentence)
    brain = check_files(folder, say)
    is_wrong = brain is None or bool(differing(brain, folder, say)) or any(danger.is_grave for danger in exposed)
    if check_rules(config.options.rules, say) or is_wrong:
        return 1
    more = "nothing else" if exposed else "nothing"
    say(f"Configuration, bot, its test dialogues and the rule book: {more} to complain about.")
    return 0


def bot_folder(config: Configured) -> Path:
    """Return the folder of the bot that the server would start with."""
    return folder_of(config.options.bot, config.options.edits)


async def chat(config: Configured, lines: TextIO, say: Say, *, timed: bool) -> int:
    """Let somebody talk to the bot line by line."""
    brain = load_brain(config.options.bot, config.options.edits)
    actions = performer(config.options.bot)
    try:
        await converse(brain, actions, lines, say, timed=timed)
    finally:
        await actions.close()
    return 0


async def diff_rule(config: Configured, rule: str, version: str, say: Say) -> int:
    """Show what changed in a rule since a version that the database remembers."""
    async with _database(config) as store:
        return await show_difference(config.options.rules, store, rule, version, say)


async def preview_rule(config: Configured, wish: Wish, say: Say, *, with_cast: bool) -> int:
    """Show what a rule would send, to contacts of the database or to people who do not exist."""
    if with_cast:
        return await preview_cast(config.options, wish, say)
    async with _database(config) as store:
        return await preview(config.options, store, wish, say)


async def simulate_rules(config: Configured, wish: Wish, say: Say, progress: Progress) -> int:
    """Show what the rules would have done in the last days, or will do in the next."""
    async with _database(config) as store:
        return await simulate(config.options, store, wish, say, progress)


async def key_create(config: Configured, name: str, scopes: list[str], say: Say, *, days: int | None = None) -> int:
    """Make an API key and show it, this once."""
    async with _database(config) as store:
        await store.prepare(INDEXES)
        return await make_key(store, name, scopes, say, days=days, now=utc_now())


async def keys(config: Configured, revoked: str | None, say: Say) -> int:
    """List the API keys, or revoke one; 1 when it is not there, or was revoked before."""
    async with _database(config) as store:
        if revoked is None:
            return await list_keys(store, say, now=utc_now())
        return await revoke(store, revoked, say, now=utc_now())


async def take_over(config: Configured, wanted: Wanted, say: Say, progress: Progress) -> int:
    """Take over a file of customers; 1 when a row was refused."""
    async with _database(config) as store:
        return await import_profiles(config.options, store, wanted, say, progress)


async def take_away(config: Configured, taking: Taking, say: Say, progress: Progress) -> int:
    """Write people, messages, deliveries or events into a file; 1 when it can not be written."""
    async with _database(config) as store:
        return await export(store, taking, say, progress)


async def erase(
    config: Configured, whom: str, log: Path | None, replayed: str, say: Say, ask: Ask | None = None
) -> int:
    """Erase one person, asking first where `ask` is given; write the log of erasures; or carry it out again.

    1 when something is left for people to do.
    """
    async with _database(config) as store:
        if replayed:
            return await replay_log(store, replayed, say)
        return await write_log(store, log, say) if log else await erase_one(store, whom, say, ask)


async def seals(config: Configured, heads: Sequence[str], say: Say) -> int:
    """Say whether any row of the audit or of consent was changed, removed or slipped in; 1 when one was."""
    async with _database(config) as store:
        return await check_seals(store, heads, say)


@asynccontextmanager
async def _database(config: Configured) -> AsyncIterator[Store]:
    """Open the database for a short command: that of the server that runs, else one started for it."""
    database = await reach(config.store)
    store = Store(database.url, config.options.database)
    try:
        yield store
    finally:
        await store.close()
        await database.stop()
