"""Who may come in by which route: read from the console's decorators and the API's table, and declared here for all the rest.

A route that nobody declared has no place here, and the test of this table fails with its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from admin.api import PREFIX, ROUTES
from admin.roles import permission_of

Kind = Literal["all", "console", "api", "link", "provider", "visitor", "rasa"]
"""all: nobody is asked. console: a session with a permission. api: a key with a scope. link: a signed token in the path, or a
code that nobody guesses. provider: a webhook's signature or secret, or the token inside a pass. visitor: an allowed page, and a
signed visitor's token where anything of theirs is read. rasa: the token of an outside Rasa."""

OPEN: dict[str, Kind] = {
    "GET /": "all",
    "GET /health": "all",
    "GET /metrics": "all",
    "GET /api/docs": "all",
    "GET /api/docs/style.css": "all",
    "GET /api/v1/openapi.json": "all",
    "GET /actions/health": "all",
    "GET /rules/schema.json": "all",
    "GET /rules/topics.schema.json": "all",
    "GET /rules/segments.schema.json": "all",
    "GET /rules/pressure.schema.json": "all",
    "GET /rules/vocabulary.schema.json": "all",
    "GET /rules/template.schema.json": "all",
    "GET /rules/card.schema.json": "all",
    "GET /t/tracker.js": "all",
    "GET /channels/webchat/widget.js": "all",
    "GET /channels/webchat/static/{version}/{path}": "all",
    "GET /channels/webchat/demo": "all",
    "GET /channels/webchat/demo/": "all",
    "POST /channels/webchat/demo/sign-in": "all",
    "GET /channels/webchat/demo/{name}": "all",
    "OPTIONS /channels/webchat/files": "all",
    "GET /channels/webchat/socket": "visitor",
    "POST /channels/webchat/files": "visitor",
    "POST /t/events": "visitor",
    "GET /channels/webchat/files/{id}": "link",
    "GET /p/static/{version}/preferences.css": "all",
    "GET /p/confirm/{token}": "link",
    "POST /p/confirm/{token}": "link",
    "GET /p/{token}": "link",
    "GET /p/{token}/data.json": "link",
    "POST /p/{token}/choices": "link",
    "POST /p/{token}/none": "link",
    "POST /p/{token}/limits": "link",
    "POST /p/{token}/data": "link",
    "POST /p/{token}/removal": "link",
    "POST /p/{token}/erasure": "link",
    "GET /u/{token}": "link",
    "POST /u/{token}": "link",
    "GET /l/{token}": "link",
    "GET /q/{code}.svg": "link",
    "GET /q/{code}": "link",
    "GET /o/{token}.gif": "all",  # the picture is given to everybody; only a signed token counts
    "POST /channels/telegram/webhook": "provider",
    "POST /channels/twilio/message": "provider",
    "POST /channels/twilio/status": "provider",
    "GET /channels/webpush/push.js": "all",
    "GET /channels/webpush/static/{version}/{path}": "all",
    "GET /channels/webpush/worker.js": "all",
    "POST /channels/webpush/settings": "all",  # the public key and the topics, for pages that are allowed
    "POST /channels/webpush/subscriptions": "visitor",
    "POST /channels/webpush/identify": "visitor",
    "POST /channels/webpush/forget": "visitor",
    "POST /channels/webpush/unsubscribe": "visitor",
    "POST /channels/webpush/receipts": "link",
    "OPTIONS /channels/inapp/messages": "all",
    "OPTIONS /channels/inapp/receipts": "all",
    "GET /channels/inapp/messages": "visitor",
    "POST /channels/inapp/receipts": "visitor",
    "POST /channels/wallet/v1/devices/{device}/registrations/{type}/{serial}": "provider",
    "DELETE /channels/wallet/v1/devices/{device}/registrations/{type}/{serial}": "provider",
    "GET /channels/wallet/v1/devices/{device}/registrations/{type}": "link",  # a device's number is its key, as Apple has it
    "GET /channels/wallet/v1/passes/{type}/{serial}": "provider",
    "POST /channels/wallet/v1/log": "all",
    "GET /channels/wallet/images/{file}": "all",
    "POST /channels/wallet/google": "provider",
    "POST /channels/email/sns": "provider",
    "POST /channels/email/mailgun": "provider",
    "POST /channels/email/postmark": "provider",
    "GET /w/static/{version}/wallet.css": "all",
    "GET /w/static/{version}/cards.css": "all",
    "GET /w/{token}": "link",
    "GET /w/{token}/{card}.pkpass": "link",
    "GET /w/{token}/{card}/google": "link",
    "POST /actions/webhook": "rasa",
    "POST /actions/nlg": "rasa",
    "GET /actions/actions": "rasa",
}


@dataclass(frozen=True, slots=True)
class Door:
    """One route, and what it asks for: the permission or the scope, where there is one."""

    method: str
    path: str
    kind: Kind
    asks: str = ""

    @property
    def name(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"


def every_route(app: web.Application) -> Iterator[tuple[str, str, object]]:
    """Yield (method, path, handler) of every route, those of what is mounted too; HEAD is its GET."""
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource is not None:
            yield route.method, route.resource.canonical, route.handler


def door_of(method: str, path: str, handler: object) -> Door | None:
    """Return what this route asks for, or None when nobody said."""
    name = f"{method} {path}"
    if path.startswith("/console"):
        permission = permission_of(handler)
        if permission is None:
            return None
        return Door(method, path, "all") if permission == "public" else Door(method, path, "console", permission)
    if name in OPEN:
        return Door(method, path, OPEN[name])
    scope = next((one.scope for one in ROUTES if (one.method, PREFIX + one.path) == (method, path)), "")
    return Door(method, path, "api", scope) if scope else None


def doors(app: web.Application) -> list[Door]:
    """Return every route that somebody declared."""
    found = (door_of(*route) for route in every_route(app))
    return [door for door in found if door]
