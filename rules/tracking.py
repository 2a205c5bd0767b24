"""Which links of a rule's message become ours, and what is counted: as the rule says, else the house; never against the contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from profiles.profile import Profile
from profiles.reactions import NO_TRACKING
from profiles.timeline import Content
from profiles.tracking import Tracked, with_links
from rules.policy import Reach
from rules.rule import Rule
from rules.rule_terms import Tracking

NONE = "none"
Word = TypeVar("Word", bool, str)


@dataclass(frozen=True, slots=True)
class Tracker:
    """Makes the links of messages ours. `base` is how people reach this server, `secret` this installation's own."""

    base: str
    secret: bytes

    def track(
        self, content: Content, message: str, *, rule: Rule, house: Tracking, reach: Reach, to: Profile, variant: str
    ) -> Content:
        """Return the content of this message with what is to be counted in it."""
        utm = _said(rule.tracking.utm, house.utm, NONE)
        is_allowed = not to.value(NO_TRACKING)
        tracked = Tracked(
            self.base,
            self.secret,
            clicks=is_allowed and _said(rule.tracking.clicks, house.clicks, True),
            opens=is_allowed and _said(rule.tracking.opens, house.opens, True),
            parameters={} if utm == NONE else _parameters(utm, reach, rule, variant),
        )
        return with_links(content, message, tracked)


def _said(rule: Word | None, house: Word | None, otherwise: Word) -> Word:
    return next(word for word in (rule, house, otherwise) if word is not None)


def _parameters(source: str, reach: Reach, rule: Rule, variant: str) -> Mapping[str, str]:
    known = {"utm_source": source, "utm_medium": reach.space, "utm_campaign": rule.id, "utm_content": variant}
    return {name: value for name, value in known.items() if value}
