"""Messages and banners inside the app and on the site: an inbox that apps and the web chat's widget fetch. No provider.

A message is in the inbox once it is sent. Pages that are open hear of it through the web chat's socket (causerie/parts.py puts
the two together), others when they look. The doors are inapp_doors.py's, what is shown inapp_inbox.py's. docs/channels/inapp.md
"""

import hmac
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from channels.channel import Channel, Door, Failed, Limits, Outbound, Sending, Sent
from channels.inapp_doors import Doors
from channels.inapp_inbox import CHANNEL
from channels.webchat_origins import Origins
from channels.webchat_visitors import Keys
from profiles.snapshot import Changes
from profiles.store import Unavailable

log = logging.getLogger("channels.inapp")

LONGEST_TEXT = 4_000
MOST_ADDRESSES = 10  # of one person's browsers and phones that are told at once
REMEMBERED = 10_000
_ADDRESS = re.compile(r"[0-9a-f]{32}")

__all__ = ["InApp", "Options", "connect"]


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.inapp]"""

    enabled: bool = field(
        default=False, metadata={"about": "Whether people have an inbox in your app and on your site, with banners."}
    )
    origins: tuple[str, ...] = field(
        default=(),
        metadata={"about": 'Pages that may show it: "https://shop.example"; this server\'s own always may.'},
    )
    proxies: int = field(
        default=0,
        metadata={"about": "How many proxies of yours stand before the server and add to X-Forwarded-For."},
    )


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel. Raises ValueError for options that can not work."""
    if not door.secret:
        raise ValueError("channels.inapp: the server has no signing secret: visitors' tokens could be forged")
    if options.proxies < 0:
        raise ValueError(f"channels.inapp.proxies: expected 0 or more, got {options.proxies}")
    return InApp(options, door)


class InApp:
    """Everybody's inbox."""

    name = CHANNEL
    space = CHANNEL
    limits = Limits(text=LONGEST_TEXT, buttons=10, at_once=64, threads=False)

    def __init__(self, options: Options, door: Door) -> None:
        own = hmac.digest(door.secret, b"webchat", "sha256")  # the web chat's: its visitors are ours
        self._door = door
        keys, origins = Keys(own, door.identity_secrets), Origins(options.origins, door.public_url)
        self._doors = Doors(door, keys, origins, proxies=options.proxies)
        self._leaving: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._stop_hearing = door.feed.hear(self._hear)
        door.feed.hints.on(CHANNEL, self._hinted)
        self.show: Callable[[str], None] = _nobody
        """Tell the pages of this address that there is something to look at: the web chat's, where it is connected."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what apps and the widget ask."""
        return self._doors.routes()

    async def send(self, outbound: Outbound) -> Sending:
        """Put it into the inbox: that it was sent is what makes it shown, and then open pages hear of it."""
        if not _ADDRESS.fullmatch(outbound.address):
            return Failed("dead", "no such visitor can exist")
        expires_at = outbound.content.expires_at
        if expires_at and expires_at <= self._door.clock():
            return Failed("content", "it was not worth showing any more")
        self._leaving[outbound.id] = await self._addresses(outbound)
        if len(self._leaving) > REMEMBERED:
            self._leaving.popitem(last=False)
        return Sent()

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: nobody writes to us here."""
        raise LookupError("nothing is received in the inbox")

    async def close(self) -> None:
        """Stop listening."""
        self._stop_hearing()

    def _hear(self, changes: Changes) -> None:
        """Tell open pages of what has just been recorded as sent; called for every commit, so it is quick."""
        if not self._leaving:
            return
        for amend in changes.amends:
            if "delivery.state" in amend.put and (addresses := self._leaving.pop(amend.message, ())):
                for address in addresses:
                    self.show(address)
                self._door.feed.hints.tell(CHANNEL, list(addresses))

    def _hinted(self, process: str, addresses: Any) -> None:
        for address in addresses or ():
            self.show(str(address))

    async def _addresses(self, outbound: Outbound) -> tuple[str, ...]:
        """Return where this person may be looking: the address that was decided for, and their other ones."""
        try:
            profile = await self._door.writer.recent.profile(outbound.profile) if outbound.profile else None
        except Unavailable:
            profile = None
        own = [one.address for one in profile.identities if one.channel == self.space] if profile else []
        return tuple(dict.fromkeys([outbound.address, *own[-MOST_ADDRESSES:]]))


def _nobody(address: str) -> None:
    """Tell nobody: no page can be open."""
