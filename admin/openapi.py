"""The OpenAPI 3.1 document, made of the API's own table of routes (https://spec.openapis.org/oas/v3.1.0)."""

import re
from collections.abc import Iterable
from typing import Any

from admin.api_problems import SHAPE, SORTS
from admin.api_route import Route
from admin.keys import SCOPES
from admin.schema import shapes_in

EVERYWHERE = ("unauthorized", "forbidden", "invalid", "rate", "unavailable")
WITH_BODY = ("malformed", "slow", "too_large", "media_type", "key_reused", "in_progress")

_ABOUT = """Everything that writes goes through one commit: what was answered 2xx is on disk.

Send the key as `Authorization: Bearer ck_...`. A POST, PATCH or DELETE may carry an `Idempotency-Key`: within 48 hours the same
key with the same request has the same answer, and its work is done once. Lists go on with `after`. Instants are UTC (RFC 3339).
Bodies are JSON in UTF-8 up to 1 MB; unknown keys, duplicate keys, NaN, and keys with `$` in front or a dot are refused.
"""


def document(routes: Iterable[Route], *, base: str) -> dict[str, Any]:
    """Return the document; `base` is the address that the routes hang under."""
    routes = tuple(routes)
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Causerie", "version": "1", "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(route) for route in routes)],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "responses": {slug: _problem(slug) for slug in SORTS},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _scopes()}},
        },
    }  # fmt: skip


def slugs_of(route: Route) -> tuple[str, ...]:
    """Return every problem that this route may answer."""
    repeats = ("malformed", "key_reused", "in_progress") if route.method != "GET" else ()
    body = WITH_BODY if route.body else ()
    return tuple(dict.fromkeys((*route.problems, *EVERYWHERE, *body, *repeats)))


def parameters_of(route: Route) -> list[str]:
    """Return the names in the route's path."""
    return re.findall(r"{(\w+)}", route.path)


def _operation(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Needs the scope `{route.scope}`.",
        "tags": [_tag(route)],
        "x-scope": route.scope,
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": route.body.describe()}},
        }
    return described


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in parameters_of(route)
    ]
    found += [
        {
            "name": name,
            "in": "query",
            "required": field.required,
            "description": field.about,
            "schema": field.kind.describe(),
        }
        for name, field in route.query.items()
    ]
    if route.method != "GET":
        about = "The same request with the same key is done once and has the same answer for 48 hours."
        found.append({"name": "Idempotency-Key", "in": "header", "required": route.needs_key, "description": about,
                      "schema": {"type": "string", "minLength": 1, "maxLength": 255}})  # fmt: skip
    return found


def _responses(route: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    if route.reply:
        good["content"] = {"application/json": {"schema": route.reply.describe()}}
    answers: dict[str, Any] = {str(route.status): good}
    by_status: dict[int, list[str]] = {}
    for slug in slugs_of(route):
        by_status.setdefault(SORTS[slug].status, []).append(slug)
    for status, slugs in sorted(by_status.items()):
        if len(slugs) == 1:
            answers[str(status)] = {"$ref": f"#/components/responses/{slugs[0]}"}
        else:
            answers[str(status)] = {**_problem(slugs[0]), "description": ". ".join(SORTS[slug].title for slug in slugs)}
    return answers


def _problem(slug: str) -> dict[str, Any]:
    return {
        "description": SORTS[slug].title,
        "content": {"application/problem+json": {"schema": SHAPE.describe()}},
    }


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    shapes = shapes_in(SHAPE)
    for route in routes:
        shapes |= shapes_in(route.body) | shapes_in(route.reply)
    return {name: shapes[name].definition() for name in sorted(shapes)}


def _scopes() -> str:
    return "An API key. Scopes: " + "; ".join(f"`{scope}`: {about}" for scope, about in SCOPES.items()) + "."


def _tag(route: Route) -> str:
    return route.path.split("/")[1]
