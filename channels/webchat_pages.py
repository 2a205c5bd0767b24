"""The widget's own files, and the demo shop that shows it: read once at the start, served from memory.

The loader (widget.js) is asked for again every few minutes; all that it loads carries the version in its path and is kept by
browsers for a year. No page of ours asks any other server for anything.
"""

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
from aiohttp import hdrs, web

from channels.webchat_tokens import sign_identity
from profiles.calendar import Clock

FOLDER = Path(__file__).parent / "webchat"
MIMES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
YEAR = "public, max-age=31536000, immutable"
ANNA = {"sub": "demo-anna", "name": "Anna Lindqvist", "email": "anna@example.com", "phone": "+33639980012"}
"""The demo's customer; the number is of a range kept for fiction (ARCEP, décision 2018-0881)."""

# connect-src 'self' covers the socket of the same origin (CSP 3, section 6.7.2.8)
_DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is served."""

    mime: str
    plain: bytes
    packed: bytes
    tag: str


def widget_routes() -> list[web.RouteDef]:
    """Return the routes of the loader and of all that it loads."""
    return script_routes(FOLDER / "static", "widget.js")


def script_routes(folder: Path, loader_name: str, *, shared: Iterable[str] = ()) -> list[web.RouteDef]:
    """Return the routes of a script for the shop's pages and of all that it loads from this folder.

    `shared` are files of the widget's own folder that it loads too, each under the path it has there.
    """
    own = FOLDER / "static"
    files = _read(folder) | {path: _page(Path(path).suffix, (own / path).read_bytes()) for path in shared}
    version = hashlib.sha256(b"".join(page.plain for _, page in sorted(files.items()))).hexdigest()[:12]
    loader = _page(".js", files.pop(loader_name).plain.replace(b"__VERSION__", version.encode()))

    async def serve_loader(request: web.Request) -> web.Response:
        return _answer(request, loader, "public, max-age=300", {"Cross-Origin-Resource-Policy": "cross-origin"})

    async def serve_file(request: web.Request) -> web.Response:
        page = files.get(request.match_info["path"])
        if page is None:
            raise web.HTTPNotFound
        # an old loader asks for an old version: it gets what there is, and does not keep it
        keep = YEAR if request.match_info["version"] == version else "no-cache"
        public = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        return _answer(request, page, keep, public)

    return [web.get(f"/{loader_name}", serve_loader), web.get("/static/{version}/{path:.+}", serve_file)]


def demo_routes(key: str, clock: Clock) -> list[web.RouteDef]:
    """Return the routes of the demo shop; its sign-in vouches for Anna with this key, as a shop's own server would."""
    files = _read(FOLDER / "demo")

    async def choose(request: web.Request) -> web.Response:
        wanted = request.headers.get("Accept-Language", "fr").lower()
        raise web.HTTPFound(f"{request.path.rstrip('/')}/{'fr' if wanted.startswith('fr') else 'en'}")

    async def serve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        page = files.get(name if "." in name else f"{name}.html")
        if page is None:
            raise web.HTTPNotFound
        return _answer(request, page, "no-cache", {"Content-Security-Policy": _DEMO_POLICY})

    async def sign_in(request: web.Request) -> web.Response:
        language = "fr" if request.query.get("language") == "fr" else "en"
        claims = {**ANNA, "language": language}
        token = sign_identity(claims, key, now=clock(), valid_for=timedelta(hours=1))
        return web.json_response({"identity": token, "name": ANNA["name"]}, headers={"Cache-Control": "no-store"})

    return [
        web.get("/demo", choose),
        web.get("/demo/", choose),
        web.post("/demo/sign-in", sign_in),
        web.get("/demo/{name}", serve),
    ]


def _read(folder: Path) -> dict[str, Page]:
    found = (path for path in folder.rglob("*") if path.suffix in MIMES and path.is_file())
    return {path.relative_to(folder).as_posix(): _page(path.suffix, path.read_bytes()) for path in found}


def _page(suffix: str, content: bytes) -> Page:
    if suffix == ".json":
        content = orjson.dumps(orjson.loads(content))  # a broken one stops the start, not a visitor
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return Page(MIMES[suffix], content, gzip.compress(content, mtime=0), tag)


def _answer(request: web.Request, page: Page, keep: str, headers: dict[str, str]) -> web.Response:
    headers = {
        **headers,
        hdrs.CACHE_CONTROL: keep,
        hdrs.ETAG: page.tag,
        hdrs.VARY: "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
    if request.headers.get(hdrs.IF_NONE_MATCH) == page.tag:
        return web.Response(status=304, headers=headers)
    body = page.plain
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        headers[hdrs.CONTENT_ENCODING], body = "gzip", page.packed
    return web.Response(body=body, headers=headers, content_type=page.mime, charset="utf-8")
