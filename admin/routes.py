"""Every page of the console in one table; the server mounts it at /console. Each handler names the permission it asks for."""

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from admin import (
    accuracy,
    attachments,
    audit,
    bot_versions,
    canned,
    consent_pages,
    conversation_acts,
    conversations,
    delivery,
    drafts,
    erasure_pages,
    keys_page,
    learning,
    mail_body,
    people_pages,
    rule_book,
    rule_calendar,
    rule_decisions,
    rule_files,
    rule_page,
    rule_pressure,
    rule_preview,
    search_page,
    settings,
    sign_in,
    team,
    try_sentence,
    webhooks_page,
)
from admin.alarm import Alarm
from admin.desk import DESK, Desk
from admin.guard import dress, guard
from admin.live import LIVE, Live, socket
from admin.queue import Drain
from admin.roles import may

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes(desk: Desk) -> web.Application:
    """Return the console as an application to mount; it starts and stops its own tasks (live pages, queue, snoozes)."""
    console = web.Application(middlewares=[guard])
    console[DESK] = desk
    console[LIVE] = Live(desk)
    console.cleanup_ctx.append(_tasks)
    console.on_shutdown.append(_let_pages_go)
    console.on_response_prepare.append(dress)
    console.add_routes(table())
    return console


def table() -> list[web.RouteDef]:
    """Return all routes, paths relative to /console."""
    get, post = web.get, web.post
    return [
        get("", conversations.home, allow_head=False),
        get("/", conversations.home, allow_head=False),
        get("/static/{version}/{name}", static),
        get("/live", socket),
        # the way in
        get("/sign-in", sign_in.show),
        post("/sign-in", sign_in.check),
        post("/sign-in/code", sign_in.check_code),
        post("/sign-out", sign_in.sign_out),
        get("/welcome/{token}", sign_in.welcome),
        post("/welcome/{token}", sign_in.join),
        # conversations
        get("/inbox/{view}", conversations.show_inbox),
        get("/inbox/{view}/{id}", conversations.show_inbox),
        get("/rows/{view}", conversations.show_rows),
        get("/conversations/{id}", conversations.show_conversation),
        get("/conversations/{id}/head", conversations.show_head),
        get("/conversations/{id}/panel", conversations.show_panel),
        post("/conversations/{id}/reply", conversation_acts.reply),
        post("/conversations/{id}/note", conversation_acts.note),
        post("/conversations/{id}/take", conversation_acts.take),
        post("/conversations/{id}/give-back", conversation_acts.give_back),
        post("/conversations/{id}/assign", conversation_acts.assign),
        post("/conversations/{id}/snooze", conversation_acts.snooze),
        post("/conversations/{id}/resolve", conversation_acts.resolve),
        post("/conversations/{id}/reopen", conversation_acts.reopen),
        post("/conversations/{id}/read", conversation_acts.read),
        post("/conversations/{id}/draft", drafts.suggest),
        post("/conversations/{id}/files", attachments.upload),
        get(r"/messages/{message}/files/{number:\d{1,3}}", attachments.download),
        # people
        get("/people", people_pages.show_people),
        get("/people/{id}", people_pages.show_person),
        get("/people/{id}/timeline", conversations.show_timeline),
        post("/people/{id}/attributes", people_pages.edit),
        post("/people/{id}/consents", consent_pages.record),
        post("/requests/{id}/settle", consent_pages.settle),
        get("/people/{id}/export", erasure_pages.export),
        post("/people/{id}/erase", erasure_pages.erase),
        get("/people/{id}/merge", people_pages.preview_merge),
        post("/people/{id}/merge", people_pages.merge),
        post("/merges/{id}/undo", people_pages.undo),
        post("/conflicts/{id}/settle", people_pages.settle),
        get("/search", search_page.show),
        # teaching the bot
        get("/learning", learning.show),
        post("/learning/examples", learning.add_example),
        post("/learning/answers", learning.add_answer),
        post("/learning/questions/{id}/dismiss", learning.dismiss),
        post("/learning/questions/{id}/refuse", learning.refuse_reply),
        post("/learning/proposals/{id}/accept", learning.accept),
        post("/learning/proposals/{id}/refuse", learning.refuse),
        get("/learning/try", try_sentence.show),
        get("/learning/accuracy", accuracy.show),
        post("/learning/accuracy", accuracy.move),
        get("/learning/versions", bot_versions.show),
        get("/learning/versions/{id}", bot_versions.show_one),
        post("/learning/versions/{id}", bot_versions.restore),
        # rules
        get("/rules", rule_book.show),
        get("/rules/{id}", rule_page.show),
        post("/rules/{id}/state", rule_book.set_state),
        get("/rules/{id}/decisions", rule_decisions.show),
        get("/rules/{id}/versions", rule_page.show_versions),
        get("/rule-files", rule_files.show_new),
        post("/rule-files", rule_files.make),
        get("/rule-files/{file}", rule_files.show),
        post("/rule-files/{file}", rule_files.save),
        post("/rule-files/{file}/check", rule_files.check),
        post("/rule-files/{file}/preview", rule_preview.preview),
        post("/rule-files/{file}/trial", rule_preview.trial),
        post("/mail-body", mail_body.show),
        get("/webhooks", webhooks_page.show),
        post("/webhooks/{id}/retry", webhooks_page.retry),
        get("/calendar", rule_calendar.show),
        get("/calendar/size", rule_calendar.size),
        get("/pressure", rule_pressure.show),
        get("/deliveries/{id}", delivery.show),
        get("/deliveries/{id}/body", delivery.show_body),
        # the team's own
        get("/canned", canned.show),
        post("/canned", canned.save),
        post("/canned/{id}/remove", canned.remove),
        get("/team", team.show),
        post("/team/invitations", team.invite),
        post("/team/invitations/{id}/withdraw", team.withdraw),
        post("/team/{id}", team.change),
        get("/keys", keys_page.show),
        post("/keys", keys_page.make),
        get("/keys/{id}", keys_page.show_one),
        post("/keys/{id}/revoke", keys_page.revoke),
        get("/audit", audit.show),
        get("/settings", settings.show),
        post("/settings", settings.save),
        post("/settings/away", settings.away),
        post("/settings/password", settings.change_password),
        get("/settings/second-factor", settings.show_second_factor),
        post("/settings/second-factor", settings.set_second_factor),
        post("/settings/second-factor/remove", settings.remove_second_factor),
        post("/settings/sessions", settings.end_session),
    ]


@may("public")
async def static(request: web.Request) -> web.Response:
    """Give a style sheet, script or picture; its address changes with its content, so browsers keep it."""
    file = STATIC / request.match_info["name"]
    kind = TYPES.get(file.suffix)
    if kind is None or file.parent != STATIC or not file.is_file():
        raise web.HTTPNotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=file.read_bytes(), content_type=kind, charset="utf-8", headers=headers)


async def _let_pages_go(console: web.Application) -> None:
    """Before open requests are waited for: a page is one that never ends."""
    console[LIVE].restart()


async def _tasks(console: web.Application) -> AsyncIterator[None]:
    desk = console[DESK]
    tasks = (console[LIVE], Drain(desk), Alarm(desk))
    for task in tasks:
        await task.start()
    yield
    for task in reversed(tasks):
        await task.stop()
