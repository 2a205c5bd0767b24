"""What the most similar story would do: in place of the learned policies of Rasa (TED), which need minutes of training.

A conversation and a story are compared as what was wanted and done, from the end backwards; the longer they agree, and
the larger the part of the story that is, the surer. Unlike TED it looks at nothing else and never invents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.events import LISTEN
from bot.moments import Past
from bot.states import Expected

Token = tuple[str, str]
LONGEST = 12
"""Steps that are compared: more never changed an answer, and the cost of a turn stays the same."""


@dataclass(frozen=True, slots=True)
class NearestStory:
    """Every point of every story, by the last step before it."""

    points: Mapping[Token, tuple[tuple[tuple[Token, ...], str], ...]]

    def guess(self, past: Past) -> tuple[str | None, float]:
        """Return the action of the most similar story points, and how sure that is, from 0 to 1.

        What only rules do is no part of stories; but a story may begin with it ("after the balance was shown, ..."), so
        the conversation is compared with it and without it, and the surer guess counts.
        """
        told, all_of_it = tokens_of_past(past)[-LONGEST:], tokens_of_past(past, with_hidden=True)[-LONGEST:]
        guesses = [self._nearest(told), *([self._nearest(all_of_it)] if all_of_it != told else [])]
        return max(guesses, key=lambda guess: guess[1])

    def _nearest(self, told: tuple[Token, ...]) -> tuple[str | None, float]:
        best: dict[str, float] = {}
        reach = 0
        for story, action in self.points.get(told[-1], ()) if told else ():
            common = _common_end(told, story)
            if common < reach:
                continue
            if common > reach:
                reach, best = common, {}
            best[action] = max(best.get(action, 0.0), common / len(story))
        if not best:
            return None, 0.0
        action = max(best, key=lambda name: best[name])
        return action, best[action] * best[action] / sum(best.values())


def learn_points(pairs: Iterable[tuple[tuple[Expected, ...], str]]) -> NearestStory:
    """Return the story points of all (states, action)."""
    points: dict[Token, dict[tuple[tuple[Token, ...], str], None]] = {}
    for states, action in pairs:
        story = tokens_of_states(states)[-LONGEST:]
        if story:
            points.setdefault(story[-1], {})[(story, action)] = None
    return NearestStory({token: tuple(found) for token, found in points.items()})


def tokens_of_past(past: Past, with_hidden: bool = False) -> tuple[Token, ...]:
    """Return what was wanted and done; listening is left out, and so is what only rules did unless it is asked for."""
    tokens: list[Token] = []
    is_unanswered = False
    for step in past.steps:
        if step[0] == "user" and step[1]:
            tokens.append(("wants", step[1]))
            is_unanswered = True
        elif step[0] == "action":
            is_hidden = step[2] and not with_hidden
            if is_hidden and is_unanswered:
                tokens.pop()  # a rule answers it; stories do not know the question either
            elif not is_hidden and step[1] != LISTEN:
                tokens.append(("does", step[1]))
            is_unanswered = False
    return tuple(tokens)


def tokens_of_states(states: tuple[Expected, ...]) -> tuple[Token, ...]:
    """Return the same of a story's states."""
    tokens: list[Token] = []
    for state in states:
        if state.last == LISTEN and state.intent:
            tokens.append(("wants", state.intent))
        elif state.last not in (None, LISTEN):
            tokens.append(("does", str(state.last)))
    return tuple(tokens)


def _common_end(one: tuple[Token, ...], other: tuple[Token, ...]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
