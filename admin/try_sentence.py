"""Test a sentence: what the bot hears in it, what it would answer at the beginning of a conversation, and by which rule."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of
from admin.learning import intents_of, workshop_of
from admin.pages import page
from admin.questions import as_example
from admin.roles import may
from bot.brain import Brain, Heard, Known
from bot.cleaning import clean_text
from bot.contract import Turn
from bot.ngrams import words_of
from bot.understanding import Meaning
from profiles.timeline import Content
from profiles.written import place_of, rows

LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Because:
    """A rule that speaks of the intent and of what the bot did: its name, and file:line:column."""

    rule: str
    at: str


@dataclass(frozen=True, slots=True)
class Heeded:
    """What became of a sentence."""

    text: str
    language: str
    read_as: str | None
    """The words after spelling repair, where that changed them."""
    meaning: Meaning
    actions: tuple[str, ...]
    says: tuple[Content, ...]
    because: tuple[Because, ...]
    action: str | None
    """A custom action that the answer would come from; it is not run here."""
    is_missed: bool
    handed_over: bool


@may("propose")
async def show(request: web.Request) -> web.Response:
    """Show what the bot makes of a sentence."""
    desk, agent, workshop = request.config_dict[DESK], agent_of(request), workshop_of(request)
    brain, text = workshop.brain, clean_text(request.query.get("q", ""), LONGEST).strip()
    chosen = request.query.get("language", "")
    language = chosen if chosen in brain.languages else None
    return page(
        request, "learning_try.html", heeded=heed(brain, text, language, desk.clock()) if text else None, text=text,
        example=as_example(text), languages=brain.languages, language_asked=language or "", intents=intents_of(brain),
        can_edit=workshop.can_edit, done=request.query.get("done", "")[:12], **await frame(desk, agent),
    )  # fmt: skip


def heed(brain: Brain, text: str, language: str | None, now: datetime) -> Heeded:
    """Return what the bot would make of this as the first message of a conversation."""
    here = brain.script.project.validation.here(now)
    meaning, spoken, _ = brain.understanding.hear(text, language, 0, here)
    turn, action = _turn(brain, text, language, now)
    actions = turn.actions if turn else (action,) if action else ()
    return Heeded(
        text=text,
        language=spoken,
        read_as=_repaired(brain, text, spoken),
        meaning=meaning,
        actions=tuple(actions),
        says=turn.says if turn else (),
        because=_because(brain, turn.intent if turn else meaning.intent, actions),
        action=action,
        is_missed=bool(turn and turn.missed),
        handed_over=bool(turn and turn.handover),
    )


def _turn(brain: Brain, text: str, language: str | None, now: datetime) -> tuple[Turn | None, str | None]:
    """Return the finished turn, or the custom action that it stops at."""
    playing = brain.turn(None, Heard("try", text, "webchat", now), Known("try", language, {}, "try"))
    try:
        call = next(playing)
    except StopIteration as end:
        turn: Turn = end.value
        return turn, None
    playing.close()
    return None, call.name


def _repaired(brain: Brain, text: str, language: str) -> str | None:
    model = brain.understanding.models.get(language)
    words = words_of(text)
    repaired = model[0].repair(words) if model and words else words
    return " ".join(repaired) if list(repaired) != list(words) else None


def _because(brain: Brain, intent: str | None, actions: tuple[str, ...]) -> tuple[Because, ...]:
    """Return the rules that name both the intent and something that was done."""
    found = []
    for rule in brain.script.project.rules:
        steps = [step for step in rows(rule.get("steps")) if isinstance(step, dict)]
        named = {str(step.get(key)) for step in steps for key in ("intent", "action") if step.get(key)}
        if intent in named and named & set(actions):
            found.append(Because(str(rule["rule"]), str(place_of(rule, "rule"))))
    return tuple(found)
