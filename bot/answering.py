"""Where the bot meets the server: a turn becomes an Answer inside the commit, or is finished outside it when it needs more."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.brain import Brain, Mind
from bot.cleaning import LONGEST_HEARD
from bot.content import digest, is_writable
from bot.contract import Heard, Known, Turn
from bot.options import BotOptions as BotOptions  # known from here, too
from bot.together import memory_of, remember
from profiles.answer import Answer, Answerer
from profiles.conversation import Conversation, Handover, hand_over
from profiles.profile import Profile
from profiles.record import replace
from profiles.snapshot import Snapshot
from profiles.timeline import BOT, Event, Message

log = logging.getLogger("bot.answering")

SHOWN = "/shown"
"""What the bot hears when a picture, a voice message, a place or a contact comes without words."""


def load_brain(options: BotOptions, edits: Path | None = None) -> Brain:
    """Return the bot of this folder. Raises ContentErrors with everything that is wrong in its files."""
    return Brain.load(folder_of(options, edits), semantic=semantic_of(options))


def semantic_of(options: BotOptions) -> Path | None:
    """Return the folder of the semantic model, if one is named."""
    return Path(options.semantic_model) if options.semantic_model else None


def folder_of(options: BotOptions, edits: Path | None = None) -> Path:
    """Return the folder of the bot's files: its own, or the copy that people have changed through the console.

    `edits` is where such copies are kept: of the shipped bot, and of a folder that we may not write.
    """
    own, copy = own_folder(options), copy_of(options, edits)
    if copy is None or not copy.is_dir() or (options.folder and is_writable(own)):
        return own
    return copy


def own_folder(options: BotOptions) -> Path:
    """Return the folder that the configuration names, else that of the shipped bot."""
    return Path(options.folder) if options.folder else Path(__file__).parent / "content" / "shop"


def copy_of(options: BotOptions, edits: Path | None) -> Path | None:
    """Return where a changed copy of the bot's folder would be: another for each folder, so that they never mix."""
    if edits is None:
        return None
    if not options.folder:
        return edits / "shop"
    own = Path(options.folder).resolve()
    return edits / f"{own.name}-{digest(str(own))[:8]}"


def answerer(mind: Mind, *, one_conversation: bool = False) -> Answerer:
    """Return the pure function that the front door asks inside the commit."""

    def answer(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
        try:
            memory = memory_of(profile, conversation) if one_conversation else conversation.bot
            turn = mind.at_once(memory or None, heard(message), known(profile, conversation))
        except Exception as error:  # noqa: BLE001 (the customer's message must be kept whatever the bot does with it)
            log.error("bot.turn broke message=%s error=%s", message.id, type(error).__name__, exc_info=error)
            return broken(profile, conversation, message, snapshot.now)
        if turn is None:
            return Answer(profile, conversation, unfinished=True)
        if one_conversation:
            profile = remember(profile, conversation, turn.tracker)
        return applied(turn, profile, conversation, message, snapshot.now)

    return answer


def heard(message: Message) -> Heard:
    """Return a stored message as the bot hears it: a mail may be longer than what it reads of one."""
    content = message.content
    shown = not content.text.strip() and (content.attachments or content.place or content.card)
    payload = SHOWN if shown and content.payload is None else content.payload
    return Heard(message.id, content.text[:LONGEST_HEARD], message.channel, message.at, payload, message.metadata)


def known(profile: Profile, conversation: Conversation) -> Known:
    """Return what the bot may know of this person."""
    values = {name: attribute.value for name, attribute in profile.attributes.items()}
    return Known(profile.id, conversation.language or profile.language, values, conversation.id)


def applied(turn: Turn, profile: Profile, conversation: Conversation, message: Message, now: datetime) -> Answer:
    """Return the answer that a finished turn comes to: what is said, learned, recorded, and who goes on from here."""
    for attribute, value, source in turn.learned:
        profile = profile.learn(
            attribute, value, source="declared" if source == "declared" else "inferred", at=now, by=BOT
        )
    if turn.language and profile.language is None:
        profile = replace(profile, language=turn.language)
    conversation = replace(conversation, bot=turn.tracker, language=turn.language or conversation.language)
    facts = list(turn.events)
    if turn.handover:
        reason, summary, team = turn.handover
        conversation = hand_over(conversation, Handover(reason, now, summary, team))
        facts.append(("conversation.handed_over", {"reason": reason, "summary": summary, "team": team}))
    for action in turn.failed:
        log.error("bot.action failed message=%s action=%s", message.id, action)
    return Answer(profile, conversation, turn.says, _events(facts, message, now))


def broken(profile: Profile, conversation: Conversation, message: Message, now: datetime) -> Answer:
    """Return what happens when the bot itself fails: a person takes over, and nothing is lost."""
    conversation = hand_over(conversation, Handover("action", now, "The bot failed on this message."))
    facts = [("conversation.handed_over", {"reason": "action", "summary": "bot failed"})]
    return Answer(profile, conversation, events=_events(facts, message, now))


def _events(facts: Sequence[tuple[str, Mapping[str, Any]]], message: Message, now: datetime) -> tuple[Event, ...]:
    return tuple(
        Event(f"{message.id}:e{number}", message.profile, name, now, message.conversation, BOT, "bot", properties)
        for number, (name, properties) in enumerate(facts, 1)
    )
