"""Which pages may hold the widget: those of the allowed origins (RFC 6454: scheme, host and port, exactly)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Origins:
    """The allowed origins; this server's own is always one, under every name that loopback has."""

    def __init__(self, allowed: Iterable[str], public_url: str) -> None:
        own = _origin(public_url)
        self._allowed = {_configured(origin) for origin in allowed} | {own} | _aliases(own)

    def allows(self, request: web.Request) -> bool:
        """Return whether the page that asks may. A request without Origin is no browser's and is refused."""
        given = request.headers.get("Origin", "")
        try:
            return bool(given) and _origin(given) in self._allowed
        except ValueError:
            return False

    def headers(self, request: web.Request) -> dict[str, str]:
        """Return the CORS headers for an allowed page, none for another (Fetch standard, section 3.2)."""
        if not self.allows(request):
            return {}
        return {
            "Access-Control-Allow-Origin": request.headers["Origin"],
            "Access-Control-Allow-Headers": "authorization, content-type, x-file-name, x-identity",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Max-Age": "3600",
            "Vary": "Origin",
        }


def _configured(origin: str) -> str:
    try:
        right = _origin(origin)
    except ValueError:
        right = ""
    if not right or urlsplit(origin).path not in ("", "/") or "*" in origin:
        raise ValueError(
            f'origins: expected scheme and host such as "https://shop.example", got "{origin}". '
            "Hint: list each origin; no path, no wildcard."
        )
    return right


def _origin(address: str) -> str:
    """Return scheme://host[:port] in its one spelling. Raises ValueError when there is none."""
    parts = urlsplit(address)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(address)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def _aliases(own: str) -> set[str]:
    """Return the other names under which one's own machine opens a page of this loopback server."""
    parts = urlsplit(own)
    host = parts.netloc.removesuffix(f":{parts.port}") if parts.port else parts.netloc
    if host not in _LOOPBACK:
        return set()
    return {_origin(own.replace(f"://{host}", f"://{name}", 1)) for name in _LOOPBACK}
