"""What comes next: the one place that decides which action follows.

Order (Rasa 3.6: RulePolicy and the policy ensemble): a follow-up an action asked for, default intents (/restart, /back),
the running form unless it just rejected the message, rules on exact words, rules on intents, remembered stories, the
nearest story where the bot was written for a learned policy, then the fallback. A rejected action is passed over once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bot.domain import Domain
from bot.events import DEFAULT_ACTIONS, DEFAULT_INTENTS, LISTEN
from bot.moments import Moment
from bot.project import Options
from bot.rulebook import Rule, Rulebook, Source
from bot.states import Expected, fits
from bot.tracker import Tracker


class Next(NamedTuple):
    """The action that follows.

    `back_to_form`: a form goes on without taking the message as an answer. `is_hidden`: no story tells it.
    """

    action: str
    back_to_form: bool = False
    is_fallback: bool = False
    is_hidden: bool = False
    by_text: bool = False
    because: str = ""
    """Who decided: asked, default, loop, listen, rule, story, nearest or fallback; empty where nobody had to."""
    rule: Rule | None = None
    sure: float = 1.0
    """How sure the nearest story is."""


class Found(NamedTuple):
    """What rules say: the action, where that comes from, and whether a form was interrupted."""

    action: str | None = None
    source: Source | None = None
    rule: Rule | None = None
    back_to_form: bool = False
    by_text: bool = False


_NOTHING = Found()


def predict(book: Rulebook, domain: Domain, tracker: Tracker, options: Options) -> Next:
    """Return what the bot does next."""
    asked_for, tracker.followup = tracker.followup, None
    if asked_for and (domain.knows_action(asked_for) or asked_for in DEFAULT_ACTIONS):
        return Next(asked_for, because="asked")
    found = by_rules(book, domain, tracker)
    if tracker.last == LISTEN:
        tracker.decide(found.by_text)
    back, is_hidden = found.back_to_form, found.source in book.hidden
    if found.action and found.action != tracker.rejected_action:
        return Next(found.action, back, False, is_hidden, found.by_text, _who(found), found.rule)
    told = book.stories.recall(tracker)
    if told and told != tracker.rejected_action:
        return Next(told, back, because="story")
    if book.nearest is not None:
        told, sure = book.nearest.guess(tracker.past())
        if told and told != tracker.rejected_action and sure >= options.core_threshold:
            return Next(told, back, because="nearest", sure=sure)
    if tracker.rejected_action == options.core_fallback:
        return Next(LISTEN, back, because="fallback")
    return Next(options.core_fallback, back, is_fallback=True, is_hidden=is_hidden, because="fallback")


def _who(found: Found) -> str:
    is_rule = found.rule is not None or found.source is None
    return "rule" if is_rule else str(found.source[0])  # type: ignore[index]


def by_rules(book: Rulebook, domain: Domain, tracker: Tracker) -> Found:
    """Return what rules say comes next."""
    by_text = _find(book, domain, tracker, use_text=True)
    default = DEFAULT_INTENTS.get(tracker.meant or "")
    if not by_text.action and tracker.last == LISTEN and default and tracker.message:
        return Found(default, ("default", str(tracker.meant)))
    if tracker.loop and not tracker.is_rejected:
        is_next = tracker.last != tracker.loop
        return Found(tracker.loop if is_next else LISTEN, ("loop" if is_next else "listen", tracker.loop))
    if by_text.action:
        return by_text
    by_intent = _find(book, domain, tracker, use_text=False)
    return by_intent._replace(back_to_form=True) if by_text.back_to_form else by_intent


def _find(book: Rulebook, domain: Domain, tracker: Tracker, use_text: bool) -> Found:
    text = tracker.message.get("text") if use_text else None
    if use_text and not (text and book.by_text and tracker.last == LISTEN and tracker.by_text is not False):
        return _NOTHING
    past = _Past(tracker, text)
    rule = _heaviest(book, domain, past)
    source, action, back = rule.states if rule else None, rule.action if rule else None, False
    if tracker.loop:
        if rule and action == LISTEN and not rule.states[-1].form:
            if not _any_applies(book.not_the_loop, past, domain):
                return Found(tracker.loop, source, rule)
            action = None
        back = _any_applies(book.back_to_loop, past, domain)
    return Found(action, source, rule, back, by_text=use_text and action is not None)


def _heaviest(book: Rulebook, domain: Domain, past: "_Past") -> Rule | None:
    now = past[0]
    found: Rule | None = None
    # A rule that names no intent, or no last action, fits any: four drawers hold all that could apply.
    drawers = {(last, intent) for last in (now.last, None) for intent in (now.intent, None)}  # type: ignore[union-attr]
    on_words = [book.by_text] if now.text is not None else []  # type: ignore[union-attr]
    for rules in [*(book.by_last.get(drawer, ()) for drawer in drawers), *on_words]:
        for rule in rules:
            if found is not None and rule.weight <= found.weight:
                break
            if _applies(rule.states, past, domain):
                found = rule
                break
    return found


def _any_applies(rules: Sequence[Rule], past: "_Past", domain: Domain) -> bool:
    return any(_applies(rule.states, past, domain) for rule in rules)


def _applies(states: tuple[Expected, ...], past: "_Past", domain: Domain) -> bool:
    """Whether the rule's states fit the end of the conversation, read backwards."""
    for back, expected in enumerate(reversed(states)):
        moment = past[back]
        if moment is None:
            return expected.last is None
        if expected.last is None and moment.last is None:
            return True
        if expected.last is None or moment.last is None:
            return False
        if not fits(expected, moment, domain.slots):
            return False
    return True


class _Past:
    """The conversation backwards, walked only as far as some rule looks; with `text` now is seen by its words."""

    def __init__(self, tracker: Tracker, text: str | None = None) -> None:
        self._moments = tracker.moments()
        self._seen: list[Moment] = []
        if text is not None:
            self._seen.append(next(self._moments)._replace(intent=None, entities=(), text=text))

    def __getitem__(self, back: int) -> Moment | None:
        while len(self._seen) <= back:
            moment = next(self._moments, None)
            if moment is None:
                return None
            self._seen.append(moment)
        return self._seen[back]
