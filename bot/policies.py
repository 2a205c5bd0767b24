"""What comes next: the one place that decides which action follows.

Order (Rasa 3.6 RulePolicy): a follow-up an action asked for, rules on exact words, default intents (/restart, /back),
the running form unless it just rejected the message, rules on intents, then the fallback. Stories and learned
policies belong between the last two.
"""

from typing import NamedTuple

from bot.domain import Domain
from bot.events import DEFAULT_ACTIONS, DEFAULT_INTENTS, LISTEN
from bot.rulebook import Rule, Rulebook
from bot.states import Expected, fits
from bot.tracker import Moment, Tracker


class Next(NamedTuple):
    """The action that follows; `back_to_form`: a form goes on without taking the message as an answer."""

    action: str
    back_to_form: bool = False
    is_fallback: bool = False


def predict(book: Rulebook, domain: Domain, tracker: Tracker, core_fallback: str) -> Next:
    """Return what the bot does next."""
    asked_for = tracker.followup
    if asked_for and (domain.knows_action(asked_for) or asked_for in DEFAULT_ACTIONS):
        return Next(asked_for)
    action, back = _by_rules(book, domain, tracker)
    if action and action != tracker.rejected_action:
        return Next(action, back)
    if tracker.rejected_action == core_fallback:
        return Next(LISTEN, back)
    return Next(core_fallback, back, is_fallback=True)


def _by_rules(book: Rulebook, domain: Domain, tracker: Tracker) -> tuple[str | None, bool]:
    by_text, back = _find(book, domain, tracker, use_text=True)
    default = DEFAULT_INTENTS.get(tracker.intent or "")
    if not by_text and tracker.last == LISTEN and default:
        return default, False
    if tracker.loop and not tracker.is_rejected:
        return (tracker.loop if tracker.last != tracker.loop else LISTEN), False
    if by_text:
        tracker.message["by_text"] = True  # the words were what counted: they do for the rest of the turn
        return by_text, back
    by_intent, back_by_intent = _find(book, domain, tracker, use_text=False)
    return by_intent, back_by_intent or back


def _find(book: Rulebook, domain: Domain, tracker: Tracker, use_text: bool) -> tuple[str | None, bool]:
    text = tracker.message.get("text") if use_text else None
    if use_text and not (text and book.by_text and (tracker.last == LISTEN or tracker.message.get("by_text"))):
        return None, False
    past = _Past(tracker)
    rule = _heaviest(book, domain, past, text)
    action, back = (rule.action if rule else None), False
    if tracker.loop:
        if rule and action == LISTEN and not rule.states[-1].form:
            if not any(_applies(other.states, past, domain, text) for other in book.not_the_loop):
                return tracker.loop, False
            action = None
        back = any(_applies(other.states, past, domain, text) for other in book.back_to_loop)
    return action, back


def _heaviest(book: Rulebook, domain: Domain, past: "_Past", text: str | None) -> Rule | None:
    if text is not None:
        return next((rule for rule in book.by_text if _applies(rule.states, past, domain, text)), None)
    now = past[0]
    found: Rule | None = None
    # A rule that names no intent, or no last action, fits any: four drawers hold all that could apply.
    for drawer in {(last, intent) for last in (now.last, None) for intent in (now.intent, None)}:  # type: ignore[union-attr]
        for rule in book.by_last.get(drawer, ()):
            if found is not None and rule.weight <= found.weight:
                break
            if _applies(rule.states, past, domain, None):
                found = rule
                break
    return found


def _applies(states: tuple[Expected, ...], past: "_Past", domain: Domain, text: str | None) -> bool:
    """Whether the rule's states fit the end of the conversation, read backwards."""
    for back, expected in enumerate(reversed(states)):
        moment = past[back]
        if moment is None:
            return expected.last is None
        if expected.last is None and moment.last is None:
            return True
        if expected.last is None or moment.last is None:
            return False
        if not fits(expected, moment, domain.slots, text):  # type: ignore[arg-type]
            return False
    return True


class _Past:
    """The conversation backwards, walked only as far as some rule looks."""

    def __init__(self, tracker: Tracker) -> None:
        self._moments = tracker.moments()
        self._seen: list[Moment] = []

    def __getitem__(self, back: int) -> Moment | None:
        while len(self._seen) <= back:
            moment = next(self._moments, None)
            if moment is None:
                return None
            self._seen.append(moment)
        return self._seen[back]
