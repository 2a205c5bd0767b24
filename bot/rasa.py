"""A Rasa server as the brain. It is never asked inside the commit: `at_once` always says that the turn is unfinished.

One turn: look whether the conversation is paused there, and if so wake it (people had it meanwhile); say the message; look
again, for what was understood and whether the bot gave up. Facts this rests on were tried on Rasa 3.6.21 and are held by
tests/peers/rasa_rest.py:
- an action server that is down, or that fails, gives an empty list with status 200: nothing said is an alarm;
- `resume` alone replays half a turn and pauses again: what the agents said, `resume` and `action_listen` go together;
- while paused, messages are logged and answered by nothing: none is sent while people own the conversation.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.brain import Bot, Help
from bot.breaker import Breaker
from bot.cleaning import LONGEST_HEARD, clean_text, clean_value
from bot.contract import Heard, Known, Turn
from bot.handover import default_words, summary
from bot.ngrams import words_of
from bot.rasa_client import RasaClient, RasaUnwell, sender_of
from profiles.timeline import Attachment, Button, Content

log = logging.getLogger("bot.rasa")

_MOST_SAID = 20
_MOST_BUTTONS = 20
_UNWELL = {
    "fr": "Désolé, un souci technique m’empêche de répondre. Un conseiller prend le relais ici même.",
    "en": "Sorry, something went wrong on our side. A colleague will take over right here.",
}


class Rasa:
    """Thinks by asking Rasa. `bot` is the bot's own folder here: languages, and words for when Rasa has none."""

    def __init__(
        self, bot: Bot, client: RasaClient, breaker: Breaker, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._bot, self._client, self._breaker, self._seconds = bot, client, breaker, seconds
        self._has_api = True

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        """Return None: Rasa is outside."""
        return None

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Help) -> Turn:
        """Return what Rasa says, or, when it is unwell, a line for the customer and a handover."""
        language = self._language(heard, known, memory or {})
        if not self._breaker.allows(self._seconds()):
            return _given_up(heard, language, "rests after failures")
        try:
            turn = await self._ask(heard, known, language, help)
        except RasaUnwell as error:
            opened = self._breaker.failed(self._seconds())
            log.error("rasa.turn failed message=%s reason=%s opened=%s", heard.id, error, opened)
            return _given_up(heard, language, str(error))
        self._breaker.succeeded()
        return turn

    async def people_took(self, conversation: str) -> None:
        """Pause the conversation there, so that nothing of Rasa's own (a reminder) speaks between; not vital."""
        if not self._has_api or self._breaker.is_open:
            return
        try:
            await self._client.add(sender_of(conversation), [{"event": "pause"}])
        except RasaUnwell as error:
            log.warning("rasa.pause failed conversation=%s reason=%s", conversation, error)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _ask(self, heard: Heard, known: Known, language: str, help: Help) -> Turn:
        sender = sender_of(known.conversation)
        before = await self._look(sender)
        if before.get("paused"):
            await self._client.add(sender, waking(await help.said_by_people()))
        metadata = {
            **heard.metadata, "message": heard.id, "conversation": known.conversation, "profile": known.profile,
            "language": language, "channel": heard.channel,
        }  # fmt: skip
        text = clean_text(heard.payload or heard.text, LONGEST_HEARD)
        said = await self._client.say(sender, text, heard.channel, clean_value(metadata))
        return _turn(said, await self._look(sender), heard, language)

    async def _look(self, sender: str) -> Mapping[str, Any]:
        """Return the conversation's state there; empty when that Rasa was started without --enable-api."""
        if not self._has_api:
            return {}
        try:
            return await self._client.look(sender)
        except RasaUnwell as error:
            if str(error) != "answered 404":
                raise
            self._has_api = False
            log.error("rasa.api is closed: pauses and handovers go unseen. Hint: rasa run --enable-api")
            return {}

    def _language(self, heard: Heard, known: Known, memory: Mapping[str, Any]) -> str:
        languages = self._bot.current.understanding.languages
        current = memory.get("language") or known.language
        return languages.decide(words_of(heard.text), current, 0)[1] if languages.names else current or "en"


def waking(said_by_people: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the events that give a paused conversation back to Rasa: what people said, resume, and listening again."""
    words = [{"event": "bot", "text": text, "metadata": {"by": "agent"}} for text in said_by_people]
    return [*words, {"event": "resume"}, {"event": "action", "name": "action_listen"}]


def _turn(said: Sequence[Mapping[str, Any]], state: Mapping[str, Any], heard: Heard, language: str) -> Turn:
    says = tuple(content for content in map(_content, said[:_MOST_SAID]) if content.text or content.attachments)
    intent = _table(_table(state, "latest_message"), "intent")
    if state.get("paused"):
        says = says or (Content(default_words("asked", language)),)
        return _handed_over(heard, language, says, state)
    if not says:
        log.error("rasa.turn empty message=%s", heard.id)
        return _given_up(heard, language, "said nothing")
    name, confidence = intent.get("name"), intent.get("confidence")
    return Turn(
        tracker={"brain": "rasa", "language": language},
        says=says,
        language=language,
        intent=clean_text(name, 200) if isinstance(name, str) else None,
        confidence=float(confidence) if isinstance(confidence, int | float) else 0.0,
        missed=name == "nlu_fallback",
    )


def _handed_over(heard: Heard, language: str, says: tuple[Content, ...], state: Mapping[str, Any]) -> Turn:
    known = {str(name): value for name, value in _table(state, "slots").items() if value is not None}
    words = summary(clean_text(heard.text, 300), clean_value(known), [], language)
    return Turn({"brain": "rasa", "language": language}, says, language=language, handover=("action", words, None))


def _given_up(heard: Heard, language: str, reason: str) -> Turn:
    """Return what a customer gets when Rasa gives nothing: a line, and people."""
    words = summary(clean_text(heard.text, 300), {}, [], language)
    return Turn(
        tracker={"brain": "rasa", "language": language},
        says=(Content(_UNWELL.get(language, _UNWELL["en"])),),
        language=language,
        handover=("action", words, None),
        failed=(f"rasa: {reason}",),
    )


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the table under this key; empty when it is something else."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _content(said: Mapping[str, Any]) -> Content:
    """Return one message of Rasa's REST channel as we keep it."""
    buttons = said.get("buttons")
    return Content(
        text=clean_text(str(said.get("text") or "")),
        buttons=tuple(_button(row) for row in buttons[:_MOST_BUTTONS] if isinstance(row, dict))
        if isinstance(buttons, list)
        else (),
        attachments=(*_file("image", said.get("image")), *_file("file", said.get("attachment"))),
    )


def _button(row: Mapping[str, Any]) -> Button:
    payload, url = row.get("payload"), row.get("url")
    return Button(
        clean_text(str(row.get("title") or payload or url or ""), 200),
        clean_text(payload, 2_000) if isinstance(payload, str) else None,
        clean_text(url, 2_000) if isinstance(url, str) else None,
    )


def _file(kind: Any, url: Any) -> tuple[Attachment, ...]:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return ()
    return (Attachment(kind=kind, name=url.rsplit("/", 1)[-1][:200], remote=url[:2_000]),)
