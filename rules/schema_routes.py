"""The JSON Schemas of the book's files over HTTP, open to everybody: they hold no secret and editors fetch them."""

from aiohttp import web

from rules.json_schema import rendered, schemas


def schema_routes() -> list[web.RouteDef]:
    """Return the routes: /rules/schema.json for rule files, /rules/topics.schema.json ... for the others."""
    return [_route(name, rendered(schema)) for name, schema in schemas().items()]


def _route(name: str, text: str) -> web.RouteDef:
    async def answer(request: web.Request) -> web.Response:
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=300"}
        return web.Response(text=text, content_type="application/schema+json", headers=headers)

    return web.get(f"/rules/{name}", answer)
