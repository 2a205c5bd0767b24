"""When the bot gives the conversation to people, what it tells the customer, and what it tells the agent.

handover.yml (absent: the defaults below, without intent and words):

    intent: human
    words: [agent, conseiller]        whole messages, or words that suffice by themselves
    after_misunderstandings: 2        0: never for that reason
    misunderstood: [nlu_fallback, out_of_scope]
    team: support
    teams: {returns_form: returns}    by the form, flow or intent the customer was in
    say: {asked: utter_handover, not_understood: utter_handover_sorry, action: utter_handover}

The engine only reports the handover; who owns the conversation is decided in profiles/conversation.py.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain import Domain
from bot.events import FALLBACK_INTENT
from bot.finders import fold
from bot.titles import Titles
from bot.values import name_at, names_at, table_at
from profiles.findings import Findings, nearest
from profiles.written import Table, place_of, rows

_KEYS = ("intent", "words", "after_misunderstandings", "misunderstood", "team", "teams", "say")
_REASONS = ("asked", "not_understood", "action")
_BETWEEN = " · "
NO_TITLES = Titles()

DEFAULT_WORDS: Mapping[str, Mapping[str, str]] = {
    "asked": {
        "fr": "Je vous passe un conseiller, il vous répondra ici même.",
        "en": "I'm handing you over to a colleague, who will answer right here.",
    },
    "not_understood": {
        "fr": "Je suis désolé, je n’arrive pas à vous comprendre. Un conseiller va prendre le relais ici même.",
        "en": "I'm sorry, I can't make out what you need. A colleague will take over right here.",
    },
}
_LABELS = {
    "fr": ("Dernier message\u00a0: ", "Question\u00a0: ", "Ce que l’on sait\u00a0: ", "Demandes\u00a0: ", "aucune"),
    "en": ("Last message: ", "Question: ", "What we know: ", "Asked about: ", "nothing"),
}


@dataclass(frozen=True, slots=True)
class HandoverPlan:
    """What handover.yml says."""

    intent: str | None = None
    words: frozenset[str] = frozenset()
    after_misunderstandings: int = 2
    misunderstood: frozenset[str] = frozenset({FALLBACK_INTENT})
    team: str | None = None
    teams: Mapping[str, str] = field(default_factory=dict)
    say: Mapping[str, str] = field(default_factory=dict)
    """reason -> response."""

    def asks(self, intent: str | None, text: str) -> bool:
        """Whether this message asks for a person."""
        if intent is not None and intent == self.intent:
            return True
        return bool(self.words) and " ".join(re.findall(r"\w+", fold(text))) in self.words

    def team_for(self, form: str | None, intent: str | None) -> str | None:
        """Return the team that should take it: that of the form or flow, else of the intent, else the default one."""
        return self.teams.get(form or "") or self.teams.get(intent or "") or self.team

    def tells(self, reason: str) -> str | None:
        """Return the response that tells the customer, or None for the default words."""
        return self.say.get(reason) or self.say.get("asked")


def default_words(reason: str, language: str | None) -> str:
    """Return what the customer is told when the bot has no response of its own for it."""
    words = DEFAULT_WORDS["not_understood" if reason == "not_understood" else "asked"]
    return words.get(language or "en", words["en"])


def summary(
    last: str, slots: Mapping[str, Any], intents: list[str], language: str | None, *, question: str = "",
    titles: Titles = NO_TITLES,
) -> str:  # fmt: skip
    """Return what the agent reads first: the last message, the question before it, what is known, what was asked before.

    A few short lines, names as people read them (bot/titles.py); the question is left out where it is the last message.
    """
    language = language or "en"
    said, asked, known, about, nothing = _LABELS.get(language, _LABELS["en"])
    colon = "\u00a0: " if language == "fr" else ": "
    facts = _BETWEEN.join(
        titles.slot(name, language) + colon + titles.value(name, value, language)[:80] for name, value in slots.items()
    )
    wishes = _BETWEEN.join(titles.intent(intent, language) for intent in intents)
    lines = [said + (last[:300] or nothing), known + (facts[:500] or nothing), about + (wishes or nothing)]
    if question and question != last:
        lines.insert(1, asked + question[:300])
    return "\n".join(lines)


def read_handover(file: Table, domain: Domain, findings: Findings, flows: Collection[str] = ()) -> HandoverPlan:
    """Return what handover.yml says; an absent file hands over after two misunderstandings in a row."""
    for key in file:
        if key not in _KEYS:
            findings.unknown_key(file, key, _KEYS)
    intent, misunderstood = name_at(file, "intent", findings), names_at(file, "misunderstood", findings)
    for intent_name in (*([intent] if intent else []), *misunderstood):
        if intent_name not in domain.intents and intent_name != FALLBACK_INTENT:
            findings.unknown("intent", intent_name, domain.intents)
    say = table_at(file, "say", findings)
    for reason in say:
        response = name_at(say, reason, findings)
        if reason not in _REASONS:
            at = place_of(say, reason)
            findings.error(
                at, f'say: expected one of {", ".join(_REASONS)}; got "{reason}".', nearest(reason, _REASONS)
            )
        if response is not None and response not in domain.responses:
            findings.unknown("response", response, domain.responses)
    teams = table_at(file, "teams", findings)
    for name in teams:
        known = [*domain.forms, *domain.intents, *flows]
        if name not in known:
            findings.error(
                place_of(teams, name), f'teams: unknown form, flow or intent "{name}".', nearest(name, known)
            )
    return HandoverPlan(
        intent=intent,
        words=frozenset(" ".join(re.findall(r"\w+", fold(str(word)))) for word in rows(file.get("words"))),
        after_misunderstandings=_count(file, findings),
        misunderstood=frozenset({FALLBACK_INTENT, *misunderstood}),
        team=name_at(file, "team", findings),
        teams={str(name): str(team) for name, team in teams.items()},
        say={str(reason): str(response) for reason, response in say.items()},
    )


def _count(file: Table, findings: Findings) -> int:
    count = file.get("after_misunderstandings", 2)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        at = place_of(file, "after_misunderstandings")
        findings.error(at, f"after_misunderstandings: expected a whole number, got {count!r}.", "2")
        return 2
    return count
