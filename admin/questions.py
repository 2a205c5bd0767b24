"""What customers asked that the bot did not understand or doubted: one question for all who asked it in much the same words.

Read from the events that the bot recorded (bot/unsure.py); the words are those of the messages. What was settled is remembered
in `doubts` under the same name: dismissed is gone for good, taught comes back when the bot fails on it again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from admin.desk import Desk
from admin.inbox import NAMES
from bot.brain import Brain
from bot.cleaning import clean_text
from bot.edits import LONGEST_EXAMPLE
from bot.masking import masked
from bot.understanding import Meaning
from bot.unsure import NEAREST
from profiles.profile import Profile
from profiles.record import from_document
from profiles.timeline import Message

LOOKED_BACK = timedelta(days=60)
MOST_EVENTS = 10_000
"""The latest that are looked at: what was asked long ago and never again teaches nothing."""
PAGE = 15
_MOST_REPLIES = 4
_LOOKED_AT = 3  # the latest who asked, for what an agent told them
_SOON = 20  # messages after a question within which an agent's reply is to it

Order = Literal["latest", "often"]
SETTLED = "doubts"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent answered after the bot could not."""

    id: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question, however many asked it."""

    id: str
    """The wording's name."""
    text: str
    """As it was last asked."""
    example: str
    """The same to learn from: one line, personal data masked."""
    language: str
    count: int
    people: int
    last_at: datetime
    conversation: str
    is_doubted: bool
    """The bot did answer, by `intent`, but was not sure."""
    intent: str | None
    said: tuple[str, ...]
    """What the bot answered."""
    near: tuple[tuple[str, float], ...]
    """The likeliest intents as the bot sees it now."""
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of questions, where the next begins, and how many there are."""

    questions: tuple[Question, ...]
    following: str | None
    total: int


async def asked(desk: Desk, brain: Brain, *, order: Order = "latest", after: str | None = None) -> Asked:
    """Return the questions that wait to be taught, the latest or the most frequent first."""
    rows = await _open_rows(desk)
    rows.sort(key=lambda row: _key(row, order))
    since = _key_from(after, order)
    left = [row for row in rows if since is None or _key(row, order) > since]
    shown = left[:PAGE]
    following = _key_text(_key(shown[-1], order)) if len(left) > PAGE else None
    return Asked(tuple(await _questions(desk, brain, shown)), following, len(rows))


async def question(desk: Desk, brain: Brain, id: str) -> Question | None:
    """Return one question, or None when it was settled or its message is gone."""
    rows = [row for row in await _open_rows(desk) if row["_id"] == id]
    return next(iter(await _questions(desk, brain, rows)), None)


async def settle(desk: Desk, id: str, *, how: Literal["taught", "dismissed"], by: str) -> None:
    """Take a question off the list."""
    put = {"$set": {"how": how, "by": by, "settled_at": desk.clock()}}
    await desk.store.change(SETTLED, {"_id": {"$eq": id}}, put, upsert=True)


async def refuse_reply(desk: Desk, id: str, message: str) -> None:
    """Never again propose this reply of an agent as the answer."""
    await desk.store.change(SETTLED, {"_id": {"$eq": id}}, {"$addToSet": {"refused": message}}, upsert=True)


def as_example(text: str, names: Iterable[str] = ()) -> str:
    """Return what a customer wrote as a sentence to learn from: one line, personal data masked, nothing that means a mark."""
    line = " ".join(masked(clean_text(text, 4 * LONGEST_EXAMPLE), names).split())
    return line.replace("](", "] (").replace("]{", "] {")[:LONGEST_EXAMPLE].strip()


async def _open_rows(desk: Desk) -> list[dict[str, Any]]:
    where = {"properties.wording": {"$exists": True}, "happened_at": {"$gte": desk.clock() - LOOKED_BACK}}
    first = {name: {"$first": f"${path}"} for name, path in _FIRST.items()}
    group = {
        "_id": "$properties.wording", **first, "count": {"$sum": 1}, "people": {"$addToSet": "$profile"},
        "messages": {"$firstN": {"input": "$properties.message", "n": _LOOKED_AT}},
    }  # fmt: skip
    latest = {"$sort": {"happened_at": -1, "_id": 1}}
    rows = await desk.store.aggregate("events", [{"$match": where}, latest, {"$limit": MOST_EVENTS}, {"$group": group}])
    settled = await desk.store.get_many(SETTLED, [row["_id"] for row in rows], only=["how", "settled_at"])
    known = {document["_id"]: document for document in settled}
    return [row for row in rows if _is_open(row, known.get(row["_id"]))]


_FIRST = {
    "last_at": "happened_at", "message": "properties.message", "language": "properties.language", "name": "name",
    "intent": "properties.intent", "conversation": "conversation", "profile": "profile",
}  # fmt: skip


def _is_open(row: Mapping[str, Any], settled: Mapping[str, Any] | None) -> bool:
    if settled is None or "how" not in settled:  # only a reply to it was refused
        return True
    return bool(settled["how"] == "taught" and row["last_at"] > settled["settled_at"])


_Key = tuple[float, float, str]


def _key(row: Mapping[str, Any], order: Order) -> _Key:
    at = -row["last_at"].timestamp()
    return (-row["count"], at, row["_id"]) if order == "often" else (at, 0.0, row["_id"])


def _key_text(key: _Key) -> str:
    return f"{key[0]!r}~{key[1]!r}~{key[2]}"


def _key_from(text: str | None, order: Order) -> _Key | None:
    try:
        one, two, id = (text or "").split("~")
        return float(one), float(two), id[:40]
    except ValueError:
        return None


async def _questions(desk: Desk, brain: Brain, rows: list[dict[str, Any]]) -> list[Question]:
    ids = [id for row in rows for id in row["messages"]]
    said_ids = [f"{row['message']}:{number}" for row in rows for number in range(1, _MOST_REPLIES)]
    messages, profiles, settled = await asyncio.gather(
        desk.store.get_many("messages", [*ids, *said_ids]),
        desk.store.get_many("profiles", [row["profile"] for row in rows], only=NAMES),
        desk.store.get_many(SETTLED, [row["_id"] for row in rows]),
    )
    known = {document["_id"]: from_document(Message, document) for document in messages}
    names = {document["_id"]: names_of(from_document(Profile, document)) for document in profiles}
    refused = {document["_id"]: document.get("refused", ()) for document in settled}
    there = [row for row in rows if row["message"] in known and known[row["message"]].content.text.strip()]
    asking = [[known[id] for id in row["messages"] if id in known] for row in there]
    replies = await asyncio.gather(
        *(_reply(desk, messages, refused.get(row["_id"], ())) for row, messages in zip(there, asking, strict=True))
    )
    return [
        _question(brain, row, known, names.get(row["profile"], ()), reply, desk.clock())
        for row, reply in zip(there, replies, strict=True)
    ]


def _question(
    brain: Brain, row: Mapping[str, Any], known: Mapping[str, Message], names: Iterable[str], reply: Reply | None,
    now: datetime,
) -> Question:  # fmt: skip
    text, language = known[row["message"]].content.text, str(row.get("language") or brain.languages[0])
    answers = (known.get(f"{row['message']}:{number}") for number in range(1, _MOST_REPLIES))
    return Question(
        id=row["_id"],
        text=text[:2_000],
        example=as_example(text, names),
        language=language,
        count=row["count"],
        people=len(row["people"]),
        last_at=row["last_at"],
        conversation=row["conversation"],
        is_doubted=row["name"] == "bot.doubted",
        intent=row.get("intent"),
        said=tuple(answer.content.text for answer in answers if answer and answer.content.text),
        near=nearest(brain, text, language, now),
        reply=reply,
    )


def nearest(brain: Brain, text: str, language: str, now: datetime) -> tuple[tuple[str, float], ...]:
    """Return the likeliest intents as the bot that serves sees them."""
    return meaning_of(brain, text, language, now).ranking[:NEAREST]


def meaning_of(brain: Brain, text: str, language: str, now: datetime) -> Meaning:
    """Return what the bot that serves takes this text for."""
    here = brain.script.project.validation.here(now)
    return brain.understanding.hear(clean_text(text, 1_000), language, 0, here)[0]


async def _reply(desk: Desk, messages: Sequence[Message], refused: Iterable[str]) -> Reply | None:
    """Return the first words that an agent said to one of those who asked, the latest first, unless refused as an answer."""
    for message in messages:
        where = {"conversation": message.conversation, "seq": {"$gt": message.seq, "$lte": message.seq + _SOON}}
        for document in await desk.store.find("messages", where, sort=[("seq", 1)], limit=_SOON):
            said = from_document(Message, document)
            if said.author.startswith("agent:") and said.direction == "outbound" and said.content.text.strip():
                if said.id in refused:
                    break
                return Reply(said.id, said.author.removeprefix("agent:"), said.content.text)
    return None


def names_of(profile: Profile) -> tuple[str, ...]:
    """Return the words of a person's name, to be masked."""
    values = (profile.value(name) for name in ("name", "first_name", "last_name"))
    return tuple(word for value in values if isinstance(value, str) for word in value.split())
