"""The book's files in an editor: checked while somebody writes, saved only when they are right, and never over another's change."""

import asyncio
import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml.error import YAMLError

from admin.agents import audit_row
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import body, form
from admin.mail_body import framing
from admin.pages import at, page
from admin.roles import may
from admin.rule_book import running
from admin.rule_mistakes import complaint
from admin.texts import Texts, typeset
from bot.roundtrip import rewritten
from channels.sms_text import bodies
from profiles.findings import ContentError, Findings
from rules.book import Book, bare, is_rule, is_template
from rules.bookcase import digest
from rules.counsel import Advice, counsel
from rules.options import RulesOptions, folder_of
from rules.proofreading import Unwritten
from rules.rule import Rule
from rules.rule_file import read_rule
from rules.running import Running
from rules.sentences import sentences
from rules.thrift import SMS, Costly

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
LARGEST = 64_000
BLANK = """rule: {id}
about: {about}
owner: {owner}
state: draft
class: marketing
topic: offers
when: {{event: cart.updated}}
for: contact.country == "FR"
steps:
  - send: {{channel: preferred, template: {template}}}
"""


@may("rules")
async def show_new(request: web.Request) -> web.Response:
    """Show what a new rule may begin as: a copy of one that is shipped, or of one of the book; and the book's other files."""
    return await _new(request)


@may("publish")
async def make(request: web.Request) -> web.StreamResponse:
    """Make a new rule's file, a draft, and open it."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    rules = running(desk)
    id, source = fields.get("name", "").casefold().strip(), fields.get("from", "")
    if not NAME.fullmatch(id):
        return await _new(request, error="rule_name")
    if id in rules.bookcase.book.rules or rules.bookcase.text_of(f"{id}.yml") is not None:
        return await _new(request, error="rule_there")
    text = _copied(_sources(rules).get(source), id) or _blank(
        rules, id, agent.email, about=texts_of(request)("What it is for, in one sentence")
    )
    found = await _saved(desk, f"{id}.yml", text, by=agent.id, instead_of=(None,))
    if found is None:
        return await _new(request, error="rule_there")
    if found:
        return await _new(request, error=found if isinstance(found, str) else "", mistakes=found)
    row = audit_row("rule.made", by=agent.id, about=f"rule:{id}", at=desk.clock(), origin=source)
    await desk.store.insert("audit", row)
    raise web.HTTPSeeOther(at("rule-files", f"{id}.yml"))


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show one file in the editor; who may not change it reads it there."""
    desk, agent, file = request.config_dict[DESK], agent_of(request), file_of(request)
    case = running(desk).bookcase
    text = case.text_of(file)
    if text is None:
        raise web.HTTPNotFound
    id = next((id for id, name in case.book.files.items() if name == file), None)
    line = request.query.get("line", "")
    return framing(page(
        request, "rule_edit.html", file=file, text=text, seen=digest(text), rule=id, is_rule=is_rule(file),
        is_template=is_template(file), line=line if line.isascii() and line.isdigit() and len(line) < 6 else "",
        **await frame(desk, agent),
    ))  # fmt: skip


@may("rules")
async def check(request: web.Request) -> web.Response:
    """Answer what is wrong with a text; when nothing is, what it says in words and what is worth knowing before launch."""
    desk, file = request.config_dict[DESK], file_of(request)
    text = text_of(await body(request, text=str))
    book = await running(desk).bookcase.tried(file, text)
    found = book.mistakes_in(file)
    rule = None if found else rule_from(running(desk), file, text)
    words = running(desk).bookcase.book.names.vocabulary.words
    speaks = texts_of(request)
    said = [typeset(line, speaks.language) for line in sentences(rule, speaks.language, words)] if rule else []
    warned = [] if found else [_warned(one, speaks) for one in await _advice(running(desk), book, file, desk.clock())]
    told = {"mistakes": [_told(one, speaks.language) for one in found], "warnings": warned, "sentences": list(said)}
    return web.json_response({"ok": True, **told})


async def _advice(rules: Running, book: Book, file: str, now: datetime) -> tuple[Advice, ...]:
    sms = {word for reach in rules.gatekeeper.reaches if reach.space == SMS for word in (SMS, reach.channel)}
    return await asyncio.to_thread(counsel, book, now, rules.options, bodies=bodies, words=sms, file=file)


def _warned(advice: Advice, speaks: Texts) -> str:
    match advice:
        case Unwritten(template=template, rule=rule):
            problem = typeset(advice.problem_in(speaks.language), speaks.language)
            return speaks(
                "{template} can not be written for {rule}: {problem}", template=template, rule=rule, problem=problem
            )
        case Costly(template=template):
            return f"{template}: {advice.told(speaks.language)}"
        case _:
            return typeset(advice.told(speaks.language), speaks.language)


@may("publish")
async def save(request: web.Request) -> web.Response:
    """Write a text into its file: 422 with its mistakes, 409 when it says another than was `seen`, also to who writes `over` it.

    `over` is for who saw that text: bytes that nobody can read are written over, too.
    """
    desk, agent, file = request.config_dict[DESK], agent_of(request), file_of(request)
    fields = await body(request, text=str, seen=str, over=bool)
    case, text = running(desk).bookcase, text_of(fields)
    await case.look(at_once=True)
    before = case.text_of(file)
    if before is None:
        raise web.HTTPNotFound
    if digest(before) not in (fields.get("seen"), digest(text)):
        return _changed(request, before)
    over = None if fields.get("over") else (before, text)
    found = await _saved(desk, file, text, by=agent.id, instead_of=over)
    if found is None:  # since we looked
        await case.look(at_once=True)
        return _changed(request, case.text_of(file) or "")
    if isinstance(found, str):
        return web.json_response({"ok": False, "reason": found, "error": _sentence(request, found)}, status=409)
    if found:
        told = [_told(one, texts_of(request).language) for one in found]
        sentence = texts_of(request)("Nothing was written: the file has mistakes.")
        return web.json_response({"ok": False, "reason": "mistakes", "error": sentence, "mistakes": told}, status=422)
    row = audit_row("rule.saved", by=agent.id, about=f"file:{file}", at=desk.clock(), version=digest(text))
    await desk.store.insert("audit", row)
    return web.json_response({"ok": True, "seen": digest(text)})


def rule_from(rules: Running, file: str, text: str) -> Rule | None:
    """Return the rule of a text that is not saved; None when it is no rule file, or has mistakes."""
    return read_rule(text, file, rules.bookcase.book.names, Findings()) if is_rule(file) else None


def _changed(request: web.Request, theirs: str) -> web.Response:
    sentence = texts_of(request)("Somebody changed this file since you opened it. Nothing was written.")
    told = {"reason": "changed", "error": sentence, "theirs": theirs, "seen": digest(theirs)}
    return web.json_response({"ok": False, **told}, status=409)


async def _saved(
    desk: Desk, file: str, text: str, *, by: str, instead_of: Collection[str | None] | None
) -> tuple[ContentError, ...] | str | None:
    """Save, and return the mistakes that forbid it, the reason when the folder can not be written, None as the bookcase does."""
    try:
        return await running(desk).bookcase.save(file, text, by=by, instead_of=instead_of)
    except OSError:
        return "book_read_only"


async def _new(request: web.Request, *, error: str = "", mistakes: tuple[ContentError, ...] | str = ()) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    rules = running(desk)
    known: dict[str, Any] = {
        "sources": await asyncio.to_thread(_copied_from, rules),  # a tenth of a second, and everybody would wait
        "files": [file for file in rules.bookcase.files if not is_rule(file)],
        "error": _sentence(request, error) if error else "",
        "mistakes": mistakes if isinstance(mistakes, tuple) else (),
        "chosen": request.query.get("from", ""),
    }
    return page(request, "rule_new.html", status=422 if error or mistakes else 200, **known, **await frame(desk, agent))


def _copied_from(rules: Running) -> dict[str, Rule]:
    """Return the rules that a new one may be a copy of, by their files."""
    return {file: rule for file, text in _sources(rules).items() if (rule := _read(rules, file, text))}


def _sources(rules: Running) -> dict[str, str]:
    """Return the texts that a new rule may be a copy of: those that are shipped, then those of the book."""
    shipped = folder_of(RulesOptions())
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(shipped).glob("*.yml"))}
    book = rules.bookcase.book
    return {file: text for file, text in {**texts, **book.texts}.items() if is_rule(file)}


def _read(rules: Running, file: str, text: str) -> Rule | None:
    """Return a rule that can be copied here; None for one that names what this book lacks."""
    known = next(
        (rule for id, rule in rules.bookcase.book.rules.items() if rules.bookcase.book.files[id] == file), None
    )
    return known or read_rule(text, file, rules.bookcase.book.names, Findings())


def _copied(text: str | None, id: str) -> str | None:
    if text is None:
        return None

    def change(table: Any) -> None:
        table["rule"], table["state"] = id, "draft"
        table.pop("title", None)  # two rules of one name would be told apart by nobody

    try:
        return rewritten(text, change)
    except (YAMLError, ValueError):
        return None


def _blank(rules: Running, id: str, owner: str, *, about: str) -> str:
    template = next(iter(rules.bookcase.book.templates), "")
    text = BLANK.format(id=id, owner=owner, about=about, template=template or "welcome")
    topics = rules.bookcase.book.policy.topics
    return text if "offers" in topics else text.replace("topic: offers\n", f"topic: {next(iter(topics), '')}\n")


def file_of(request: web.Request) -> str:
    """Return the book's file that the address names, or answer 404 for what can be none."""
    file = request.match_info["file"]
    name = bare(file)
    if not name.endswith((".yml", ".yaml")) or "/" in name or name.startswith("."):
        raise web.HTTPNotFound
    return file


def text_of(fields: dict[str, Any]) -> str:
    """Return the text that a script sent; one that is too long stays too long by a byte."""
    return str(fields.get("text", ""))[: LARGEST + 1].replace("\r\n", "\n")


def _told(error: ContentError, language: str) -> dict[str, Any]:
    text, hint = complaint(error, language)
    return {"line": error.at.line, "column": error.at.column, "text": text, "hint": hint}


def _sentence(request: web.Request, reason: str) -> str:
    speaks = texts_of(request)
    return {
        "rule_name": speaks("A rule's name is made of small letters, digits, - and _."),
        "rule_there": speaks("There is a rule of this name already."),
        "book_read_only": speaks("The rule book's folder can not be written here."),
    }[reason]
