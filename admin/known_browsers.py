"""A browser in which somebody has signed in before: its tries are counted by themselves.

Whoever knows an agent's e-mail address can use up the tries of that account; the agent's own browser must not be shut out by it.
Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies". The cookie opens nothing: it is a place to count in.
"""

import hashlib
import hmac
import secrets

from aiohttp import web

from admin.desk import Desk

DAYS = 180


def remember(desk: Desk, response: web.Response, email: str) -> None:
    """Let this browser be known as one in which the agent with this address has signed in."""
    nonce = secrets.token_hex(16)
    response.set_cookie(
        _name(desk), f"{nonce}.{_signature(desk, email, nonce)}", httponly=True, samesite="Lax", secure=desk.is_https,
        path="/", max_age=DAYS * 86_400,
    )  # fmt: skip


def known(desk: Desk, request: web.Request, email: str) -> str | None:
    """Return what the tries of this browser at this address are counted under, or None where it is not known."""
    nonce, _, signature = request.cookies.get(_name(desk), "").partition(".")
    right = _signature(desk, email, nonce)
    return f"browser:{nonce}" if hmac.compare_digest(right.encode(), signature.encode()) else None


def _name(desk: Desk) -> str:
    return "__Host-causerie-known" if desk.is_https else "causerie_known"


def _signature(desk: Desk, email: str, nonce: str) -> str:
    """Return the proof that we gave this nonce to a browser of this address. It ends with the installation's secret."""
    return hmac.new(desk.secret, f"known|{email}|{nonce}".encode(), hashlib.sha256).hexdigest()
