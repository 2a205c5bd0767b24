"""The learning pages' inbox: what the bot did not understand, and one click to teach it; agents propose, others decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from admin import agents, proposals, questions
from admin.agents import Agent, audit_row
from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.pages import at, fragment, page
from admin.questions import Order
from admin.roles import may
from admin.speech import bound
from bot.brain import Brain
from bot.edits import AddExample, AddPassage, Edit, NewAnswer
from bot.events import FALLBACK_INTENT
from bot.understanding import OUT_OF_SCOPE
from bot.versions import Version
from bot.workshop import Published, Refused, Workshop


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing was taught, and what was written, so that nobody writes it twice."""

    error: str
    problems: tuple[str, ...] = ()
    draft: Mapping[str, str] | None = None


@may("propose")
async def show(request: web.Request) -> web.Response:
    """Show the questions that wait; a script asks for more of them."""
    return await _page(request)


@may("propose")
async def add_example(request: web.Request) -> web.StreamResponse:
    """Teach that people also say it so: `intent` is the button pressed, `other` the one searched for."""
    fields = await form(request)
    chosen = fields.get("intent", "")
    intent = _named(request, fields.get("other", "")) if chosen in ("", "other") else chosen
    edit = AddExample(intent, fields.get("text", ""), fields.get("language", ""))
    return await _teach(request, edit, fields)


@may("propose")
async def add_answer(request: web.Request) -> web.StreamResponse:
    """Teach a new answer: an intent with its response and rule, or a passage of the documents."""
    fields, brain = await form(request), workshop_of(request).brain
    text, language, title = fields.get("text", ""), fields.get("language", ""), fields.get("title", "")
    says = {one: fields.get(f"says_{one}", "").replace("\r\n", "\n") for one in brain.languages}
    if fields.get("as") == "passage":
        edit: Edit = AddPassage(title or text, says.get(language, ""), language, also=text if title else "")
    else:
        edit = NewAnswer(title or text, [(language, text)], says)
    return await _teach(request, edit, fields)


@may("propose")
async def refuse_reply(request: web.Request) -> web.StreamResponse:
    """Do not propose this agent's reply as an answer."""
    workshop_of(request)
    desk, fields, id = request.config_dict[DESK], await form(request), request.match_info["id"]
    await questions.refuse_reply(desk, id[:40], fields.get("message", "")[:400])
    row = audit_row("bot.reply_refused", by=agent_of(request).id, about=f"question:{id[:40]}", at=desk.clock())
    await desk.store.insert("audit", row)
    raise web.HTTPSeeOther(at("learning"))


@may("teach")
async def dismiss(request: web.Request) -> web.StreamResponse:
    """Take a question off the list for good."""
    workshop_of(request)
    desk, id, agent = request.config_dict[DESK], request.match_info["id"][:40], agent_of(request)
    await questions.settle(desk, id, how="dismissed", by=agent.id)
    row = audit_row("bot.question_dismissed", by=agent.id, about=f"question:{id}", at=desk.clock())
    await desk.store.insert("audit", row)
    raise web.HTTPSeeOther(at("learning", order=_order(request) if _order(request) != "latest" else None))


@may("teach")
async def accept(request: web.Request) -> web.StreamResponse:
    """Teach what an agent proposed."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    proposal = await proposals.by_id(desk, request.match_info["id"])
    if proposal is None:
        raise web.HTTPNotFound
    came = await publish(request, proposal.edit)
    if isinstance(came, Refused):
        return await _page(request, trouble=_trouble(request, came))
    await proposals.close(desk, proposal, "accepted", agent)
    if proposal.question:
        await questions.settle(desk, proposal.question, how="taught", by=agent.id)
    raise web.HTTPSeeOther(at("learning", done=str(came.version.number)))


@may("teach")
async def refuse(request: web.Request) -> web.StreamResponse:
    """Refuse what an agent proposed."""
    desk = request.config_dict[DESK]
    proposal = await proposals.by_id(desk, request.match_info["id"])
    if proposal is not None:  # else somebody was first
        await proposals.close(desk, proposal, "refused", agent_of(request))
    raise web.HTTPSeeOther(at("learning"))


def workshop_of(request: web.Request) -> Workshop:
    """Return where the bot is taught; 404 where its answers come from elsewhere."""
    workshop = request.config_dict[DESK].workshop
    if workshop is None:
        raise web.HTTPNotFound
    return workshop


async def publish(request: web.Request, edit: Edit) -> Published | Refused:
    """Make an edit live in the name of whoever asks, with its row of the audit."""
    agent = agent_of(request)
    return await workshop_of(request).publish(edit, by=agent.id, audit=lambda version: audit_of(version, agent))


def audit_of(version: Version, agent: Agent) -> dict[str, Any]:
    """Return the row that tells of a version."""
    return audit_row(f"bot.{version.act}", by=agent.id, about=f"bot:{version.number}", at=version.at, **version.details)


def intents_of(brain: Brain) -> list[str]:
    """Return the intents that may be taught, by name; those of questions and answers (`faq/hours`) in full."""
    known = {example.answer or example.intent for example in brain.script.project.training.examples}
    return sorted({*brain.script.domain.intents, *known} - {OUT_OF_SCOPE})


def _named(request: web.Request, typed: str) -> str:
    """Return the intent that somebody typed: by its name in the files, or by what they read for it."""
    desk, says, typed = request.config_dict[DESK], bound(texts_of(request)), typed.strip()
    known = intents_of(workshop_of(request).brain)
    read = {says.intent(name, desk.titles).casefold(): name for name in (*known, OUT_OF_SCOPE)}
    return typed if typed in known else read.get(typed.casefold(), typed)


async def _teach(request: web.Request, edit: Edit, fields: Mapping[str, str]) -> web.StreamResponse:
    desk, agent = request.config_dict[DESK], agent_of(request)
    question, back = fields.get("question", "")[:40] or None, "try" if fields.get("back") == "try" else None
    workshop_of(request)
    if not agent.may("teach"):
        await proposals.propose(desk, edit, agent, question=question)
        raise web.HTTPSeeOther(at("learning", done="proposed"))
    came = await publish(request, edit)
    if isinstance(came, Refused):
        return await _page(request, trouble=_trouble(request, came, fields))
    if question:
        await questions.settle(desk, question, how="taught", by=agent.id)
    asked = fields.get("text", "")[:300] if back else None
    unsure = None if is_understood(workshop_of(request).brain, edit, desk.clock()) else "yes"
    done = str(came.version.number)
    raise web.HTTPSeeOther(at("learning", *([back] if back else []), q=asked, done=done, unsure=unsure))


def is_understood(brain: Brain, edit: Edit, now: datetime) -> bool:
    """Whether the bot now takes the sentence that was taught for what it means: one example may be too few."""
    match edit:
        case AddExample():
            heard = questions.meaning_of(brain, edit.text, edit.language, now).intent
            wanted = edit.intent.split("/")[0]
            return heard == wanted or (wanted == OUT_OF_SCOPE and heard == FALLBACK_INTENT)
        case NewAnswer():
            language, text = edit.examples[0]
            return questions.meaning_of(brain, text, language, now).intent not in (FALLBACK_INTENT, OUT_OF_SCOPE)
    return True


def _trouble(request: web.Request, refused: Refused, draft: Mapping[str, str] | None = None) -> Trouble:
    return Trouble(bound(texts_of(request)).refusal(refused.reason), refused.problems, draft)


async def _page(request: web.Request, *, trouble: Trouble | None = None) -> web.Response:
    desk, agent, workshop = request.config_dict[DESK], agent_of(request), workshop_of(request)
    order = _order(request)
    found = await questions.asked(desk, workshop.brain, order=order, after=request.query.get("after"))
    known: dict[str, Any] = {
        "waiting": found,
        "order": order,
        "languages": workshop.brain.languages,
        "agents": await agents.everyone(desk.store),
        "trouble": trouble,
        "draft": (trouble.draft if trouble else None) or {},
    }
    if request.headers.get("X-Fragment"):
        return fragment(request, "_questions.html", **known)
    return page(
        request, "learning.html", proposals=await proposals.open_ones(desk), intents=intents_of(workshop.brain),
        can_edit=workshop.can_edit, done=request.query.get("done", "")[:12], is_unsure="unsure" in request.query,
        status=422 if trouble else 200,
        **known, **await frame(desk, agent),
    )  # fmt: skip


def _order(request: web.Request) -> Order:
    return "often" if request.query.get("order") == "often" else "latest"
