"""One route of the API: its place, the scope it asks for, what it reads and answers. Routing, checks and the OpenAPI document
are all made of these."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from admin.desk import Desk
from admin.idempotency import Mark
from admin.keys import Key
from admin.schema import Field, Kind

BODY_BYTES = 1_000_000
EVENT_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON that is ready to be written (instants may still be instants)."""

    status: int
    body: Any = None
    location: str = ""
    is_replay: bool = False
    """Whether this is the answer that the same Idempotency-Key had before."""


class Refused(Exception):
    """The request can not be done: the slug of a problem, and what of it concerns this request."""

    def __init__(self, slug: str, detail: str = "", **more: Any) -> None:
        super().__init__(slug)
        self.slug, self.detail, self.more = slug, detail, more


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in and checked."""

    desk: Desk
    key: Key
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    mark: Mark | None
    """Its Idempotency-Key, when it has one."""

    @property
    def now(self) -> datetime:
        """Return the present instant."""
        return self.desk.clock()

    def must_have(self, scope: str) -> None:
        """Raise Refused unless the key has this further scope."""
        if scope not in self.key.scopes:
            raise Refused("forbidden", f"this key has no scope {scope}")


Answer: TypeAlias = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the API's table. `scope` is never empty: what is open to all says so with "public"."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    answer: Answer
    scope: str
    summary: str
    """One sentence in English; French beside it."""
    summary_fr: str
    reply: Kind | None = None
    status: int = 200
    body: Kind | None = None
    query: Mapping[str, Field] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Slugs of problems of its own, beside those that every route has."""
    largest: int = BODY_BYTES
    cost: Callable[[Any], int] = lambda body: 1
    """How many requests its body counts for."""
    repeats_safely: bool = False
    """Whether its Idempotency-Key row is opened before the work, because the work is more than one commit."""

    in_apps: bool = False
    """Whether its key may stand inside an app: who has that key alone is also slowed down by the internet address."""

    needs_key: bool = False
    """Whether it is refused without an Idempotency-Key: a repeated message can not be taken back."""

    @property
    def name(self) -> str:
        """Return its operationId."""
        return self.answer.__name__
