"""What the contract test knows of a channel's provider: a kit plays it. README.md beside this file says how to add one."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol

from channels.channel import Arrival, Door, Inbound
from profiles.snapshot import Changes, Done, Duplicate, Outcome
from profiles.store import Unavailable

Trouble = Literal["blocked", "throttled", "silent"]
"""How a provider answers when we write to somebody: they refuse us; too fast; it takes the call and never answers."""


class Kit(Protocol):
    """A channel's provider, played, and the people behind it."""

    options: Any
    """The channel's Options: enabled, pointed at the played provider, with timeouts under a second."""
    person: str
    """The address of somebody who can be written to."""
    troubles: Mapping[Trouble, str]
    """Addresses that the provider answers so. Leave out what this channel can not meet (webchat has no provider)."""

    async def connected(self) -> None:
        """Return when the channel has reached the provider; called after connect, with its routes served."""

    async def says(self, text: str, *, id: str) -> bool:
        """Let `person` write to us; the same id is the provider repeating itself. Return whether we accepted it."""

    async def heard(self) -> list[str]:
        """Return the texts that reached `person`, in order, parts joined and choices included."""

    async def vanish(self) -> None:
        """Take the provider off the network. Called at most once, and only when `troubles` is not empty."""


@dataclass
class Recorder:
    """A front door that remembers instead of answering; `failures` of the next arrivals find the database away."""

    arrivals: list[Arrival] = field(default_factory=list)
    failures: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, arrival: Arrival) -> Outcome:
        """Keep it once: a second arrival with the same id is a Duplicate, as in the real front door."""
        if self.failures:
            self.failures -= 1
            raise Unavailable("told to")
        if isinstance(arrival, Inbound) and any(arrival.id == known.id for known in self.inbound):
            return Duplicate(f"{arrival.channel}:{arrival.id}")
        self.arrivals.append(arrival)
        self.changed.set()
        return Done(Changes())

    @property
    def inbound(self) -> list[Inbound]:
        """What people said, in order."""
        return [arrival for arrival in self.arrivals if isinstance(arrival, Inbound)]


def play(name: str, door: Door) -> AbstractAsyncContextManager[Kit]:
    """Return the kit of this channel, about to start. Raises ModuleNotFoundError, which says what to write."""
    try:
        kit = import_module(f"tests.channels.kits.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"tests.channels.kits.{name}":
            raise
        hint = f"channels/{name}.py has no kit: write tests/channels/kits/{name}.py (README.md there says how)"
        raise ModuleNotFoundError(hint) from error
    started: AbstractAsyncContextManager[Kit] = kit.play(door)
    return started
