"""The bot that serves, and the training of the next one while it does: whoever edits its files never stops it.

live = LiveBrain(folder, Brain.load(folder, models=models), models, clock=utc_now)
await live.start()                looks at the files from now on, and trains when they have changed
lesson = await live.retrain()     or at once: after a screen has written them
lesson.errors                     empty: `live.current` is the new bot; else the old one goes on, and this is why

Training runs in a process of its own (bot/pupil.py). The new bot takes the old one's place between two turns: a turn takes
`current` once. Conversations go on with the new one; bot/tracker.py forgets slots and forms that are no more, and a step of
the past whose intent or action is no more fits no rule.
"""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from bot import frames
from bot.brain import Brain, Help
from bot.contract import Heard, Known, Turn
from bot.models import Models
from profiles.calendar import Clock
from profiles.every import Every
from profiles.findings import ContentError, ContentErrors
from profiles.written import Place

log = logging.getLogger("bot.live")

LOOK_EVERY_SECONDS = 1.0
LONGEST_TRAINING_SECONDS = 900.0
_WATCHED = ("*.yml", "*.yaml", "*.md")
_PASSED_OVER = {"tests", "actions", "models", "results"}

_Seen = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training: when, what came of it, and which model serves since."""

    started_at: datetime
    finished_at: datetime | None = None
    """None: it is under way."""
    errors: tuple[ContentError, ...] = ()
    """All that is wrong in the files; then the bot before them goes on serving."""
    notices: tuple[ContentError, ...] = ()
    hash: str = ""
    """Names the understanding that serves since."""
    semantic: str = ""
    """SHA-256 of the weights of the semantic model that takes part in it; empty: none."""

    @property
    def is_under_way(self) -> bool:
        """Whether it still runs."""
        return self.finished_at is None


class LiveBrain:
    """A Mind and a Bot: the latest brain that could be made of the files in a folder."""

    def __init__(
        self, folder: Path, brain: Brain, models: Path | None = None, *, semantic: Path | None = None, clock: Clock
    ) -> None:
        self._folder, self._clock = folder.resolve(), clock
        self._models = models.resolve() if models else None
        self._semantic = semantic.resolve() if semantic else None
        self._brain = brain
        now = clock()
        self._lesson = _lesson(now, now, (), brain.notices, brain)
        self._learned = self._changing = _seen(folder)
        self._turns = asyncio.Lock()
        self._looking = Every(LOOK_EVERY_SECONDS, self.look, name="bot-files")

    @property
    def current(self) -> Brain:
        """The brain that serves now."""
        return self._brain

    @property
    def folder(self) -> Path:
        """Where the bot's files are."""
        return self._folder

    @property
    def lesson(self) -> Lesson:
        """The training under way, else the last one."""
        return self._lesson

    async def start(self) -> None:
        """Begin to look at the files every second."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop looking; a training under way is given up."""
        await self._looking.close()

    async def look(self) -> None:
        """Train if the files have changed since the last training, and not since the last look: who saves ten is heard once."""
        seen = await asyncio.to_thread(_seen, self._folder)
        was_same, self._changing = seen == self._changing, seen
        if seen != self._learned and was_same:
            await self.retrain()

    async def retrain(self) -> Lesson:
        """Learn from the files as they are now and let what was learned serve; return the training when it is over.

        Never raises for what stands in the files. One at a time: who calls meanwhile waits, and is then served with files
        read after the call.
        """
        async with self._turns:
            self._lesson = Lesson(self._clock())
            self._learned = self._changing = await asyncio.to_thread(_seen, self._folder)
            try:
                brain = await self.trial(self._folder)
            except ContentErrors as errors:
                self._lesson = self._ended(errors.errors, ())
                log.error("live.retrain refused errors=%d first=%s", len(errors.errors), errors.errors[0].at)
            except BaseException:
                self._lesson = self._ended((_problem(self._folder, "the training was given up."),), ())
                raise
            else:
                self._brain = brain
                self._lesson = self._ended((), brain.notices)
                log.info("live.retrain learned model=%s notices=%d", brain.understanding.hash, len(brain.notices))
            return self._lesson

    async def trial(self, folder: Path) -> Brain:
        """Return the brain of a folder (its whole path), made in another process; what serves stays. Raises ContentErrors."""
        learned = await _ask_pupil(folder, self._models, self._semantic)
        if isinstance(learned, Brain):
            return learned
        raise ContentErrors(learned)

    async def adopt(self, brain: Brain, folder: Path) -> None:
        """Let a brain that was tried serve; what this folder holds now is what it was made of, and is looked at from now on."""
        async with self._turns:
            began = self._clock()
            self._folder = await asyncio.to_thread(folder.resolve)
            self._learned = self._changing = await asyncio.to_thread(_seen, self._folder)
            self._brain = brain
            self._lesson = _lesson(began, self._clock(), (), brain.notices, brain)
            log.info("live.adopt model=%s", brain.understanding.hash)

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        """Return the turn, or None when it wants a custom action."""
        return self._brain.at_once(memory, heard, known)

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Help) -> Turn:
        """Return the turn, its custom actions run on the way; it ends with the brain it began with."""
        return await self._brain.think(memory, heard, known, help)

    async def people_took(self, conversation: str) -> None:
        """Nothing to do: whose turn it is stands in the conversation."""

    def _ended(self, errors: tuple[ContentError, ...], notices: tuple[ContentError, ...]) -> Lesson:
        return _lesson(self._lesson.started_at, self._clock(), errors, notices, self._brain)


def load_live(folder: Path, models: Path | None, *, semantic: Path | None = None, clock: Clock) -> LiveBrain:
    """Return the bot of this folder, ready to serve. Raises ContentErrors with everything that is wrong in its files.

    `models` is where trained models are kept, `semantic` the folder of a semantic model.
    """
    brain = Brain.load(folder, models=Models(models), semantic=semantic)
    if brain.notices:  # `causerie bot check` says them all
        log.info("live.load notices=%d first=%s", len(brain.notices), brain.notices[0].at)
    return LiveBrain(folder, brain, models, semantic=semantic, clock=clock)


def _lesson(
    began: datetime, ended: datetime, errors: tuple[ContentError, ...], notices: tuple[ContentError, ...], brain: Brain
) -> Lesson:
    """Return a training that is over; `brain` serves since."""
    encoder = brain.understanding.encoder
    return Lesson(began, ended, errors, notices, brain.understanding.hash, encoder.sha256 if encoder else "")


def _seen(folder: Path) -> _Seen:
    """Return what tells one state of the files from another: names, sizes and times of all that a bot is read from."""
    found = set()
    for pattern in _WATCHED:
        for path in folder.rglob(pattern):
            if path.relative_to(folder).parts[0] not in _PASSED_OVER:
                with suppress(FileNotFoundError):
                    status = path.stat()
                    found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)


async def _ask_pupil(folder: Path, models: Path | None, semantic: Path | None) -> Brain | tuple[ContentError, ...]:
    """Return what the other process made of the folder: the brain, or all that is wrong."""
    root = str(Path(__file__).parent.parent)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAUSERIE_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    environment["OPENBLAS_NUM_THREADS"] = "1"  # vectors are short, and the server needs the other cores
    pupil = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.pupil", str(folder), str(models or ""), str(semantic or ""),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST_TRAINING_SECONDS):
            written, _ = await pupil.communicate()
    except TimeoutError:
        return (_problem(folder, f"training took longer than {LONGEST_TRAINING_SECONDS:g} s."),)
    finally:
        if pupil.returncode is None:
            pupil.kill()
            await pupil.wait()
    if pupil.returncode:
        return (_problem(folder, f"the training process ended with {pupil.returncode}; its words stand above."),)
    return await _unpacked(written)


async def _unpacked(written: bytes) -> Brain | tuple[ContentError, ...]:
    """Return what the frames hold, never holding messages up for long.

    The collector rests meanwhile and does not look at the new brain ever: it would take 30 ms at a time, and what the brain
    is made of holds no cycles.
    """
    learned: list[object] = []
    gc.disable()
    try:
        for frame in frames.read(written):
            learned = [frame]
            await asyncio.sleep(0)
        gc.freeze()
    finally:
        gc.enable()
    return cast(Brain | tuple[ContentError, ...], learned[0])


def _problem(folder: Path, words: str) -> ContentError:
    return ContentError(Place(folder.name), words)
