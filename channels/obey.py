"""STOP, START and HELP: the words that hold before any bot or agent, each confirmed once, in the person's language.

On SMS a STOP bans the address, as carriers and laws want: nothing goes there until START. Elsewhere it ends what rules write on
this channel, and whoever writes is still answered. Both stand in the ledger from the commit that keeps the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from channels.channel import Limits
from channels.keywords import Keyword, chat_confirmation, confirmation, keyword, spoken_to
from profiles.append import said
from profiles.conversation import Conversation
from profiles.ledger import COLLECTION
from profiles.ledger import key as key_of
from profiles.profile import Identity, Profile, Suppression
from profiles.snapshot import Changes
from profiles.spoken import Word, no, start_again, word_id
from profiles.store import Store
from profiles.timeline import BOT, Button, Content, Event, Message
from profiles.topics import EVERY

_DEEPEST_MERGE = 8


@dataclass(frozen=True, slots=True)
class Order:
    """A word as it holds on one channel."""

    word: Keyword
    bans: bool
    told_before: bool = False
    """Whether they had said it already: it is proved again and not confirmed again."""
    hears_start: bool = True


def ordered(content: Content, identity: Identity | None, limits: Limits, *, refused: bool) -> Order | None:
    """Return what this message commands here, or None. `refused`: whether a STOP stands here (`has_refused`)."""
    if not limits.keywords:
        return None
    in_chat = not limits.stop_bans
    banned = bool(identity and identity.suppression)
    word = keyword(content.text, opted_out=banned, in_chat=in_chat)
    if word is None or word not in limits.keywords:
        return None
    if not in_chat:
        return Order(word, bans=True, told_before=banned and word != "start")
    if content.payload is not None or (word == "start" and not refused):
        return None  # the bot's own button; or somebody who never said STOP greets the bot so
    return Order(word, bans=False, told_before=refused and word == "stop", hears_start="start" in limits.keywords)


async def has_refused(store: Store, content: Content, identity: str, limits: Limits) -> bool:
    """Return whether a STOP stands for the person with this identity; asked of the database for a keyword alone."""
    if limits.stop_bans or not limits.keywords or keyword(content.text, in_chat=True) is None:
        return False
    claim = await store.get("identities", identity)
    profile: Any = claim["profile"] if claim else None
    for _ in range(_DEEPEST_MERGE):
        ledger = await store.get(COLLECTION, profile) if profile else None
        if ledger is None or not ledger.get("into"):
            return ledger is not None and ledger.get("on", {}).get(key_of(_space(identity), EVERY)) is False
        profile = ledger["into"]
    return False


def obey(
    order: Order,
    profile: Profile,
    conversation: Conversation,
    message: Message,
    *,
    key: str,
    claims: Mapping[str, str],
    language: str,
    page: str = "",
) -> Changes:
    """Return the changes that the word commands: what holds from now on, its proof, and one confirmation.

    `page` is the address of the person's own page, offered where a confirmation may be longer than one SMS.
    """
    word, identity = order.word, profile.identity(key)
    events: tuple[Event, ...] = ()
    if identity and word != "help":
        if order.bans:
            banned = Suppression("opted_out", message.at) if word == "stop" else None
            profile = profile.with_identity(replace(identity, suppression=banned))
        events = (_proof(word, message, key),)
    messages = [message]
    if not order.told_before and not message.metadata.get("answered_by_provider"):
        spoken = spoken_to(conversation.language or profile.language or language)
        conversation, reply = said(
            conversation,
            _confirmation(order, spoken, page),
            id=f"{message.id}:1",
            author=BOT,
            now=message.at,
            to=key,
            reply_to=message.id,
            # the one message that may follow a STOP, once no hand-over is under way
            metadata={"lawful": word, "language": spoken},
        )
        messages.append(reply)
    changes = Changes(
        profiles=(profile,),
        conversations=(conversation,),
        claims=claims,
        messages=tuple(messages),
        events=events,
    )
    return changes if word == "help" else changes.then(_held(word, profile.id, message, key))


def _held(word: Keyword, profile: str, message: Message, key: str) -> Changes:
    spoken = Word(
        id=word_id(message.id, word),
        profile=profile,
        channel=_space(key),
        at=message.at,
        wording=message.content.text[:160],
        evidence={"message": message.id, "identity": key},
    )
    return no(spoken) if word == "stop" else start_again(spoken)


def _confirmation(order: Order, language: str, page: str) -> Content:
    if order.bans or order.word == "help":
        return Content(confirmation(order.word, language))
    text, choose = chat_confirmation(order.word, language, hears_start=order.hears_start)
    return Content(text, (Button(choose, url=page),) if page else ())


def _proof(word: Keyword, message: Message, key: str) -> Event:
    return Event(
        id=f"{message.id}:{word}",
        profile=message.profile,
        name="consent.withdrawn" if word == "stop" else "consent.given",
        happened_at=message.at,
        conversation=message.conversation,
        by="customer",
        source="keyword",
        properties={"identity": key, "wording": message.content.text[:160], "message": message.id},
    )


def _space(identity: str) -> str:
    return identity.partition(":")[0]
