"""The API's documentation as one plain page, made of the table that the server runs: no script, nothing from elsewhere."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin.api import PREFIX, ROUTES
from admin.api_french import FRENCH
from admin.api_problems import PLACE, SORTS
from admin.api_route import Route
from admin.desk import Desk
from admin.keys import SCOPES
from admin.openapi import parameters_of, slugs_of
from admin.schema import Kind, ListOf, MapOf, OrNull, Shape, shapes_in
from admin.texts import LANGUAGES, preferred, typeset

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def docs(desk: Desk) -> web.Application:
    """Return the documentation as an application to mount at /api/docs."""
    app = web.Application()

    async def show(request: web.Request) -> web.Response:
        asked = request.query.get("lang") or preferred(request.headers.get("Accept-Language", ""))
        language = asked if asked in LANGUAGES else "en"
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Language"}
        return web.Response(text=page(language, desk.public_url), content_type="text/html", headers=headers)

    async def style(request: web.Request) -> web.Response:
        return web.Response(text=_read("api_docs.css"), content_type="text/css")

    app.router.add_get("", show)
    app.router.add_get("/style.css", style)
    return app


@cache
def page(language: str, public_url: str) -> str:
    """Return the whole page in one language."""
    shapes: dict[str, Shape] = {}
    for route in ROUTES:
        shapes |= shapes_in(route.body) | shapes_in(route.reply)
    return _environment().get_template("api_docs.html").render(
        language=language, fr=language == "fr", base=public_url + PREFIX, place=PLACE, routes=ROUTES, sorts=SORTS,
        scopes=SCOPES, says=lambda text: typeset(FRENCH.get(text, text), language) if language == "fr" else text,
        shapes=[shapes[name] for name in sorted(shapes)],
        parameters_of=parameters_of, slugs_of=slugs_of, kind=_kind, example=_example,
    )  # fmt: skip


def _kind(kind: Kind | None) -> tuple[str, str]:
    """Return what a kind is called, and the shape to link to where there is one."""
    match kind:
        case Shape():
            return kind.name, kind.name
        case ListOf():
            name, link = _kind(kind.item)
            return f"[{name}]", link
        case OrNull():
            name, link = _kind(kind.kind)
            return f"{name} | null", link
        case MapOf():
            name, link = _kind(kind.value)
            return f"{{name: {name}}}", link
        case None:
            return "", ""
        case _:
            return _plain(kind.describe()), ""


def _plain(described: dict[str, Any]) -> str:
    if words := described.get("enum"):
        return " | ".join(words)
    if "anyOf" in described:
        return " | ".join(dict.fromkeys(_plain(one) for one in described["anyOf"]))
    if described.get("format"):
        return str(described["format"])
    longest = described.get("maxLength")
    return f"{described['type']} ≤ {longest}" if longest else str(described["type"])


def _example(route: Route, base: str) -> str:
    """Return a curl command that calls the route."""
    lines = [f"curl -X {route.method} '{base}{route.path}'", "  -H 'Authorization: Bearer ck_...'"]
    if route.body:
        sample = json.dumps(_sample(route.body), ensure_ascii=False)
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{sample}'"]
    return " \\\n".join(lines)


def _sample(kind: Any) -> Any:
    """Return a small value of this kind: the fields that must be there."""
    match kind:
        case Shape():
            wanted = {name for name, field in kind.fields.items() if field.required} | set(kind.one_of[:1])
            chosen = wanted or set(list(kind.fields)[:1])
            return {name: _sample(field.kind) for name, field in kind.fields.items() if name in chosen}
        case ListOf():
            return [_sample(kind.item)]
        case MapOf():
            return {kind.name.example: "Lyon"}
        case _:
            described = kind.describe()
            return described.get("examples", [described.get("enum", ["..."])[0]])[0]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _read(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")
