"""How well the bot tells its intents apart: its own sentences, each heard by a model that had not learned from it, drawn."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.learning import intents_of, publish, workshop_of
from admin.pages import at, page
from admin.roles import may
from admin.speech import bound
from bot.brain import Brain, Trial
from bot.edits import MoveExample
from bot.workshop import Refused

MOST_PAIRS = 20
MOST_SENTENCES = 12
FEW = 5
"""Sentences under which an intent is hard to learn; said on the page."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many sentences of an intent, or of a language, were taken for what they are."""

    name: str
    right: int
    total: int

    @property
    def percent(self) -> int:
        """0 to 100, rounded down so that only all is 100."""
        return 100 * self.right // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Sentences of one intent that were taken for another."""

    meant: str
    taken: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the page draws."""

    whole: Score
    languages: tuple[Score, ...]
    intents: tuple[Score, ...]
    """The worst first."""
    pairs: tuple[Pair, ...]
    """The most frequent first."""


def measure(brain: Brain) -> Measured:
    """Return the accuracy of the bot that serves, cross-validated when it was trained."""
    trials = brain.trials
    pairs: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        if not trial.is_right:
            pairs.setdefault((trial.meant, trial.guess), []).append(trial)
    drawn = [Pair(*names, tuple(sorted(found, key=lambda one: -one.confidence))) for names, found in pairs.items()]
    return Measured(
        Score("", sum(trial.is_right for trial in trials), len(trials)),
        _scores((trial.example.language, trial.is_right) for trial in trials),
        tuple(
            sorted(_scores((trial.meant, trial.is_right) for trial in trials), key=lambda one: (one.percent, one.name))
        ),
        tuple(sorted(drawn, key=lambda pair: (-len(pair.trials), pair.meant))[:MOST_PAIRS]),
    )


@may("propose")
async def show(request: web.Request) -> web.Response:
    """Show the bars, the pairs that are confused, and the sentences at fault."""
    return await _page(request)


@may("teach")
async def move(request: web.Request) -> web.StreamResponse:
    """Put a sentence under the intent it was taken for."""
    fields = await form(request)
    edit = MoveExample(
        fields.get("text", ""), fields.get("language", ""), fields.get("source", ""), fields.get("target", "")
    )
    came = await publish(request, edit)
    if isinstance(came, Refused):
        return await _page(request, came)
    raise web.HTTPSeeOther(at("learning", "accuracy", done=str(came.version.number)))


async def _page(request: web.Request, refused: Refused | None = None) -> web.Response:
    desk, agent, workshop = request.config_dict[DESK], agent_of(request), workshop_of(request)
    speaks = bound(texts_of(request))
    return page(
        request, "learning_accuracy.html", measured=measure(workshop.brain), few=FEW, most=MOST_SENTENCES,
        intents=intents_of(workshop.brain), can_edit=workshop.can_edit, done=request.query.get("done", "")[:12],
        error=speaks.refusal(refused.reason) if refused else None, problems=refused.problems if refused else (),
        status=422 if refused else 200, **await frame(desk, agent),
    )  # fmt: skip


def _scores(rows: Iterable[tuple[str, bool]]) -> tuple[Score, ...]:
    right, total = Counter[str](), Counter[str]()
    for name, is_right in rows:
        total[name] += 1
        right[name] += is_right
    return tuple(Score(name, right[name], count) for name, count in sorted(total.items()))
