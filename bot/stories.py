"""Stories as the engine remembers them: exactly this past, then this action.

Source: MemoizationPolicy and AugmentedMemoizationPolicy of Rasa 3.6 (rasa/core/policies/memoization.py) and
`states_for_tracker_history` (rasa/shared/core/domain.py). What only rules do is invisible to stories: their turns, and
slots and forms that no story names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain import Domain
from bot.events import LISTEN
from bot.moments import Past
from bot.states import Expected, Feature, feature, state
from bot.steps import SNIP, Way, as_events
from bot.tracker import Tracker
from bot.trail import LONGEST_TRAIL

States = tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class StoryPolicy:
    """What config.yml says about stories."""

    is_off: bool = False
    """No policy of memory is listed."""
    max_history: int | None = None
    forgives: bool = False
    """Try also with a shorter and shorter past (Rasa's augmented memoization)."""


@dataclass(frozen=True, slots=True)
class Stories:
    """All that stories say."""

    known: Mapping[States, str] = field(default_factory=dict)
    max_history: int | None = None
    forgives: bool = False
    rule_slots: frozenset[str] = frozenset()
    rule_forms: frozenset[str] = frozenset()
    longest: int = 0
    """Entries of trail to keep: twice what the longest story needs, and what rules look back at."""

    def recall(self, tracker: Tracker) -> str | None:
        """Return the action that some story has after exactly this past, or None."""
        if not self.known:
            return None
        past = tracker.past()
        states = self._latest(self.visible(tracker.domain, past))
        if not tracker.is_cut or self.max_history:
            found = self.known.get(states)
            if found is not None:
                return found
        return self._recall_shorter(tracker.domain, past, states) if self.forgives else None

    def _recall_shorter(self, domain: Domain, past: Past, before: States) -> str | None:
        for start in self._starts(past):
            states = self._latest(self.visible(domain, Past({}, None, (), None, None, past.steps[start:])))
            if states != before:
                found = self.known.get(states)
                if found is not None:
                    return found
                before = states
        return None

    def _starts(self, past: Past) -> list[int]:
        """Return where a shorter past may begin, the longest first: at an action, within `max_history` actions."""
        actions = [index for index, step in enumerate(past.steps) if step[0] == "action"]
        if self.max_history:
            older = range(len(actions) - self.max_history - 1, -1, -1)
            first = next((number for number in older if past.steps[actions[number]][1] == LISTEN), 0)
            return actions[first:]
        return actions

    def _latest(self, states: list[Expected]) -> States:
        return tuple(states[-self.max_history :] if self.max_history else states)

    def visible(self, domain: Domain, past: Past) -> list[Expected]:
        """Return the states of a past as stories see them, the present last."""
        seen: list[Expected] = []
        view = _View(domain, past)
        is_hidden, last_shown = False, None
        for step in (*past.steps, ("action", None, False)):
            if step[0] != "action":
                view.follow(step)
                continue
            if not is_hidden:
                last_shown = view.last
            if not view.followup and view.last != view.loop:
                is_hidden = step[2]
            if not is_hidden:
                seen.append(self._cleaned(view, seen, last_shown))
            view.follow(step)
        return seen

    def _cleaned(self, view: "_View", seen: list[Expected], last_shown: str | None) -> Expected:
        user = view.intent, view.text, view.entities
        if seen and view.last != LISTEN:
            user = seen[-1].intent, seen[-1].text, seen[-1].entities
        slots = ((name, value) for name, value in view.features.items() if name not in self.rule_slots)
        loop = None if view.loop in self.rule_forms else view.loop
        return state(user, slots, last_shown or view.last, loop)


class _View:
    """How things stand while a past is told."""

    def __init__(self, domain: Domain, past: Past) -> None:
        self.domain = domain
        self.intent, self.entities, self.last, self.loop = past.intent, past.entities, past.last, past.loop
        self.text: str | None = None
        self.followup = past.last is None
        self.features: dict[str, Feature | str] = {}
        for name, slot in domain.slots.items():
            self.features[name] = feature(slot, past.slots.get(name, slot.initial))

    def follow(self, step: tuple[Any, ...]) -> None:
        """Let one step of the past happen."""
        kind = step[0]
        if kind == "user":
            self.intent, self.entities, self.text, self.followup = step[1], step[2], step[3], False
        elif kind == "slot":
            self.features[step[1]] = feature(self.domain.slots.get(step[1]), step[2])
        elif kind == "loop":
            self.loop = step[1]
        elif kind == "followup":
            self.followup = True
        else:
            self.last, self.followup = step[1], False


def learn_stories(
    ways: Sequence[Way], domain: Domain, policy: StoryPolicy, rule_names: tuple[frozenset[str], frozenset[str]]
) -> Stories:
    """Return what the stories say; a past after which they disagree says nothing. `rule_names`: slots and forms of rules."""
    known: dict[States, str] = {}
    ambiguous: set[States] = set()
    story_slots: set[str] = set()
    story_forms: set[str] = set()
    longest = 0
    for way in ways:
        tracker = _told(way, domain)
        longest = max(longest, len(tracker.trail))
        for states, action in _pairs(tracker, way):
            story_slots |= {name for one in states for name, _ in one.slots}
            story_forms |= {one.loop for one in states if one.loop}
            key = states[-policy.max_history :] if policy.max_history else states
            if known.setdefault(key, action) != action:
                ambiguous.add(key)
    return Stories(
        known={} if policy.is_off else {key: action for key, action in known.items() if key not in ambiguous},
        max_history=policy.max_history,
        forgives=policy.forgives,
        rule_slots=rule_names[0] - story_slots,
        rule_forms=rule_names[1] - story_forms,
        longest=LONGEST_TRAIL + 2 * longest if known else 0,
    )


def pairs_of(way: Way, domain: Domain) -> Iterator[tuple[States, str]]:
    """Yield, for each action of a rule or story that can be foreseen, the states up to it and the action.

    A rule names only the slots it sets; a story stands in a conversation where all slots have their first values.
    """
    return _pairs(_told(way, domain), way)


def _told(way: Way, domain: Domain) -> Tracker:
    tracker = Tracker(domain)
    for event in as_events(way.steps, domain):
        tracker.apply(event)
    return tracker


def _pairs(tracker: Tracker, way: Way) -> Iterator[tuple[States, str]]:
    past = tracker.past()
    view = _View(tracker.domain, past)
    done: set[str] = set()
    states: list[Expected] = []
    for step in past.steps:
        if step[0] == "slot":
            done.add(step[1])
        elif step[0] == "action":
            slots = ((name, value) for name, value in view.features.items() if not way.is_rule or name in done)
            states.append(state((view.intent, view.text, view.entities), slots, view.last, view.loop))
            is_unforeseen = len(states) == 1 and (way.begins_with_action or step[1] == SNIP)
            if not is_unforeseen:
                yield tuple(states), step[1]
        view.follow(step)
