"""Which rules stories tell too, and where the two contradict each other: every rule and story is played against the rules.

Source: `_analyze_rules` of Rasa 3.6 (rasa/core/policies/rule_policy.py). What only rules do stays invisible to stories.
"""

from collections.abc import Iterator, Sequence

from bot.domain import Domain
from bot.events import DEFAULT_INTENTS, LISTEN, Event
from bot.policies import Found, by_rules
from bot.rulebook import Rulebook, Source
from bot.steps import SNIP, Way, as_events
from bot.tracker import Tracker
from profiles.findings import Findings


def overlap(rules: Sequence[Way], stories: Sequence[Way], book: Rulebook, domain: Domain, findings: Findings) -> None:
    """Set what stories do not see, take out what Rasa takes out, and note contradictions as errors."""
    sources: dict[Source, set[str]] = {}
    for way in rules:
        for found, gold in _played(way, book, domain):
            if found.source:
                is_own = found.source[0] in ("default", "loop", "listen")
                sources.setdefault(found.source, set()).add((found.action or gold) if is_own else gold)
    told: set[Source] = set()
    for way in (*rules, *stories):
        for found, gold in _played(way, book, domain):
            if found.source and found.action == gold and not way.is_rule:
                told.add(found.source)
            elif found.source and found.action and found.action != gold:
                _contradiction(way, found, gold, sources, book, findings)
    forms = {(kind, form) for kind in ("loop", "listen") for form in domain.forms}
    always: set[Source] = {("default", intent) for intent in DEFAULT_INTENTS} | forms  # type: ignore[operator]
    book.hidden = frozenset((set(sources) | always) - told)


def _played(way: Way, book: Rulebook, domain: Domain) -> Iterator[tuple[Found, str]]:
    """Yield what rules foresee for each action, and the action that is written."""
    running = Tracker(domain)
    is_unforeseen = True
    for event in _surviving(as_events(way.steps, domain), domain):
        if event["event"] == "action":
            if event["name"] == SNIP:
                is_unforeseen = True
            elif is_unforeseen:
                is_unforeseen = False
            else:
                yield _found(running, book, domain, event["name"]), event["name"]
        running.apply(event)


def _found(running: Tracker, book: Rulebook, domain: Domain, gold: str) -> Found:
    found = by_rules(book, domain, running)
    if running.loop and found.action != gold and found.action == running.loop:
        running.apply({"event": "action_execution_rejected", "name": running.loop})
        found = by_rules(book, domain, running)
    return found


def _surviving(events: list[Event], domain: Domain) -> list[Event]:
    """Return the events without the happy path inside forms."""
    tracker = Tracker(domain)
    made: dict[int, tuple[int, object]] = {}  # the entries are held too, so that no number names another one later
    for index, event in enumerate(events):
        tracker.apply(event)
        if tracker.trail:
            made.setdefault(id(tracker.trail[-1]), (index, tracker.trail[-1]))
    kept = {made[id(entry)][0] for entry in tracker.trail if id(entry) in made}
    return [event for index, event in enumerate(events) if index in kept]


def _contradiction(
    way: Way, found: Found, gold: str, sources: dict[Source, set[str]], book: Rulebook, findings: Findings
) -> None:
    if _gives_way(way, found, book):
        return
    if not sources.get(found.source or (), set()) - {gold}:
        return
    rule = found.rule
    kind = "rules" if way.is_rule else "stories"
    where = f"the rule at {rule.at}" if rule else f"the form {(found.source or ('', ''))[1]}"
    findings.error(
        way.at,
        f'{kind}: "{way.name}" contradicts {where}: here "{gold}" follows, there "{found.action}".',
        "give the rule a condition, or let both say the same",
    )


def _gives_way(way: Way, found: Found, book: Rulebook) -> bool:
    """Rasa drops a rule that only ends an answer by listening, where the same rule is told elsewhere with more after it."""
    rule = found.rule
    if (
        way.is_rule
        or rule is None
        or found.action != LISTEN
        or sum(state.last is not None for state in rule.states) > 1
    ):
        return False
    if any(other is not rule and other.states[: len(rule.states)] == rule.states for other in book.all):
        book.remove(rule)
        return True
    return False
