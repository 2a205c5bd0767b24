"""What a browser is told with every answer, whoever made it: run nothing, frame nothing, guess nothing, tell nobody.

A page that needs more says so itself (the console, a person's own page, the demo shop); what is set there stays as it is.
"""

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
SERVER = "Causerie"
"""Who answers; the versions of what it is made of are nobody's business."""
FOR_A_YEAR = "max-age=31536000"


def dress_all(app: web.Application, *, is_https: bool) -> None:
    """Give every answer of this application, and of all that is mounted in it, the headers that it does not have."""

    async def dress(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if is_https:
            response.headers.setdefault("Strict-Transport-Security", FOR_A_YEAR)

    app.on_response_prepare.append(dress)
