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
from bot.events import LISTEN
from bot.ngrams import words_of
from bot.policies import Next
from bot.turn import take_turn
from bot.understanding import Meaning
from profiles.timeline import Content
from profiles.written import place_of

LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Because:
    """One thing the bot did, and who decided it: rule, story, nearest, loop, listen, default, asked, flow, fallback or nobody.

    Of a rule also its name and file:line:column.
    """

    action: str
    by: str
    rule: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Heeded:
    """What became of a sentence."""

    text: str
    language: str
    read_as: str | None
    """The words after spelling repair, where that changed them."""
    meaning: Meaning
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
        can_edit=workshop.can_edit, done=request.query.get("done", "")[:12], is_unsure="unsure" in request.query,
        **await frame(desk, agent),
    )  # fmt: skip


def heed(brain: Brain, text: str, language: str | None, now: datetime) -> Heeded:
    """Return what the bot would make of this as the first message of a conversation."""
    here = brain.script.project.validation.here(now)
    meaning, spoken, _ = brain.understanding.hear(text, language, 0, here)
    decided: list[Next] = []
    turn, action = _turn(brain, Heard("try", text, "webchat", now), Known("try", language, {}, "try"), decided)
    return Heeded(
        text=text,
        language=spoken,
        read_as=_repaired(brain, text, spoken),
        meaning=meaning,
        says=turn.says if turn else (),
        because=tuple(_because(following, brain) for following in decided if following.action != LISTEN),
        action=action,
        is_missed=bool(turn and turn.missed),
        handed_over=bool(turn and turn.handover),
    )


def _turn(brain: Brain, heard: Heard, known: Known, decided: list[Next]) -> tuple[Turn | None, str | None]:
    """Return the finished turn, or the custom action that it stops at."""
    playing = take_turn(brain.script, brain.understanding, {}, heard, known, decided)
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


def _because(following: Next, brain: Brain) -> Because:
    if following.rule is None:
        return Because(following.action, following.because)
    names = {place_of(item, "rule"): str(item["rule"]) for item in brain.script.project.rules}
    return Because(following.action, following.because, names.get(following.rule.at, ""), str(following.rule.at))
