"""Which conversation is a mail part of, and which mail does ours answer? RFC 5322 section 3.6.4.

A mail that names one of ours (its Message-ID is made of a token that nobody can guess) belongs to that one's conversation, from
whatever address it comes: what we then answer goes to the address we wrote to. Any other mail belongs to its sender's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.channel import Outbound
from channels.email_bounces import TOKEN
from profiles.store import Store

_REPLY = re.compile(r"(?:\s*(?:re|rép|ref|aw|tr|fw|fwd)\s?(?:\[\d{1,3}\])?\s?:)+\s*", re.IGNORECASE)
_LOOKED_AT = 50  # messages back, for the last that the person wrote
MOST_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail that one of ours answers."""

    id: str
    """Its Message-ID without brackets."""
    references: tuple[str, ...] = ()
    subject: str = ""

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the ids for References: those it named, and its own."""
        return (*self.references, self.id)[-MOST_REFERENCES:]


def bare(subject: str) -> str:
    """Return a subject without the "Re:" and "Tr :" in front."""
    found = _REPLY.match(subject)
    return subject[found.end() :].strip() if found else subject.strip()


def is_reply(subject: str) -> bool:
    """Return whether a subject says that it answers or forwards another."""
    return _REPLY.match(subject) is not None


async def written_to(store: Store, ids: Sequence[str], *, domain: str) -> str | None:
    """Return the address to which we sent the first of these mails that is ours; None when none is."""
    tokens = [found[1].lower() for id in ids if (found := TOKEN.fullmatch(id)) and found[2].lower() == domain]
    if not tokens:
        return None
    names = [f"email:{token}" for token in tokens]
    found_ones = await store.find("messages", {"delivery.provider_id": {"$in": names}}, limit=len(names))
    to = {one["delivery"]["provider_id"]: str(one["delivery"]["to"]) for one in found_ones}
    return next((to[name].removeprefix("email:") for name in names if name in to), None)


async def answered_by(store: Store, outbound: Outbound) -> Answered | None:
    """Return the mail that this one answers; None when there is none, or a rule says it of its own accord."""
    if outbound.metadata.get("rule"):
        return None
    if outbound.reply_to:
        document = await store.get("messages", outbound.reply_to)
        return _answered(document) if document else None
    where = {"conversation": {"$eq": outbound.conversation}, "seq": {"$lt": outbound.seq}}
    before = await store.find("messages", where, sort=[("seq", -1)], limit=_LOOKED_AT)
    heard = next((one for one in before if one.get("direction") == "inbound"), None)
    return _answered(heard) if heard else None


def _answered(document: Mapping[str, Any]) -> Answered | None:
    said = document.get("metadata") or {}
    id = str(said.get("message_id") or "")
    return Answered(id, tuple(said.get("references") or ()), str(said.get("subject") or "")) if id else None
