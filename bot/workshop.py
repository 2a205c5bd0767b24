"""Where people change the bot while it serves: an edit is tried first, and goes live whole or not at all.

Tried means: the changed folder is read, checked and trained beside the one that serves (bot/live.py), and the bot's own
dialogues are played with it. Then the version is kept in the database, the files are written and the new bot serves. The
database is what counts: a server that was down, or another machine, writes the version into its own folder when it sees it.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import versions
from bot.brain import Brain
from bot.content import changed_since, copy_folder, digest, is_writable, read_content, write_content
from bot.dialogues import play_dialogues
from bot.editing import edited
from bot.edits import AddExample, AddPassage, Edit, Facts, MoveExample, NewAnswer, NotEdited
from bot.live import LiveBrain
from bot.versions import BY_FILES, Version
from profiles.calendar import Clock
from profiles.every import Every
from profiles.findings import ContentError, ContentErrors
from profiles.store import AlreadyThere, Interrupted, Stale, Store

log = logging.getLogger("bot.workshop")

FOLLOW_EVERY_SECONDS = 5.0
MOST_PROBLEMS = 20
_LOOKED_BACK = 50


Record = Callable[[Version], Mapping[str, Any]]
"""Makes the row of the audit that is written in the version's own commit."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was changed: a constant word, and for `broken` and `dialogues` what was found, place and all."""

    reason: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The version that serves now."""

    version: Version


class Workshop:
    """The bot's files, their versions and the bot that serves.

    `copy`: where the files are changed if their own folder can not be written, or `is_shipped` (an update would undo it all).
    """

    def __init__(
        self, store: Store, live: LiveBrain, *, copy: Path | None = None, is_shipped: bool = False, clock: Clock
    ) -> None:
        self._store, self._live, self._clock = store, live, clock
        self._copy, self._is_shipped = copy.resolve() if copy else None, is_shipped
        self._editing = asyncio.Lock()
        self._at: int | None = None
        """The version that this process has taken over."""
        self._following = Every(FOLLOW_EVERY_SECONDS, self.follow, name="bot-versions")

    @property
    def brain(self) -> Brain:
        """The bot that serves now."""
        return self._live.current

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._live.folder

    @property
    def can_edit(self) -> bool:
        """Whether there is a folder that may be changed."""
        return self._copy is not None or self._is_ours()

    async def start(self) -> None:
        """Begin to look for versions that others publish."""
        await self._following.start()

    async def close(self) -> None:
        """Stop looking."""
        await self._following.close()

    async def publish(self, edit: Edit, *, by: str, audit: Record) -> Published | Refused:
        """Make this edit live, or say why not; then nothing has changed."""
        if not self.can_edit:
            return Refused("read_only")
        async with self._editing:
            await self._catch_up()
            before = await self._texts()
            done = edited(edit, before, facts_of(self.brain))
            if isinstance(done, NotEdited):
                return Refused(done.reason)
            act, details = _told(edit)
            return await self._go_live(before, done, _Deed(act, details, by, audit))

    async def restore(self, number: int, *, seen: int, by: str, audit: Record) -> Published | Refused:
        """Make the files what they were in this version; `seen` is the latest that whoever asks knows of."""
        if not self.can_edit:
            return Refused("read_only")
        async with self._editing:
            head = await self._catch_up()
            wanted = await versions.by_number(self._store, number)
            if wanted is None or head is None:
                return Refused("unknown_version")
            if head.number != seen:
                return Refused("changed_meanwhile")
            before, texts = await self._texts(), await versions.texts_of(self._store, wanted)
            changes = _difference(before, texts)
            if not changes:
                return Refused("nothing_changed")
            return await self._go_live(before, changes, _Deed("restored", {"to": number}, by, audit))

    async def follow(self) -> None:
        """Take over a version that another process published, or that this one was too late to write."""
        async with self._editing:
            await self._catch_up()

    async def _go_live(
        self, before: Mapping[str, str], changes: Mapping[str, str | None], deed: "_Deed"
    ) -> Published | Refused:
        tried = await self._tried(before, changes)
        if isinstance(tried, Refused):
            return tried
        await self._move_to_copy()
        if await asyncio.to_thread(changed_since, self.folder, before, changes):
            return Refused("changed_meanwhile")
        after = _applied(before, changes)
        try:
            number = await self._record_outside(before)
            version = versions.version_of(
                number + 1, after, act=deed.act, by=deed.by, at=self._clock(), details=deed.details
            )
            await versions.keep(self._store, version, after, deed.audit(version))
        except (AlreadyThere, Stale, Interrupted):
            return Refused("changed_meanwhile")
        await self._take_over(version, changes, tried)
        return Published(version)

    async def _tried(self, before: Mapping[str, str], changes: Mapping[str, str | None]) -> Brain | Refused:
        """Return the bot as it would be, or all that is wrong with it."""
        with tempfile.TemporaryDirectory(prefix="causerie-trial-") as name:
            folder = Path(name) / self.folder.name
            folder.mkdir()
            await asyncio.to_thread(write_content, folder, _applied(before, changes))
            try:
                brain = await self._live.trial(folder)
            except ContentErrors as errors:
                return Refused("broken", _lines(errors.errors))
            failing = await asyncio.to_thread(play_dialogues, brain, folder)
            if failing:  # what failed before is not this edit's fault
                known = {error.at for error in await asyncio.to_thread(play_dialogues, self.brain, self.folder)}
                failing = tuple(error for error in failing if error.at not in known)
            return Refused("dialogues", _lines(failing)) if failing else brain

    async def _record_outside(self, before: Mapping[str, str]) -> int:
        """Return the latest version's number, after keeping what the files are if that is no version yet."""
        head = await versions.latest(self._store)
        if head is not None and head.digests == _digests(before):
            return head.number
        number, act = (1, "first") if head is None else (head.number + 1, "outside")
        version = versions.version_of(number, before, act=act, by=BY_FILES, at=self._clock())
        await versions.keep(self._store, version, before)
        return number

    async def _catch_up(self) -> Version | None:
        """Write the latest version if the files here are an earlier one, in whole or in part; return the latest."""
        head = await versions.latest(self._store)
        if head is None or head.number == self._at:
            return head
        before = await self._texts()
        if head.digests != _digests(before):
            earlier = await versions.before(self._store, head.number, _LOOKED_BACK)
            if not any(_lies_between(_digests(before), one.digests, head.digests) for one in earlier):
                log.warning("workshop.follow left version=%d reason=files_changed_here", head.number)
                self._at = head.number
                return head
            changes = _difference(before, await versions.texts_of(self._store, head))
            tried = await self._tried(before, changes)
            if isinstance(tried, Refused):  # another release of ours wrote it, or the folder's code differs
                log.error("workshop.follow refused version=%d reason=%s", head.number, tried.reason)
                self._at = head.number
                return head
            await self._move_to_copy()
            await self._take_over(head, changes, tried)
        self._at = head.number
        return head

    async def _take_over(self, version: Version, changes: Mapping[str, str | None], brain: Brain) -> None:
        await asyncio.to_thread(write_content, self.folder, changes)
        await self._live.adopt(brain, self.folder)
        self._at = version.number
        log.info("workshop.live version=%d act=%s model=%s", version.number, version.act, brain.understanding.hash)

    async def _move_to_copy(self) -> None:
        """From the first edit on a bot whose folder is not ours to write is served from its copy."""
        if self._copy is None or self.folder == self._copy or self._is_ours():
            return
        if not self._copy.exists():
            await asyncio.to_thread(copy_folder, self.folder, self._copy)
        await self._live.adopt(self.brain, self._copy)

    def _is_ours(self) -> bool:
        return self.folder == self._copy or (not self._is_shipped and is_writable(self.folder))

    async def _texts(self) -> dict[str, str]:
        return await asyncio.to_thread(read_content, self.folder)


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is being done, by whom, and how the audit tells it."""

    act: str
    details: Mapping[str, Any]
    by: str
    audit: Record


def facts_of(brain: Brain) -> Facts:
    """Return what an edit must know of this bot."""
    domain, options = brain.script.domain, brain.script.project.options
    return Facts(
        options.language, brain.languages, frozenset(domain.intents), frozenset(domain.responses), options.core_fallback
    )


def _told(edit: Edit) -> tuple[str, dict[str, Any]]:
    """Return what the list of versions says of an edit."""
    match edit:
        case AddExample():
            return "example", {"intent": edit.intent, "text": edit.text[:200], "language": edit.language}
        case MoveExample():
            return "moved", {"intent": edit.target, "source": edit.source, "text": edit.text[:200]}
        case NewAnswer():
            return "answer", {"title": edit.title[:100], "text": edit.examples[0][1][:200]}
        case AddPassage():
            return "passage", {"title": edit.title[:100], "language": edit.language}


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {path: digest(text) for path, text in texts.items()}


def _applied(before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**before, **changes}
    return {path: text for path, text in merged.items() if text is not None}


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """Return the changes from one to the other. Names are written before those who use them, and go after them."""
    changed: dict[str, str | None] = {path: text for path, text in after.items() if before.get(path) != text}
    changed |= dict.fromkeys(before.keys() - after.keys())
    grows = sum(len(text) for text in after.values()) >= sum(len(text) for text in before.values())
    order = sorted(changed, key=lambda path: (not path.startswith("domain"), "rules" in path, path))
    return {path: changed[path] for path in (order if grows else reversed(order))}


def _lies_between(now: Mapping[str, str], one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether each file is as in one of the two: a server stopped in the middle of writing."""
    return all(now.get(path) in (one.get(path), other.get(path)) for path in now.keys() | one.keys() | other.keys())


def _lines(errors: Sequence[ContentError]) -> tuple[str, ...]:
    more = len(errors) - MOST_PROBLEMS
    return (*(str(error) for error in errors[:MOST_PROBLEMS]), *((f"… {more} more",) if more > 0 else ()))
