"""Rules as the engine follows them: a short past that must fit, and the action that then comes next.

Format: Rasa 3.x "Rules". A rule starts anywhere (unless `conversation_start`), ends by listening (unless
`wait_for_user_input: false`), and `null` for a slot or a loop means that it must not be set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.domain import Domain
from bot.events import LISTEN
from bot.nearest import NearestStory
from bot.states import Expected, weight
from bot.steps import SNIP, Way
from bot.stories import Stories, pairs_of
from profiles.findings import Findings
from profiles.written import Place

Source = tuple[Expected, ...] | tuple[str, str]
"""Where a prediction comes from: a rule's states, or ("default", intent), ("loop", form), ("listen", form)."""


class Rule(NamedTuple):
    """After these states comes this action."""

    states: tuple[Expected, ...]
    action: str
    at: Place
    weight: int


@dataclass(slots=True)
class Rulebook:
    """All rules, found by what came last and what the customer wants; the most specific first."""

    by_last: dict[tuple[str | None, str | None], list[Rule]] = field(default_factory=dict)
    by_text: list[Rule] = field(default_factory=list)
    back_to_loop: list[Rule] = field(default_factory=list)
    """Inside a form: after these the form goes on without taking the message as an answer."""
    not_the_loop: list[Rule] = field(default_factory=list)
    """Inside a form: after these something other than the form comes."""
    all: list[Rule] = field(default_factory=list)
    hidden: frozenset[Source] = frozenset()
    """What comes from these is in no story, so stories do not see it either."""
    told: tuple[tuple[Expected, ...], ...] = ()
    """All pasts that stories name, whatever the policies do with them."""
    stories: Stories = field(default_factory=Stories)
    nearest: NearestStory | None = None

    def remove(self, rule: Rule) -> None:
        """Forget a rule."""
        self.all.remove(rule)
        for found in (*self.by_last.values(), self.by_text):
            if rule in found:
                found.remove(rule)


def read_rules(rules: Sequence[Way], stories: Sequence[Way], domain: Domain, findings: Findings) -> Rulebook:
    """Return the rulebook; rules that contradict each other are noted as errors. Stories only say how forms are left."""
    book = Rulebook()
    known: dict[tuple[Expected, ...], Rule] = {}
    for way in rules:
        for states, action in pairs_of(way, domain):
            rule = Rule(_since_snip(states), action, way.at, 0)
            _note_unhappy(rule._replace(states=states), book)
            if rule.states and action != SNIP:
                _add(rule, known, findings)
    told = [(states, action, way) for way in stories for states, action in pairs_of(way, domain)]
    for states, action, way in told:
        _note_unhappy(Rule(states, action, way.at, 0), book)
    book.told = tuple(states for states, _, _ in told)
    for rule in known.values():
        _file(rule._replace(weight=weight(rule.states)), book)
    for found in (*book.by_last.values(), book.by_text):
        found.sort(key=lambda rule: -rule.weight)
    return book


def _file(rule: Rule, book: Rulebook) -> None:
    book.all.append(rule)
    if any(state.text for state in rule.states):
        book.by_text.append(rule)
    else:
        latest = rule.states[-1]
        book.by_last.setdefault((latest.last, latest.intent), []).append(rule)


def _add(rule: Rule, known: dict[tuple[Expected, ...], Rule], findings: Findings) -> None:
    other = known.setdefault(rule.states, rule)
    if other.action != rule.action:
        findings.error(
            rule.at,
            f'rules: contradicts the rule at {other.at}: after the same things one says "{rule.action}", '
            f'the other "{other.action}".',
            "give one of them a condition, or join them",
        )


def _note_unhappy(rule: Rule, book: Rulebook) -> None:
    latest = rule.states[-1]
    if not latest.form:
        return
    before = rule.states[-2].last if len(rule.states) > 1 else None
    states = _since_snip((Expected(last=before), latest) if before else (latest,))
    if not states:
        return
    if latest.last == LISTEN and rule.action == latest.form:
        book.back_to_loop.append(rule._replace(states=states))
    elif latest.last != LISTEN and rule.action != latest.form:
        book.not_the_loop.append(rule._replace(states=states))


def _since_snip(states: tuple[Expected, ...]) -> tuple[Expected, ...]:
    for index in range(len(states) - 1, -1, -1):
        if states[index].last == SNIP:
            return states[index + 1 :]
    return states


def names_in(rules: list[Rule]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the slots and the forms that these rules name."""
    states = [state for rule in rules for state in rule.states]
    slots = frozenset(name for state in states for name, _ in state.slots)
    return slots, frozenset(state.form for state in states if state.form)
