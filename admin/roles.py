"""Who may do what: every route says one permission, a role is a set of them, and what is not said is refused."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, TypeVar, get_args

from aiohttp import web

Role = Literal["agent", "supervisor", "marketer", "admin"]
Permission = Literal[
    "public",
    "self",
    "people",
    "converse",
    "assign",
    "merge",
    "erase",
    "canned",
    "team",
    "invite",
    "keys",
    "audit",
    "propose",
    "teach",
    "rules",
    "publish",
]
ROLES: tuple[Role, ...] = get_args(Role)

Page: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Handler = TypeVar("Handler", bound=Page)

_AGENT = frozenset({"self", "people", "converse", "merge", "propose"})
_SUPERVISOR = _AGENT | {"assign", "canned", "team", "audit", "teach", "rules", "erase"}
GRANTED: dict[str, frozenset[str]] = {
    "agent": _AGENT,
    "supervisor": _SUPERVISOR,
    "marketer": frozenset({"self", "people", "propose", "teach", "rules", "publish"}),
    "admin": _SUPERVISOR | {"invite", "keys", "publish"},
}
"""role -> permissions. `public` is nobody's: those routes ask for no session."""


def may(permission: Permission) -> Callable[[Handler], Handler]:
    """Say which permission a route asks for. A route that says none answers nobody (tests/admin/test_routes.py)."""

    def mark(handler: Handler) -> Handler:
        handler.__permission__ = permission  # type: ignore[attr-defined]
        return handler

    return mark


def permission_of(handler: object) -> str | None:
    """Return the permission a route's handler asks for, or None if nobody thought of it."""
    return getattr(handler, "__permission__", None)


def has(role: str, permission: str) -> bool:
    """Return whether this role is granted this permission; an unknown role is granted none."""
    return permission in GRANTED.get(role, frozenset())
