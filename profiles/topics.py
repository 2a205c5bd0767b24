"""What are proactive messages about? Topics: consent attaches to them, in the words that were shown, one version at a time.

Which consent a message needs follows from its class and its topic. Marketing: the person's yes, or for an existing customer of a
topic that says `opt_out` the absence of a no (ePrivacy directive 2002/58/EC, article 13(2); CPCE L.34-5). Service: the absence
of a no. Transactional: none, what was ordered must be confirmed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Class = Literal["marketing", "service", "transactional"]
Basis = Literal["given", "not_withdrawn", "none"]

WORD = re.compile(r"[a-z0-9_-]{1,40}")
"""What channels and topics are called: they stand in the paths of a ledger's fields."""
EVERY = "*"
"""In the place of a channel or a topic: all of them, also those that come later."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject a person can say yes or no to, on each channel."""

    id: str
    titles: Mapping[str, str] = field(default_factory=dict)
    """language -> its name in the preference centre."""
    wordings: Mapping[str, str] = field(default_factory=dict)
    """language -> the sentence a person agrees to; whoever changes one gives it a new version."""
    version: str = "1"
    channels: tuple[str, ...] = ()
    """Where it is sent at all; empty: on every channel."""
    consent: Literal["opt_in", "opt_out"] = "opt_in"
    double_opt_in: bool = False
    """A yes counts once it was confirmed from the address itself."""

    def title(self, language: str) -> str:
        """Return its name in this language (`fr`, `fr-CA`), else in English, else the id."""
        return _spoken(self.titles, language) or self.id

    def wording(self, language: str) -> str:
        """Return what a person agrees to in this language, else in English, else an empty text."""
        return _spoken(self.wordings, language)

    def is_sent_on(self, channel: str) -> bool:
        """Return whether this topic is sent on this channel at all."""
        return not self.channels or channel in self.channels


def basis(topic: Topic, kind: Class, *, is_customer: bool) -> Basis:
    """Return the consent that a message of this class about this topic needs from this person."""
    if kind == "transactional":
        return "none"
    if kind == "service" or (topic.consent == "opt_out" and is_customer):
        return "not_withdrawn"
    return "given"


def mistakes(topic: Topic) -> tuple[str, ...]:
    """Return what is wrong with a topic, one sentence each."""
    found = []
    if not WORD.fullmatch(topic.id):
        found.append(f"topic: expected small letters, digits, - and _, at most 40, got {topic.id[:60]!r}")
    found += [
        f"channels: expected a channel's name, got {name[:60]!r}" for name in topic.channels if not WORD.fullmatch(name)
    ]
    found += [f"titles: expected one in {name}, got none" for name in ("fr", "en") if not topic.titles.get(name)]
    found += [f"wordings: expected one in {name}, got none" for name in ("fr", "en") if not topic.wordings.get(name)]
    if topic.double_opt_in and topic.consent == "opt_out":
        found.append("double_opt_in: expected consent: opt_in, for there is nothing to confirm without a yes")
    return tuple(found)


def _spoken(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get(language.split("-")[0].lower()) or texts.get("en", "")
