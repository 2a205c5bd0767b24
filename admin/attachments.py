"""Files in conversations: what an agent sends, and every file shown, behind the session and under headers that run nothing."""

from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from admin.answers import refuse
from admin.desk import DESK, Desk
from admin.guard import agent_of
from admin.roles import may
from channels.bodies import body_of
from channels.kept_files import file_of
from channels.webchat_kinds import PICTURES, kind_of, safe_name
from profiles.ids import new_id
from profiles.record import from_document
from profiles.timeline import Attachment, Message


@may("converse")
async def upload(request: web.Request) -> web.Response:
    """Keep a file that the agent is about to send; what it is, its first bytes say."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    id = request.match_info["id"]
    if await desk.store.get("conversations", id) is None:
        return refuse(request, "unknown_conversation", 404)
    content = await body_of(request, desk.options.attachment_megabytes * 1_000_000)
    if content is None:
        return refuse(request, "too_large", 413)
    kind = kind_of(content)
    if kind is None:
        return refuse(request, "file_kind", 415)
    now = desk.clock()
    name = safe_name(unquote(request.headers.get("X-File-Name", "")[:1000]), kind)
    document = file_of(new_id(now), name, kind, content, conversation=id, now=now)
    await desk.store.insert("files", {**document, "by": agent.id})
    answer = {"ok": True, "file": document["_id"], "name": document["name"], "size": document["size"]}
    return web.json_response(answer, status=201)


@may("people")
async def download(request: web.Request) -> web.Response:
    """Give one attachment of a message: from our own files, or from the provider by its channel."""
    desk = request.config_dict[DESK]
    document = await desk.store.get("messages", request.match_info["message"])
    message = from_document(Message, document) if document else None
    number = int(request.match_info["number"])
    if message is None or number >= len(message.content.attachments):
        raise web.HTTPNotFound
    attachment = message.content.attachments[number]
    content = await _content(desk, message, attachment)
    if content is None:
        raise web.HTTPNotFound
    return web.Response(body=content, headers=_headers(attachment, content))


async def _content(desk: Desk, message: Message, attachment: Attachment) -> bytes | None:
    if attachment.file:
        kept = await desk.store.get("files", attachment.file)
        return kept["bytes"] if kept else None
    channel = desk.channels.get(message.channel)
    if channel is None or not attachment.remote:
        return None
    try:
        content, _ = await channel.fetch(attachment.remote)
    except LookupError:
        return None
    return content


def _headers(attachment: Attachment, content: bytes) -> dict[str, str]:
    """Return headers under which a browser may show a picture inside our page, saves anything opened, and runs nothing."""
    kind = kind_of(content)
    mime = kind.mime if kind and kind.mime in PICTURES else "application/octet-stream"
    name: Any = safe_name(attachment.name, kind) if kind else attachment.name or "file"
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_. ") else "_" for letter in name)
    return {
        "Content-Type": mime,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
