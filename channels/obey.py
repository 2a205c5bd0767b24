"""STOP, START and HELP: the words that hold before any bot or agent, each confirmed once, in the person's language."""

from collections.abc import Mapping
from dataclasses import replace

from channels.keywords import Keyword, confirmation, keyword
from profiles.append import said
from profiles.conversation import Conversation
from profiles.profile import Identity, Profile, Suppression
from profiles.snapshot import Changes
from profiles.timeline import BOT, Content, Event, Message


def spoken(text: str, identity: Identity | None) -> Keyword | None:
    """Return the word that this whole text is, or None."""
    return keyword(text, opted_out=bool(identity and identity.suppression))


def obey(
    word: Keyword,
    profile: Profile,
    conversation: Conversation,
    message: Message,
    *,
    key: str,
    claims: Mapping[str, str],
    language: str,
) -> Changes:
    """Return the changes that the word commands: the suppression set or lifted, its proof, and one confirmation."""
    identity = profile.identity(key)
    was_stopped = bool(identity and identity.suppression)
    events: tuple[Event, ...] = ()
    if identity and word != "help":
        profile = profile.with_identity(
            replace(identity, suppression=Suppression("opted_out", message.at) if word == "stop" else None)
        )
        events = (_proof(word, message, key),)
    messages = [message]
    told_before = was_stopped and word != "start"
    if not told_before and not message.metadata.get("answered_by_provider"):
        text = confirmation(word, conversation.language or profile.language or language)
        conversation, reply = said(
            conversation,
            Content(text),
            id=f"{message.id}:1",
            author=BOT,
            now=message.at,
            to=key,
            reply_to=message.id,
            metadata={"lawful": word},  # the one message that may follow a STOP
        )
        messages.append(reply)
    return Changes(
        profiles=(profile,),
        conversations=(conversation,),
        claims=claims,
        messages=tuple(messages),
        events=events,
    )


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
