"""What a person agrees to in the soft prompt: the topics of the rule book, in the words that stand there, kept with their proof."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.channel import Door
from channels.webpush_asked import Asked
from channels.webpush_people import SPACE
from profiles.consent import Proof
from profiles.consents import Said
from profiles.ledger import key
from profiles.ledgers import Ledgers
from profiles.topics import Topic

SOURCE = "webpush"


def offered(topics: Mapping[str, Topic], language: str | None) -> list[dict[str, str]]:
    """Return the topics that are sent to browsers, with what a person would agree to in their language."""
    speaks = language or "en"
    return [
        {"id": one.id, "title": one.title(speaks), "wording": one.wording(speaks), "version": str(one.version)}
        for one in topics.values()
        if one.is_sent_on(SPACE)
    ]


async def standing(door: Door, profile: str, topics: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which of these topics this person has said yes to."""
    if not profile:
        return []
    ledger = (await Ledgers(door.store).read([profile]))[profile]
    return [str(one["id"]) for one in topics if ledger.on.get(key(SPACE, one["id"])) is True]


async def agree(door: Door, profile: str, asked: Asked, *, id: str, ip: str, origin: str) -> None:
    """Keep each yes and each no that was said, with its proof.

    A yes that must be confirmed from the address itself is so already: it came from the browser that the push service
    vouches for, after its own question.
    """
    if door.consents is None or not profile or asked.yes is None:
        return
    topics, now = door.topics(), door.clock()
    evidence = {"subscription": id, "site": origin, **({"page": asked.page} if asked.page else {})}
    said = Said(SOURCE, asked.language or "en", ip, evidence)
    for one in asked.yes:
        topic = topics.get(one.topic)
        if topic is None:
            continue  # the book was changed in this very moment
        given = await door.consents.give(profile, topic, SPACE, said, now=now)
        if isinstance(given, Proof) and given.change == "asked":
            await door.consents.confirm(profile, SPACE, one.topic, given.id, said, now=now)
    for name in asked.no:
        if refused := topics.get(name):
            await door.consents.withdraw(profile, SPACE, refused.id, said, now=now, shown=refused)
