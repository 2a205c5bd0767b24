"""One open page of the console, as those who tell it something see it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from admin.presence import Visit

WAITING_FRAMES = 256  # a page this far behind is let go; it comes back and loads afresh


@dataclass(eq=False, slots=True)
class Page:
    """One open page: what it shows, and the frames on their way to it."""

    visit: Visit
    view: str = ""
    profiles: frozenset[str] = frozenset()
    """The person whose timeline it shows, with all that they absorbed."""
    frames: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(WAITING_FRAMES + 1))
    is_cut: bool = False
    closes_with: int = 4000

    def tell(self, frame: Mapping[str, Any]) -> None:
        """Queue one frame; a page that does not read is cut off instead of filling the memory."""
        if self.is_cut:
            return
        if self.frames.qsize() >= WAITING_FRAMES:
            self.cut()
        else:
            self.frames.put_nowait(json.dumps(frame, ensure_ascii=False))

    def cut(self, code: int = 4000) -> None:
        """Let the page go after what is queued."""
        self.is_cut, self.closes_with = True, code
        self.frames.put_nowait(None)
