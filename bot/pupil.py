"""A process that reads, checks and trains a bot, so that the server's loop does not feel it: `python -m bot.pupil FOLDER ...`.

It writes the Brain, or the tuple of all that is wrong, to standard output as frames (bot/frames.py); only its parent reads
them. In a thread of the server the same work would slow every message down: it is Python's own and holds the lock.
"""

import os
import sys
from pathlib import Path

from bot import frames
from bot.brain import Brain
from bot.models import Models
from profiles.findings import ContentErrors

NICENESS = 5
"""Messages go first; on a machine that is always busy it still gets on."""


def main() -> None:
    """Learn the bot of the folder that was named."""
    os.nice(NICENESS)
    folder, models, semantic = (Path(named) if named else None for named in sys.argv[1:4])
    learned: object
    try:
        learned = Brain.load(folder or Path(), models=Models(models), semantic=semantic)
    except ContentErrors as errors:
        learned = errors.errors
    frames.write(learned, sys.stdout.buffer)


if __name__ == "__main__":
    main()
