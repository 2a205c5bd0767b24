"""Why the bot answers a sentence as it does, in lines for a person: what it heard, understood, decided, and who decided.

Custom actions are not run: each counts as done, with nothing to say and nothing to remember.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.brain import ActionResult, Brain, Heard, Known, Turn
from bot.events import REQUESTED
from bot.ngrams import words_of
from bot.policies import Next
from bot.rulebook import Rule
from bot.scene import Script
from bot.terminal import spoken
from bot.turn import take_turn
from bot.understanding import Meaning
from profiles.written import Place, place_of

_TOP = 5
_WHO = {
    "asked": "an action before it asked for it",
    "default": "Rasa's own meaning of this command",
    "loop": "the form is running",
    "listen": "the form waits for an answer",
    "story": "a story goes exactly so",
    "fallback": "no rule and no story fits",
    "flow": "the running flow goes so",
    "": "the handover plan or the session says so",
}


def explain(
    brain: Brain, sentence: str, *, language: str | None = None, before: Sequence[str] = (), now: datetime
) -> Iterator[str]:
    """Yield what the bot makes of the sentence, after what the customer said before."""
    memory: Mapping[str, Any] = {}
    for number, earlier in enumerate(before):
        memory = _turn(brain, memory, Heard(f"before:{number}", earlier, "terminal", now), language, []).tracker
    decided: list[Next] = []
    heard = Heard("explained", sentence, "terminal", now)
    meaning, spoken_in = _meaning(brain, memory, heard, language)
    turn = _turn(brain, memory, heard, language, decided)
    yield from _heard(brain, sentence, spoken_in)
    yield from _understood(meaning, turn)
    for following in decided:
        yield f"does      {following.action}: {_reason(following, brain.script)}"
    yield from _remembered(memory, turn.tracker)
    yield from (f"says      {line.strip()}" for line in spoken(turn))


def _turn(brain: Brain, memory: Mapping[str, Any], heard: Heard, language: str | None, decided: list[Next]) -> Turn:
    known = Known("explained", language, {}, "explained")
    turn = take_turn(brain.script, brain.understanding, memory, heard, known, decided)
    try:
        next(turn)
        while True:
            turn.send(ActionResult("done"))
    except StopIteration as end:
        result: Turn = end.value
        return result


def _meaning(brain: Brain, memory: Mapping[str, Any], heard: Heard, language: str | None) -> tuple[Meaning, str]:
    here = brain.script.project.validation.here(heard.at)
    doubt = int(memory.get("doubt", 0))
    meaning, spoken_in, _ = brain.understanding.hear(heard.text, memory.get("language") or language, doubt, here)
    return meaning, spoken_in


def _heard(brain: Brain, sentence: str, language: str) -> Iterator[str]:
    others = [name for name in brain.languages if name != language]
    yield f"language  {language}" + (f" (not {', '.join(others)})" if others else "")
    model = brain.understanding.models.get(language)
    if model is None or sentence.startswith("/"):
        return
    words = words_of(sentence)
    repaired = model[0].repair(words)
    changed = [f"{one} -> {other}" for one, other in zip(words, repaired, strict=True) if one != other]
    if changed:
        yield f"spelling  {', '.join(changed)}"


def _understood(meaning: Meaning, turn: Turn) -> Iterator[str]:
    ranked = [f"{name} {share:.2f}" for name, share in meaning.ranking[:_TOP]]
    yield f"intents   {' | '.join(ranked) or 'none of the bot'}"
    if turn.intent and (not meaning.ranking or turn.intent != meaning.ranking[0][0]):
        yield f"taken as  {turn.intent}: the likeliest is not sure enough, too near the next, or none of the bot's business"
    if meaning.response:
        yield f"question  {meaning.response}"
    for entity in meaning.entities:
        marks = "".join(f" {part} {entity[part]}" for part in ("role", "group") if entity.get(part))
        yield f"entity    {entity['entity']} = {entity['value']}{marks} (found by: {entity.get('extractor', 'unknown')})"


def _reason(following: Next, script: Script) -> str:
    if following.rule is not None and following.because == "rule":
        return f"the rule {_named(following.rule, script)}"
    if following.because == "nearest":
        return f"the nearest story, sure to {following.sure:.2f}"
    return _WHO.get(following.because, following.because)


def _named(rule: Rule, script: Script) -> str:
    names: dict[Place, str] = {place_of(item, "rule"): str(item["rule"]) for item in script.project.rules}
    return f'"{names[rule.at]}" ({rule.at})' if rule.at in names else f"at {rule.at}"


def _remembered(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = (memory.get("tracker", {}).get("slots", {}) for memory in (before, after))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield (
                f"slot      {name} = {new.get(name)}"
                if name != REQUESTED
                else f"asks for  {new.get(name) or 'nothing more'}"
            )
    loop = after.get("tracker", {}).get("loop")
    if loop:
        yield f"form      {loop} goes on"
    for frame in reversed(after.get("tracker", {}).get("flows", ())):
        asks = f", asks for {frame['asks']}" if "asks" in frame else ""
        yield f"flow      {frame['flow']} is at {frame['step']}{asks}"
