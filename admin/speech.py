"""The sentences for what the records say in words of their own: events, refusals, states, channels, roles."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.dates import format_date

from admin.agents import Agent
from admin.api_french import FRENCH
from admin.keys import SCOPES
from admin.rule_mistakes import complaint
from admin.speech_words import (
    ACTS,
    ATTRIBUTES,
    BASES,
    BRANDS,
    CHANNELS,
    CONSENTS,
    DECIDED,
    DECIDED_BY,
    DELIVERIES,
    DEVICES,
    DOERS,
    EVENTS,
    FAILURES,
    LANGUAGES,
    LESSONS,
    PASSED,
    REFUSALS,
    ROLES,
    RULE_CLASSES,
    RULE_STATES,
    RULES_BROKEN,
    SOURCES,
    TEAMS,
    VALUES,
    _,
)
from admin.texts import Texts, typeset
from bot.events import FALLBACK_INTENT, OUT_OF_SCOPE
from bot.titles import Titles, as_words
from profiles.caps import Cap
from profiles.findings import ContentError
from profiles.profile import Identity, Profile
from profiles.timeline import BOT, CUSTOMER, Event, Message
from rules.reasons import named, spoken

Words = Mapping[str, Mapping[str, str]]
"""What the house calls its events, attributes, rules and topics (Desk.words)."""
_NO_TITLES = Titles()
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORMS = {"en": "en_GB", "fr": "fr"}


class Speech:
    """Those sentences in one language, for the templates (`says`) and the edge."""

    def __init__(self, speaks: Texts) -> None:
        self._speaks = speaks

    def channel(self, name: str) -> str:
        """Return what people call this channel or identity space."""
        return self._speaks(CHANNELS.get(name, name.capitalize()))

    def channel_within(self, name: str) -> str:
        """Return the same as it stands within a sentence: small unless it is a name, and its hyphen ends no line."""
        word = self.channel(name)
        if word.isupper() or name in BRANDS or name not in CHANNELS:
            return word
        return (word[:1].lower() + word[1:]).replace("-", "\N{NON-BREAKING HYPHEN}")

    def address(self, identity: Identity) -> str:
        """Return the address as people can take it in: of what a machine made up, its beginning and what it is."""
        shown = DEVICES.get(identity.channel)
        return self._speaks(shown).format(id=identity.address[:6]) if shown else identity.address

    def role(self, role: str) -> str:
        """Return what people call this role."""
        return self._speaks(ROLES.get(role, role))

    def attribute(self, name: str, words: Words = MappingProxyType({}), titles: Titles = _NO_TITLES) -> str:
        """Return what people call this attribute: our word, else the house's, else the bot's slot of that name, else its name."""
        if name in ATTRIBUTES:
            return self._speaks(ATTRIBUTES[name])
        slot = self.slot(name, titles) if name in titles.slots else name.replace("_", " ")
        return self._called(f"contact.{name}", words) or slot

    def team(self, name: str) -> str:
        """Return what people call this team: of one that we have no word for, its name as words."""
        return self._speaks(TEAMS[name]) if name in TEAMS else as_words(name)

    def act(self, act: str) -> str:
        """Return one line for an audit row's act."""
        return self._speaks(ACTS.get(act, act))

    def rule_state(self, state: str) -> str:
        """Return what people call a rule's state."""
        return self._speaks(RULE_STATES.get(state, state))

    def rule_class(self, kind: str) -> str:
        """Return what people call a rule's class."""
        return self._speaks(RULE_CLASSES.get(kind, kind))

    def why(self, code: str, words: Words = MappingProxyType({})) -> str:
        """Return the sentence for a decision's code; an event that stands in it by its words."""
        word, _, behind = code.partition(":")
        if called := self._called(behind, words):
            code = f"{word}:{called}"
        return typeset(spoken(code, self._speaks.language), self._speaks.language)

    def mistake(self, error: ContentError) -> str:
        """Return what is wrong in a file of the book, and the hint."""
        return " ".join(filter(None, complaint(error, self._speaks.language)))

    def cap(self, cap: Cap) -> str:
        """Return a limit of the house as a sentence: at most 3 in 7 days (label promo)."""
        days = cap.within.total_seconds() / 86_400 if isinstance(cap.within, timedelta) else 0.0
        limit = self._speaks(_("At most {n} in any {days} days"), n=cap.at_most, days=f"{days:g}")
        return f"{limit} ({named(cap.scope, cap.name, self._speaks.language)})" if cap.name else limit

    def language(self, code: str) -> str:
        """Return what people call this language; its two letters where we have no word."""
        return self._speaks(LANGUAGES.get(code, code))

    def consent(self, change: str) -> str:
        """Return what a proof of consent says."""
        return self._speaks(CONSENTS.get(change, change))

    def basis(self, basis: str) -> str:
        """Return what had to hold of somebody's consent for a message to leave."""
        return self._speaks(BASES.get(basis, basis))

    def source(self, source: str) -> str:
        """Return where a word of consent came from; an API key that reported it stands before its own word."""
        key, _, where = source.rpartition(" ")
        spoken = self._speaks(SOURCES.get(where, where))
        return f"{spoken} ({key})" if key else spoken

    def reason(self, by: str) -> str:
        """Return who decided what the bot does."""
        return self._speaks(DECIDED_BY.get(by, by))

    def intent(self, name: str, titles: Titles) -> str:
        """Return what people read for an intent: the files' word for it, or ours for the two that every bot has."""
        if name == FALLBACK_INTENT:
            return self._speaks(_("Not understood"))
        if name == OUT_OF_SCOPE:
            return self._speaks(_("None of our business"))
        return typeset(titles.intent(name, self._speaks.language), self._speaks.language)

    def slot(self, name: str, titles: Titles) -> str:
        """Return what people read for something the bot remembers."""
        return typeset(titles.slot(name, self._speaks.language), self._speaks.language)

    def bot_rule(self, name: str, titles: Titles) -> str:
        """Return what people read for a rule of the bot."""
        return typeset(titles.rule(name, self._speaks.language), self._speaks.language)

    def entity(self, name: str, titles: Titles) -> str:
        """Return what people read for something found in a sentence."""
        return typeset(titles.entity(name, self._speaks.language), self._speaks.language)

    def lesson(self, act: str) -> str:
        """Return one line for what a version of the bot changed."""
        return self._speaks(LESSONS.get(act, act))

    def refusal(self, reason: str) -> str:
        """Return why nothing was done."""
        return self._speaks(REFUSALS.get(reason, _("This could not be done.")))

    def failure(self, reason: str | None) -> str:
        """Return why a message did not arrive, or an address is not written to; with what the provider said, if anything."""
        word, _, said = (reason or "").partition(" ")
        if word not in FAILURES:
            return reason or ""
        return f"{self._speaks(FAILURES[word])} ({said})" if said else self._speaks(FAILURES[word])

    def weak(self, reason: str) -> str:
        """Return why a password is refused."""
        return self._speaks(RULES_BROKEN[reason])

    def delivery(self, message: Message, read_seq: int = 0) -> str:
        """Return what became of a message, with the reason when it failed."""
        delivery = message.delivery
        if delivery is None:
            return ""
        if delivery.state in ("sent", "delivered") and 0 < message.seq <= read_seq:
            return self._speaks(DELIVERIES["read"])
        state = self._speaks(DELIVERIES[delivery.state])
        if not delivery.reason:
            return state
        return self._speaks("{who}:", who=state) + " " + self.failure(delivery.reason)

    def passed(self, what: str) -> str:
        """Return what became of a message: a state, or what came back about it."""
        return self._speaks(PASSED.get(what) or DELIVERIES.get(what, what))

    def rule(self, id: str, words: Words = MappingProxyType({})) -> str:
        """Return what people call this rule: its title, else its name."""
        return self._called(f"rule:{id}", words) or id

    def topic(self, id: str, words: Words = MappingProxyType({})) -> str:
        """Return what people call this topic."""
        return self._called(f"topic:{id}", words) or id

    def author(
        self, author: str, agents: Mapping[str, Agent], profile: Profile | None = None,
        words: Words = MappingProxyType({}),
    ) -> str:  # fmt: skip
        """Return who said it."""
        if author == CUSTOMER:
            return (profile.name if profile else "") or self._speaks(_("Visitor"))
        if author == BOT:
            return self._speaks(_("Bot"))
        if author.startswith("rule:"):
            return self._speaks(_("Rule {name}"), name=self.rule(author.removeprefix("rule:").partition("#")[0], words))
        if author.startswith("agent:"):
            agent = agents.get(author.removeprefix("agent:"))
            return agent.name if agent else self._speaks(_("A former agent"))
        return author if author.startswith("key:") else "Causerie"

    def doer(self, by: str, agents: Mapping[str, Agent], programs: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return who did what the audit tells: an agent, ourselves, a program by its key's name."""
        return agents[by].name if by in agents else programs.get(by) or self._speaks(DOERS.get(by, by))

    def scope(self, scope: str) -> str:
        """Return what a key with this scope may do, as the API's documentation says it; one that is no more, as it is."""
        text = SCOPES.get(scope, scope)
        return typeset(FRENCH.get(text, text), "fr") if self._speaks.language == "fr" else text

    def event(self, event: Event, agents: Mapping[str, Agent], words: Words = MappingProxyType({})) -> str:
        """Return one line for an event of the timeline; of one that the house has words for, these."""
        line = EVENTS.get(event.name)
        if event.name == DECIDED:
            rule, code = (str(event.properties.get(name, "")) for name in ("rule", "reason"))
            why, on = self.why(code, words), event.properties.get("on")
            name = self.rule(rule, words)
            return self._speaks(
                _("Rule {name}: {why}"), name=f"{name}, {self.channel(str(on))}" if on else name, why=why
            )
        if line is None:
            said = self._called(event.name, words)
            return said[:1].upper() + said[1:] or event.name
        to = agents.get(str(event.properties.get("to", "")))
        return self._speaks(line, who=self.author(event.by, agents), to=to.name if to else "?")

    def who(self, profile: Profile) -> str:
        """Return the name of a person, or what we call somebody who never said one."""
        if profile.name:
            return profile.name
        for identity in profile.identities:
            if identity.channel in ("email", "sms", "whatsapp"):
                return identity.address
        return self._speaks(_("Visitor {id}"), id=profile.id[-4:])

    def _called(self, name: str, words: Words) -> str:
        said = words.get(name, {})
        return typeset(said.get(self._speaks.language) or said.get("", ""), self._speaks.language)

    def shown(self, name: str, value: Any) -> str:
        """Return an attribute's value as it is read, not as it is typed: days and countries in words, 52.5 with its comma."""
        if isinstance(value, float):
            return self._speaks.number(value, 2)
        if isinstance(value, str) and (name, value) in VALUES:
            return self._speaks(VALUES[name, value])
        if name == "country" and str(value) in Locale(self._speaks.language).territories:
            return str(Locale(self._speaks.language).territories[str(value)])
        day = _day(value)
        return format_date(day, "long", locale=_FORMS[self._speaks.language]) if day else self.value(value)

    def value(self, value: Any) -> str:
        """Return an attribute's value as people read it."""
        if isinstance(value, bool):
            return self._speaks(_("yes") if value else _("no"))
        if isinstance(value, (list, tuple)):
            return ", ".join(map(str, value))
        return str(value)


def _day(value: Any) -> date | None:
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def bound(speaks: Texts) -> Speech:
    """Return the sentences of one language."""
    return Speech(speaks)
