"""A mail as it is read, shown in the console: its page in a frame that can do nothing, who writes, of what, and its words.

The page of a mail is somebody's HTML: it runs nothing, asks nobody for anything (a picture that counts openings would count ours)
and is only ever seen in a frame of its own address, under this policy.
"""

from dataclasses import dataclass

from aiohttp import web

from admin.desk import Desk
from admin.guard import HEADERS
from admin.incoming import posted
from admin.roles import may
from channels.channel import Outbound, Tells
from channels.email_letter import said, shown
from profiles.timeline import Content

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """What the reader of a mail sees of it."""

    sender: str
    """The name and the address that write; empty where no channel for mail is connected."""
    subject: str
    page: str
    """Empty where mail programs show the words."""
    words: str


async def mail_of(desk: Desk, channel: str, content: Content, language: str) -> Mail:
    """Return a message as this channel would mail it now."""
    known, header = desk.channels.get(channel), dict[str, str]()
    if isinstance(known, Tells):
        nobody = Outbound(
            "preview", "nobody@example.org", content, "preview", 1, language, metadata={"rule": "preview"}
        )
        header = dict(await known.told(nobody, desk.clock()))
    subject = header.get("Subject") or content.title or content.summary()
    return Mail(header.get("From", ""), subject, shown(content, language), said(content))


def framed(page: str) -> web.Response:
    """Answer with the page of a mail, for a frame."""
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return web.Response(text=page, content_type="text/html", headers=headers)


def framing(answer: web.Response) -> web.Response:
    """Let this page of the console have frames of ours."""
    answer.headers["Content-Security-Policy"] = f"{HEADERS['Content-Security-Policy']}; frame-src 'self'"
    return answer


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Give a mail's page back into a frame: of what is not sent yet, only the page that previews it knows."""
    return framed((await posted(request)).get("page", ""))
