"""What the demo's contacts said in the chat: short talks with the bot, some handed to people, some still waiting. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from causerie.demo_people import SEED
from profiles.append import begin, heard, said
from profiles.conversation import Conversation, Handover, hand_over
from profiles.profile import Profile
from profiles.timeline import BOT, Content, Event, Message

TALKS = {
    "fr": (
        ("Bonjour, quels sont vos horaires ?", "Nous sommes ouverts du lundi au samedi, de 9 h à 18 h."),
        ("Où en est ma commande ?", "Votre commande est partie ce matin ; elle arrive sous deux jours."),
        ("Je voudrais renvoyer un article", "Vous avez trente jours. Je vous prépare l'étiquette de retour."),
        ("Le casque est-il garanti ?", "Oui, deux ans, pièces et main-d'œuvre."),
    ),
    "en": (
        ("Hello, when are you open?", "Monday to Saturday, from 9 to 6."),
        ("Where is my order?", "It left this morning and arrives within two days."),
        ("I would like to return something", "You have thirty days. I am preparing the label for you."),
        ("Is the headset under warranty?", "Yes, for two years."),
    ),
}
MOST_WAITING = 2
"""The first agent takes five at a time, those who wait longest first: there must be room for whoever tries the demo."""
WAITING = {"fr": "Je préfère parler à quelqu'un, s'il vous plaît.", "en": "I would rather talk to a person, please."}


@dataclass(frozen=True, slots=True)
class Talks:
    """What was said, and the events of it."""

    conversations: tuple[Conversation, ...]
    messages: tuple[Message, ...]
    events: tuple[Event, ...]


def talks(profiles: Sequence[Profile], now: datetime) -> Talks:
    """Return a talk of the last four days for every fourth contact; two of them wait for a person."""
    dice = random.Random(SEED)
    threads: list[Conversation] = []
    messages: list[Message] = []
    events: list[Event] = []
    waiting = 0
    for number, profile in enumerate(profiles):
        identity = next((one for one in profile.identities if one.channel == "webchat"), None)
        if identity is None or dice.random() > 0.25:
            continue
        id = f"webchat:{identity.address}"
        at = max(now - timedelta(minutes=dice.randrange(5, 6_000)), profile.created_at)
        thread = begin(id, profile, channel="webchat", address=identity.address, identity=identity.key, now=at)
        question, answer = dice.choice(TALKS[profile.language or "fr"])
        thread, first = heard(thread, Content(question), id=f"{id}:demo-1", now=at)
        at += timedelta(seconds=2)
        thread, second = said(thread, Content(answer), id=f"{id}:demo-2", author=BOT, now=at, to=identity.key)
        messages += [first, _arrived(second)]
        if number % 6 == 0 and waiting < MOST_WAITING:
            waiting += 1
            at += timedelta(minutes=1)
            thread = hand_over(thread, Handover("asked", at))
            thread, third = heard(thread, Content(WAITING[profile.language or "fr"]), id=f"{id}:demo-3", now=at)
            messages.append(third)
            events.append(
                Event(f"{id}:demo-4", profile.id, "conversation.handed_over", at, conversation=id, source="demo")
            )
        elif number % 3 == 0:
            thread = replace(thread, status="resolved", resolved_at=at)
            events.append(
                Event(f"{id}:demo-4", profile.id, "conversation.resolved", at, conversation=id, source="demo")
            )
        threads.append(thread)
    return Talks(tuple(threads), tuple(messages), tuple(events))


def _arrived(message: Message) -> Message:
    assert message.delivery
    times = {"sent": message.at, "delivered": message.at}
    return replace(message, delivery=replace(message.delivery, state="delivered", times=times))
