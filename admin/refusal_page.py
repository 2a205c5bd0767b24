"""What a person reads where a program gets a status and a line: nothing here, not allowed, too much at once, our own mistake.

Only for a browser that opens a page or sends a form; pieces of pages, programs and the API get what they got before.
"""

from collections.abc import Awaitable, Mapping

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from admin.centre import stylesheet
from admin.desk import PREFIX
from admin.guard import TEXTS
from admin.pages import render
from admin.texts import Texts, preferred, texts

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_OUR_OWN = (hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH, "Content-Security-Policy")
_TOLD = (400, 403, 409, 429)
"""With these the reason says what to do: a form that is too old, a role that may not, how long to wait."""


@web.middleware
def refusals_shown(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Answer a person's browser with a page where it would get a bare line.

    Not a coroutine of its own, which would stay as long as the socket of an open page does, and cost every webhook.
    """
    return _shown(request, handler) if _is_person(request) else handler(request)


async def _shown(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400 or refusal.content_type == "text/html":
            raise
        return _page(request, refusal.status, refusal.headers, refusal.text or "")
    if answer.status < 400 or answer.prepared or not isinstance(answer, web.Response):
        return answer
    if answer.content_type not in ("text/plain", "application/json", "application/octet-stream"):
        return answer
    told = answer.text or "" if answer.content_type == "text/plain" else ""
    return _page(request, answer.status, answer.headers, told)


def _is_person(request: web.Request) -> bool:
    """Return whether a browser shows the answer as a page; scripts ask for anything, and say that they want a piece."""
    if request.path.startswith("/api/") or "X-Fragment" in request.headers:
        return False
    return request.method in ("GET", "POST") and "text/html" in request.headers.get("Accept", "")


def _page(request: web.Request, status: int, headers: Mapping[str, str], told: str) -> web.Response:
    speaks = request.get(TEXTS) or texts(preferred(request.headers.get("Accept-Language", "")))
    title, why = _said(speaks, status)
    if status in _TOLD and told and not told.startswith(str(status)):
        why = told
    is_console = request.path.startswith(PREFIX)
    template = "refusal.html" if is_console else "refusal_outside.html"
    html = render(template, speaks, title=title, why=why, status=status, style=stylesheet(), languages=())
    kept = {name: value for name, value in headers.items() if name not in _OUR_OWN}
    kept |= {"Content-Security-Policy": POLICY, "X-Robots-Tag": "noindex"}
    return web.Response(status=status, text=html, content_type="text/html", headers=kept)


def _said(speaks: Texts, status: int) -> tuple[str, str]:
    match status:
        case 401 | 403:
            return speaks("This is not for you"), speaks("You may not see this page, or not do this.")
        case 404 | 405 | 410:
            return speaks("Nothing here"), speaks("The address is wrong, or what stood here was removed.")
        case 409:
            return speaks("Somebody was quicker"), speaks("It changed meanwhile. Go back and load the page again.")
        case 413:
            return speaks("That is too large"), speaks("Go back and send something smaller.")
        case 429:
            return speaks("That was a lot at once"), speaks("Wait a minute and try again.")
        case 502 | 503 | 504:
            return speaks("One moment"), speaks("We can not answer just now. Try again in a moment.")
        case _ if status >= 500:
            return speaks("Something broke here"), speaks("It is our mistake, and was noted. Try again in a moment.")
        case _:
            return speaks("This can not be read"), speaks(
                "What your browser sent makes no sense here. Go back and try again."
            )
