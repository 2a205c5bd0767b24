"""Keeps customers from naming intents that the bot did not offer them.

`/restart` or `/inform{"price": 0}` typed into a chat would command the bot as a button does; Rasa lets anybody. Here a
typed payload counts only if it is, character by character, one that the bot's responses offer or that stands in the
choices just given; else it is read as the words it is made of, and noted. A payload beside the text is another matter:
there the channel found the button in a message of ours, however old, so it is honoured.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.answers import single_braces
from bot.brain import Bot, Brain, Heard, Help, Known, Mind, Turn
from bot.choices import payloads
from bot.cleaning import LONGEST_HEARD, clean_text
from bot.entities import spoken_payload
from bot.events import DEFAULT_INTENTS, FALLBACK_INTENT

log = logging.getLogger("bot.offers")

COMMANDS = ("start", "help", "settings")
"""What messaging apps themselves type for people; they are heard where the bot has an intent of that name."""
SET_SLOTS = "SetSlots"
REFUSED = "bot.payload_refused"
_NAMED = re.compile(r"/\s*([^{\s@/(]+)")


class Offered:
    """A mind that is told to do only what it offered; in front of whichever mind answers."""

    def __init__(self, mind: Mind, bot: Bot) -> None:
        self.mind, self._bot = mind, bot
        self._known: tuple[Brain, frozenset[str]] | None = None

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        """Return the turn when it needs nothing of the outside, else None."""
        admitted, refused = self._admitted(memory or {}, heard)
        turn = self.mind.at_once(memory, admitted, known)
        return turn and _noted(turn, heard, refused)

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Help) -> Turn:
        """Return the turn, asking whom it takes."""
        admitted, refused = self._admitted(memory or {}, heard)
        return _noted(await self.mind.think(memory, admitted, known, help), heard, refused)

    async def people_took(self, conversation: str) -> None:
        """Hear that people answer this conversation from now on."""
        await self.mind.people_took(conversation)

    async def close(self) -> None:
        """Let go of what thinking needs."""
        await self.mind.close()

    def _admitted(self, memory: Mapping[str, Any], heard: Heard) -> tuple[Heard, str | None]:
        """Return the message as the mind may hear it, and the intent it named without having been offered it."""
        if heard.event is not None:
            return heard, None
        brain = self._bot.current
        if heard.payload is not None:
            return (replace(heard, payload=None) if _is_outdated(heard, brain) else heard), None
        text = clean_text(heard.text, LONGEST_HEARD).strip()
        named = _NAMED.match(text)
        if named is None or text in self._offered(brain) or text in payloads(memory):
            return heard, None
        intent = named[1].partition("/")[0]
        intents = brain.script.domain.intents
        if intent in COMMANDS and intent in intents:
            return heard, None
        is_intent = intent in intents or intent in DEFAULT_INTENTS or intent in (FALLBACK_INTENT, SET_SLOTS)
        words = spoken_payload(text.replace("{", " ").replace("}", " "))
        return replace(heard, text=words), intent if is_intent else None

    def _offered(self, brain: Brain) -> frozenset[str]:
        if self._known is None or self._known[0] is not brain:
            responses = brain.script.domain.responses.values()
            buttons = (button for wordings in responses for wording in wordings for button in wording.buttons)
            self._known = brain, frozenset(single_braces(button.get("payload", "")) for button in buttons)
        return self._known[1]


def _is_outdated(heard: Heard, brain: Brain) -> bool:
    """Whether the pressed button is one of an earlier version of the bot, so that its title says more than its payload."""
    payload = heard.payload or ""
    named = _NAMED.match(payload)
    if named is None or not heard.text.strip() or heard.text == payload:
        return False
    intent = named[1].partition("/")[0]
    return intent not in brain.script.domain.intents and intent not in DEFAULT_INTENTS and intent != SET_SLOTS


def _noted(turn: Turn, heard: Heard, refused: str | None) -> Turn:
    if refused is None:
        return turn
    log.info("bot.payload refused message=%s intent=%s", heard.id, refused)
    fact = (REFUSED, {"source": "bot", "channel": heard.channel, "message": heard.id, "intent": refused})
    return replace(turn, events=(*turn.events, fact))
